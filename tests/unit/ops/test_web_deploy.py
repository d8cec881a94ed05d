"""`make web-deploy`: the web client's hosting beside a gateway's stack."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from ops import web_deploy
from ops.console import Stop
from tests.fakes.aws_client import client

GATEWAY: dict[str, Any] = {
    "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://a1.execute-api.eu-west-1.amazonaws.com"}],
    "Parameters": [{"ParameterKey": "WebIdentityOrigins", "ParameterValue": "https://id.example.com"}],
}
TOLD = [
    {"ParameterKey": "ApiDomain", "ParameterValue": "a1.execute-api.eu-west-1.amazonaws.com"},
    {"ParameterKey": "WebIdentityOrigins", "ParameterValue": "https://id.example.com"},
]


def described(**found: Any) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "StackStatus": "CREATE_COMPLETE", "CreationTime": 0, **found}]}


@pytest.mark.parametrize("there", [True, False])
def test_it_is_made_or_brought_up_to_date(*, there: bool) -> None:
    """By the same command, with the parameters of the gateway's stack, and its outputs come back."""
    aws = client("cloudformation")
    asked = {"StackName": "gateway-web", "TemplateBody": ANY, "Parameters": TOLD}
    stub = Stubber(aws)
    stub.add_response("describe_stacks", described(**GATEWAY), {"StackName": "gateway"})
    if there:
        message = "No updates are to be performed."
        stub.add_client_error("update_stack", "ValidationError", message, expected_params=asked)
    else:
        message = "Stack [gateway-web] does not exist"
        stub.add_client_error("update_stack", "ValidationError", message, expected_params=asked)
        stub.add_response("create_stack", {"StackId": "id"}, asked)
        stub.add_response("describe_stacks", described(), {"StackName": "gateway-web"})
    outputs = [{"OutputKey": "WebOrigin", "OutputValue": "https://d1.cloudfront.net"}]
    stub.add_response("describe_stacks", described(Outputs=outputs), {"StackName": "gateway-web"})
    with stub:
        assert web_deploy.deploy(aws, "gateway") == {"WebOrigin": "https://d1.cloudfront.net"}
    stub.assert_no_pending_responses()


def test_a_stack_that_is_no_gateways_is_said() -> None:
    """Before anything is made."""
    with pytest.raises(Stop, match="not a gateway"):
        web_deploy.parameters({"Outputs": []})
