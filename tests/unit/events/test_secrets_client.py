"""Reading a secret."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.events import plenty
from zoom_common.errors import Unavailable
from zoom_common.events.aws_json_client import AwsCallFailed, AwsJsonClient
from zoom_common.events.secrets_client import SecretReader, secrets_manager_endpoint


class Client:
    def __init__(self, answer: dict[str, Any] | AwsCallFailed) -> None:
        self.answer = answer

    def call(self, target: str, payload: dict[str, Any], deadline: object) -> dict[str, Any]:
        assert (target, payload) == ("secretsmanager.GetSecretValue", {"SecretId": "arn:secret"})
        assert deadline
        if isinstance(self.answer, AwsCallFailed):
            raise self.answer
        return self.answer


def reader(answer: dict[str, Any] | AwsCallFailed) -> SecretReader:
    return SecretReader("arn:secret", cast("AwsJsonClient", Client(answer)))


def test_the_text_of_the_secret_is_read() -> None:
    """The current version, wrapped so that it does not show."""
    found = reader({"SecretString": "{}"}).read(plenty())
    assert found.reveal() == "{}"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (AwsCallFailed("secretsmanager", "AccessDeniedException"), "webhook_secrets_AccessDeniedException"),
        ({"SecretBinary": "AA=="}, "webhook_secrets_not_text"),
    ],
)
def test_what_cannot_be_read_is_unavailable(answer: dict[str, Any] | AwsCallFailed, reason: str) -> None:
    """The reason names the fault."""
    with pytest.raises(Unavailable) as caught:
        reader(answer).read(plenty())
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("environ", "region", "endpoint"),
    [
        ({}, "eu-central-1", "https://secretsmanager.eu-central-1.amazonaws.com"),
        ({}, "cn-north-1", "https://secretsmanager.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "eu-central-1", "http://127.0.0.1:4566"),
        ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://vpce.test/x"}, "eu-central-1", "https://vpce.test"),
    ],
)
def test_the_endpoint_follows_awss_variables(environ: dict[str, str], region: str, endpoint: str) -> None:
    """The service's own override, the general one, the region's endpoint."""
    assert secrets_manager_endpoint(environ, region) == endpoint
