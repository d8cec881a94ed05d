"""Where the container's clients go, and as whom."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from zoom_common import light_aws
from zoom_common.aws_api.sigv4 import Credentials
from zoom_common.secret import Secret

_LAMBDA = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_SESSION_TOKEN": "t",
}


def test_an_override_beats_the_region() -> None:
    """The service's own variable first, then the one for all; EventBridge's is called by its full name."""
    every = {**_LAMBDA, "AWS_ENDPOINT_URL": "http://localhost:4566/"}
    assert light_aws.endpoint("dynamodb", every) == "http://localhost:4566"
    assert light_aws.endpoint("kms", every | {"AWS_ENDPOINT_URL_KMS": "https://kms.example"}) == "https://kms.example"
    own = every | {"AWS_ENDPOINT_URL_EVENTBRIDGE": "https://bus.example"}
    assert light_aws.endpoint("events", own) == "https://bus.example"


def test_the_role_comes_from_lambdas_variables() -> None:
    """With its session token."""
    assert light_aws.credentials(_LAMBDA)() == Credentials("AKID", Secret("s"), Secret("t"))


def test_without_variables_boto3_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function restored from a snapshot finds its role at an address; boto3 knows how to ask there."""
    frozen = SimpleNamespace(access_key="A", secret_key="s", token="t")
    session = SimpleNamespace(get_credentials=lambda: SimpleNamespace(get_frozen_credentials=lambda: frozen))
    monkeypatch.setattr(light_aws, "_session", lambda: session)
    ask = light_aws.credentials({"AWS_REGION": "eu-central-1"})
    assert ask() == Credentials("A", Secret("s"), Secret("t"))
    monkeypatch.setattr(light_aws, "_session", lambda: SimpleNamespace(get_credentials=lambda: None))
    with pytest.raises(OSError, match="no credentials"):
        ask()


def test_two_clients_of_a_service_share_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience differs, TLS is shaken once; a client is made once per container."""
    for name, value in _LAMBDA.items():
        monkeypatch.setenv(name, value)
    light_aws.forget()
    patient, impatient = light_aws.client("dynamodb"), light_aws.impatient_dynamodb()
    assert patient._caller.line is impatient._caller.line  # type: ignore[attr-defined]
    assert patient._caller.patience != impatient._caller.patience  # type: ignore[attr-defined]
    assert light_aws.client("dynamodb") is patient
    light_aws.forget()
