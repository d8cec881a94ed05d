"""The Zoom app's credentials in Secrets Manager, against moto."""

from __future__ import annotations

import json

import pytest
from mypy_boto3_secretsmanager import SecretsManagerClient

from zoom_common.aws import clients
from zoom_common.connections.oauth_client import AppSecret
from zoom_common.errors import InternalError, Unavailable
from zoom_common.secret import Secret

pytestmark = pytest.mark.aws


@pytest.fixture
def secrets() -> SecretsManagerClient:
    return clients.boto3_client("secretsmanager")


def stored(secrets: SecretsManagerClient, text: str) -> str:
    return secrets.create_secret(Name="app", SecretString=text)["ARN"]


def test_read_once_in_five_minutes(secrets: SecretsManagerClient) -> None:
    """What changed meanwhile is seen afterwards."""
    now = [0.0]
    arn = stored(secrets, json.dumps({"client_id": "id", "client_secret": "one"}))
    app_secret = AppSecret(secrets, arn, clock=lambda: now[0])
    assert app_secret.app().client_secret == Secret("one")
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"client_id": "id", "client_secret": "two"}))
    now[0] = 299.0
    assert app_secret.app().client_secret == Secret("one")
    now[0] = 300.0
    assert app_secret.app().client_secret == Secret("two")


def test_read_again_when_zoom_refuses(secrets: SecretsManagerClient) -> None:
    """And it is said whether that makes a difference."""
    arn = stored(secrets, json.dumps({"client_id": "id", "client_secret": "one"}))
    app_secret = AppSecret(secrets, arn, clock=lambda: 0.0)
    app_secret.app()
    assert not app_secret.changed()
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"client_id": "id", "client_secret": "two"}))
    assert app_secret.changed()
    assert app_secret.app().client_secret == Secret("two")


@pytest.mark.parametrize("text", ["", "secret", "[]", '{"client_id": "id"}'])
def test_unreadable(secrets: SecretsManagerClient, text: str) -> None:
    """A secret in another form is ours to mend, and stays out of the error."""
    arn = stored(secrets, text or "x")
    with pytest.raises(Unavailable) as error:
        AppSecret(secrets, arn, clock=lambda: 0.0).app()
    assert error.value.reason == "app_secret_unavailable"
    assert error.value.__cause__ is None


def test_missing(secrets: SecretsManagerClient) -> None:
    """A secret that is not there is a fault of ours, and no outage of Secrets Manager."""
    with pytest.raises(InternalError):
        AppSecret(secrets, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:none", clock=lambda: 0.0).app()
