"""The webhook secrets for those who may be slow; the webhook itself has `events.webhook_client`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoom_common.aws.errors import translated
from zoom_common.events.webhook_secrets import parse_secrets
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import SigningSecret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


def read_webhook_secrets(client: SecretsManagerClient, arn: str) -> tuple[Sequence[SigningSecret], float]:
    """The secrets of every Zoom app, and when they were last written (epoch seconds).

    Raises Unavailable, or UnusableSecrets.
    """
    with translated("webhook_secrets_unavailable"):
        found = client.get_secret_value(SecretId=arn)
    return parse_secrets(Secret(found.get("SecretString", ""))), found["CreatedDate"].timestamp()
