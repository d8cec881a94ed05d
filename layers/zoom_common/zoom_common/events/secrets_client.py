"""Reads one secret's text from Secrets Manager. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping

from zoom_common.aws_api.https_client import origin
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.aws_json_client import AwsCallFailed, AwsJsonClient
from zoom_common.secret import Secret


class SecretReader:
    """The current version of the secret `arn`."""

    def __init__(self, arn: str, client: AwsJsonClient) -> None:
        self._arn = arn
        self._client = client

    def read(self, deadline: Deadline) -> Secret:
        """The secret's text. Raises Unavailable."""
        try:
            answer = self._client.call("secretsmanager.GetSecretValue", {"SecretId": self._arn}, deadline)
        except AwsCallFailed as failure:
            raise Unavailable(reason=f"webhook_secrets_{failure.reason}") from None
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise Unavailable(reason="webhook_secrets_not_text")
        return Secret(text)


def secrets_manager_endpoint(environ: Mapping[str, str], region: str) -> str:
    """Where GetSecretValue goes: AWS's standard overrides first, else the region's public endpoint."""
    override = environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or environ.get("AWS_ENDPOINT_URL")
    if override:
        return origin(override)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://secretsmanager.{region}.{suffix}"
