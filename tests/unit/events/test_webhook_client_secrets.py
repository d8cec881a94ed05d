"""Reading a secret."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.events import plenty
from zoom_common.aws.json_client import AwsCallFailed, AwsJsonClient
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.client import SecretReader


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
