"""Deploy the gateway from a CDK app, as a nested stack.

First put the packaged template into a bucket of yours, as in examples/terraform/main.tf. Then:
cdk deploy -c template_url=https://YOUR-BUCKET.s3.amazonaws.com/zoom-gateway/packaged.yaml
"""

from __future__ import annotations

from aws_cdk import App, CfnOutput, CfnStack, SecretValue, Stack
from constructs import Construct


class ZoomGateway(Stack):
    """The gateway beside your own resources. The Zoom app's values come from a secret of yours, `zoom-app`."""

    def __init__(self, scope: Construct, name: str, *, template_url: str) -> None:
        super().__init__(scope, name)
        secrets = {
            parameter: SecretValue.secrets_manager("zoom-app", json_field=field).unsafe_unwrap()
            for parameter, field in {
                "ZoomClientId": "client_id",
                "ZoomClientSecret": "client_secret",
                "ZoomWebhookSecretToken": "webhook_secret_token",
            }.items()
        }
        parameters = {"Stage": "prod", "ReturnUrls": "https://app.example.com", **secrets}
        gateway = CfnStack(self, "Gateway", template_url=template_url, parameters=parameters)
        # What the gateway's stack says: its queue is where your functions read events from.
        for output in ("ApiUrl", "WebhookUrl", "IntegrationEventsQueueUrl"):
            CfnOutput(self, output, value=gateway.get_att(f"Outputs.{output}").to_string())


app = App()
ZoomGateway(app, "Zoom", template_url=app.node.try_get_context("template_url"))
app.synth()
