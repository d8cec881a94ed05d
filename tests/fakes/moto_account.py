"""An empty AWS account in moto, reached by boto3's clients and by the light ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto import mock_aws

from tests.fakes.moto_line import MotoLine
from zoom_common.aws import clients

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
}


@contextmanager
def moto_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that asks AWS gets moto; clients of before and of then are forgotten."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clients, "Connection", MotoLine)
    forget_clients()
    with mock_aws():
        yield
    forget_clients()


def forget_clients() -> None:
    """Make the next `aws.client` a new one."""
    clients.forget()
