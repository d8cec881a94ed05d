"""The container's clients: as whom they call, and what they share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from zoom_common.aws import clients
from zoom_common.aws.sigv4 import Credentials
from zoom_common.secret import Secret

_LAMBDA = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_SESSION_TOKEN": "t",
}


def test_the_role_comes_from_lambdas_variables() -> None:
    """The credentials, with their session token, come from Lambda's environment variables."""
    assert clients.credentials(_LAMBDA)() == Credentials("AKID", Secret("s"), Secret("t"))


def test_without_variables_boto3_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function restored from a snapshot gets its credentials from boto3."""
    frozen = SimpleNamespace(access_key="A", secret_key="s", token="t")
    session = SimpleNamespace(get_credentials=lambda: SimpleNamespace(get_frozen_credentials=lambda: frozen))
    monkeypatch.setattr(clients, "_session", lambda: session)
    ask = clients.credentials({"AWS_REGION": "eu-central-1"})
    assert ask() == Credentials("A", Secret("s"), Secret("t"))
    monkeypatch.setattr(clients, "_session", lambda: SimpleNamespace(get_credentials=lambda: None))
    with pytest.raises(OSError, match="no credentials"):
        ask()


def test_two_clients_of_a_service_share_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their retry policies differ, TLS is shaken once, and a client is made once per container."""
    for name, value in _LAMBDA.items():
        monkeypatch.setenv(name, value)
    clients.forget()
    patient, impatient = clients.client("dynamodb"), clients.impatient_dynamodb()
    assert patient._caller.connection is impatient._caller.connection  # type: ignore[attr-defined]
    assert patient._caller.policy != impatient._caller.policy  # type: ignore[attr-defined]
    assert clients.client("dynamodb") is patient
    clients.forget()


@pytest.mark.parametrize(
    ("endpoint", "begin"),
    [
        (None, "https://files.s3.eu-central-1.amazonaws.com/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&"),
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566/files/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&"),
    ],
)
def test_signed_addresses_name_the_buckets_regional_host(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, begin: str
) -> None:
    """A page sends its file there without being redirected; an emulator is addressed by path."""
    for name, value in _LAMBDA.items():
        monkeypatch.setenv(name, value)
    if endpoint is None:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    clients.forget()
    s3 = clients.boto3_client("s3")
    clients.forget()
    address = s3.generate_presigned_url("put_object", Params={"Bucket": "files", "Key": "a"}, ExpiresIn=60)
    assert address.startswith(begin)
