"""An empty AWS account in moto, reached by boto3's clients and by the light ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto import mock_aws

from tests.fakes.moto_line import MotoLine
from zoom_common import aws, light_aws

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
    monkeypatch.setattr(light_aws, "Connection", MotoLine)
    forget_clients()
    with mock_aws():
        yield
    forget_clients()


def forget_clients() -> None:
    """Make the next `aws.client` a new one."""
    cached: Any
    for cached in (aws.client, aws.impatient_dynamodb, aws._session):
        cached.cache_clear()
    light_aws.forget()
