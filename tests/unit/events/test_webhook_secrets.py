"""The webhook secrets: their document and their cache."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.events import Clock, plenty
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.secrets import CachedSecrets, UnusableSecrets, parse_secrets
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import SigningSecret


def document(*values: str, app: str = "app") -> Secret:
    return Secret(json.dumps({"apps": [{"app": app, "secrets": [{"secret": value} for value in values]}]}))


def test_every_secret_of_every_app_is_found() -> None:
    """Dates are ISO, in UTC where they do not say otherwise."""
    text = {
        "apps": [
            {
                "app": "a",
                "secrets": [{"secret": "1", "until": "2026-01-01"}, {"secret": "2", "from": "2026-01-01T00:00Z"}],
            },
            {"app": "b", "secrets": [{"secret": "3", "from": "2026-01-01T02:00:00+02:00", "until": None}]},
        ]
    }
    new_year = 1_767_225_600.0
    assert parse_secrets(Secret(json.dumps(text))) == (
        SigningSecret("a", Secret("1"), None, new_year),
        SigningSecret("a", Secret("2"), new_year, None),
        SigningSecret("b", Secret("3"), new_year, None),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "webhook_secrets_malformed"),
        ("[]", "webhook_secrets_malformed"),
        ('{"apps":[{"app":"a","secrets":[{"secret":""}]}]}', "webhook_secrets_malformed"),
        ('{"apps":[{"app":"a","secrets":[{"secret":"x","from":"soon"}]}]}', "webhook_secrets_malformed"),
        ('{"apps":[{"app":"a","secrets":["x"]}]}', "webhook_secrets_malformed"),
        ('{"apps":[]}', "webhook_secrets_empty"),
        (
            '{"apps":[{"app":"a","secrets":[{"secret":"x"}]},{"app":"b","secrets":[{"secret":"x"}]}]}',
            "webhook_secret_shared_by_two_apps",
        ),
    ],
)
def test_an_unusable_document_is_named(text: str, reason: str) -> None:
    """The fault is told, the content is not; one secret cannot speak for two apps."""
    with pytest.raises(UnusableSecrets) as caught:
        parse_secrets(Secret(text))
    assert str(caught.value) == caught.value.reason == reason
    assert caught.value.__cause__ is None


class Source:
    def __init__(self) -> None:
        self.answer: Any = document("one")
        self.reads = 0

    def read(self, deadline: Deadline) -> Secret:
        assert deadline
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        found: Secret = self.answer
        return found


def cached() -> tuple[CachedSecrets, Source, Clock]:
    source, clock = Source(), Clock()
    return CachedSecrets(source.read, clock=clock), source, clock


def values(secrets: CachedSecrets) -> list[str]:
    return [secret.value.reveal() for secret in secrets.current(plenty())]


def test_secrets_are_read_once_in_five_minutes() -> None:
    """A delivery does not cost a call to Secrets Manager."""
    secrets, source, clock = cached()
    for _ in range(3):
        assert values(secrets) == ["one"]
        clock.now += 100
    assert source.reads == 1
    clock.now += 1
    source.answer = document("two")
    assert values(secrets) == ["two"]


def test_old_secrets_serve_while_new_ones_cannot_be_read() -> None:
    """Old secrets are used for an hour, with repeated tries to read and a report, and not longer."""
    secrets, source, clock = cached()
    values(secrets)
    source.answer = Unavailable(reason="webhook_secrets_unreachable")
    clock.now += 301
    assert values(secrets) == values(secrets) == ["one"]
    assert secrets.stale
    assert secrets.failure == "webhook_secrets_unreachable"
    assert source.reads == 2
    clock.now += 3600
    with pytest.raises(Unavailable):
        values(secrets)
    source.answer = document("two")
    clock.now += 16
    assert values(secrets) == ["two"]
    assert not secrets.stale


def test_without_any_secrets_every_delivery_asks() -> None:
    """A container that starts during an outage recovers with the first answer."""
    secrets, source, _ = cached()
    source.answer = Secret("nonsense")
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            values(secrets)
        assert caught.value.reason == "webhook_secrets_malformed"
    source.answer = document("one")
    assert values(secrets) == ["one"]


def test_a_rotation_is_seen_at_once_and_forgeries_cannot_hammer() -> None:
    """What fails to verify is worth one look at the secrets, at most every fifteen seconds."""
    secrets, source, clock = cached()
    values(secrets)
    assert secrets.newer(plenty()) is None
    assert source.reads == 1
    clock.now += 16
    assert secrets.newer(plenty()) is None
    source.answer = document("two")
    assert secrets.newer(plenty()) is None
    clock.now += 16
    newer = secrets.newer(plenty())
    assert newer is not None
    assert newer[0].value.reveal() == "two"
    assert source.reads == 3
