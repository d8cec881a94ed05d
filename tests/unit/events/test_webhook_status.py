"""The status of Zoom's deliveries: what is measured, and what callers get to see."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.fakes.connections import World
from tests.fakes.edge_stores import MemoryWebhookStatus
from zoom_common.events.webhook.status import (
    AppStatus,
    WebhookHealth,
    covered_until,
    described,
    fingerprint,
    verified_apps,
)
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import SigningSecret

NOW = 1_900_000_000.0
DAY = 86_400.0


def secret(text: str = "s", app: str = "A", starts: float | None = None, ends: float | None = None) -> SigningSecret:
    return SigningSecret(app, Secret(text), starts, ends)


@dataclass
class Look:
    """One hourly look after another. `written` is when the secret was last put."""

    secrets: list[SigningSecret]
    webhook_status: MemoryWebhookStatus = field(default_factory=lambda: MemoryWebhookStatus(clock=lambda: NOW))
    written: float = NOW - 10 * DAY
    now: float = NOW

    def __call__(self) -> dict[tuple[str, str], float]:
        measured: dict[tuple[str, str], float] = {}
        health = WebhookHealth(
            webhook_status=self.webhook_status,
            secrets=lambda: (self.secrets, self.written),
            measure=lambda name, seconds, **of: measured.update({(name, "".join(of.values())): seconds}),
            clock=lambda: self.now,
        )
        assert health.look() == sorted({each.app for each in self.secrets})
        return measured


def test_each_app_is_measured_by_itself() -> None:
    """Challenge and delivery in seconds ago, the oldest secret, refusals by reason; nothing of what never was."""
    webhook_status = MemoryWebhookStatus(clock=lambda: NOW)
    webhook_status.set("app#A", challenged_at=NOW - 4 * DAY, verified_at=NOW - 60)
    webhook_status.set("endpoint", rejected_wrong_signature_at=NOW - 5)
    assert Look([secret(), secret("t", app="B")], webhook_status)() == {
        ("WebhookRejectedAge", "wrong_signature"): 5,
        ("WebhookChallengeAge", "A"): 4 * DAY,
        ("WebhookVerifiedAge", "A"): 60,
        ("WebhookSecretAge", "A"): 10 * DAY,
        ("WebhookSecretAge", "B"): 10 * DAY,
    }


def test_a_secret_keeps_its_age_when_another_joins_it() -> None:
    """Rotation writes the document anew: what was there before is as old as it was."""
    look = Look([secret("old")])
    look()
    look.secrets, look.written, look.now = [secret("old"), secret("new")], NOW, NOW + 60
    assert look()["WebhookSecretAge", "A"] == 10 * DAY + 60
    assert look.webhook_status.of_app("A").secrets_since == {
        fingerprint(Secret("old")): NOW - 10 * DAY,
        fingerprint(Secret("new")): NOW,
    }
    look.secrets, look.written = [secret("new")], NOW + 30
    assert look()["WebhookSecretAge", "A"] == 60
    written = look.webhook_status.remembered
    look()
    assert look.webhook_status.remembered == written  # nothing new, nothing written


def test_a_secret_that_says_since_when_is_believed() -> None:
    """And one that is not active yet has no age."""
    look = Look([secret("now", starts=NOW - DAY), secret("later", starts=NOW + DAY)])
    assert look()["WebhookSecretAge", "A"] == DAY


@pytest.mark.parametrize(
    ("secrets", "until"),
    [
        ([secret()], None),
        ([secret(ends=NOW + 5)], NOW + 5),
        ([secret(ends=NOW + 5), secret("t")], None),
        ([secret(ends=NOW + 5), secret("t", starts=NOW + 4)], None),
        ([secret(ends=NOW + 5), secret("t", starts=NOW + 6)], NOW + 5),
        ([secret(ends=NOW + 5), secret("t", starts=NOW + 5, ends=NOW + 9)], NOW + 9),
        ([secret(ends=NOW - 1)], NOW),
        ([secret(starts=NOW + 1)], NOW),
    ],
)
def test_until_when_deliveries_can_be_verified(secrets: list[SigningSecret], until: float | None) -> None:
    """Without a gap: a successor that starts too late does not count."""
    assert covered_until(secrets, NOW) == until
    measured = Look(secrets)()
    assert measured.get(("WebhookSecretTimeLeft", "A")) == (None if until is None else until - NOW)


def test_a_connection_shows_its_apps_deliveries() -> None:
    """Ages in seconds, what never was as null; overdue after 72 hours; never a secret."""
    connection = replace(World().item, client_id="A", last_webhook_at=NOW - 7)
    apps = {"A": AppStatus(NOW - 3 * DAY - 1, NOW - 2, {fingerprint(Secret("hush")): NOW - DAY})}
    reported = described([connection], apps, {"wrong_signature": NOW - 9}, now=NOW)
    [shown] = reported["connections"]
    assert shown["id"] == connection.connection_id
    assert (shown["last_webhook_age_seconds"], shown["last_verified_age_seconds"]) == (7, 2)
    assert (shown["last_challenge_age_seconds"], shown["challenge_overdue"]) == (3 * DAY + 1, True)
    assert shown["last_challenge_at"] == "2030-03-14T17:46:39Z"
    [one] = shown["secrets"]
    assert (one["in_use_since"], one["age_seconds"]) == ("2030-03-16T17:46:40Z", DAY)
    assert reported["rejections"] == [
        {"reason": "wrong_signature", "last_rejected_at": "2030-03-17T17:46:31Z", "last_rejected_age_seconds": 9}
    ]
    assert "hush" not in json.dumps(reported)
    [never] = described([replace(connection, last_webhook_at=None)], {"A": AppStatus()}, {}, now=NOW)["connections"]
    assert (never["last_webhook_at"], never["last_challenge_age_seconds"], never["secrets"]) == (None, None, [])
    assert never["challenge_overdue"] is False


def test_what_was_verified_is_read_off_the_messages() -> None:
    """The newest of each app; what reconcile made is no sign of life, and a foreign message is none either."""

    def message(app: str, at: int, **more: str) -> dict[str, object]:
        attributes = {"app": app, "received_at": str(at), **more}
        return {"messageAttributes": {name: {"stringValue": value} for name, value in attributes.items()}}

    records: list[dict[str, Any]] = [
        message("A", 5_000),
        message("A", 7_000),
        message("B", 6_000),
        message("B", 9_000, reconciled="true"),
        message("C", 9_000, reconciled="true"),
        {"messageAttributes": {"app": {"stringValue": "D"}}},
        {},
    ]
    assert verified_apps(records) == {"A": 7.0, "B": 6.0}
