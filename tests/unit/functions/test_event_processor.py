"""The event processor function."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.event_stores import Connection, Connections, Hosts, Log, Projections
from tests.fakes.events import Bus, Clock, Counts
from tests.fakes.handlers import load
from zoom_common.deadline import Deadline
from zoom_common.events.processor import EventProcessor
from zoom_common.settings import MissingSetting
from zoom_common.zoom.event_redaction import Redaction

ROOT = Path(__file__).parents[3]
SAMPLES = sorted((ROOT / "events").glob("event-processor-*.json"))
# What each sample publishes, and what it is counted as.
OUTCOMES: dict[str, tuple[list[str], dict[str, int]]] = {
    "event-processor-batch": (["meeting.started", "recording.completed"], {"EventPublished": 2}),
    "event-processor-deauthorized": (["app_deauthorized"], {"EventPublished": 1}),
    "event-processor-malformed": ([], {"EventMalformed": 1}),
}
ENVIRONMENT = {
    "CONNECTIONS_TABLE": "connections",
    "EVENTS_TABLE": "events",
    "EVENT_BUS": "bus",
    "COORDINATION_TABLE": "coordination",
}


class Processor:
    def __init__(self, failed: list[str]) -> None:
        self.failed = failed
        self.seconds = 0.0

    def process(self, records: Sequence[dict[str, Any]], deadline: Deadline) -> list[str]:
        assert [record["messageId"] for record in records] == ["m-1", "m-2"]
        self.seconds = deadline.remaining()
        return self.failed


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class Seen:
    """StatusNotes and heartbeats: what was noted."""

    def __init__(self) -> None:
        self.apps: dict[str, float] = {}
        self.beats: list[str] = []

    def verified(self, app: str, at: float) -> None:
        self.apps[app] = at

    def beat(self, name: str) -> None:
        self.beats.append(name)


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What every module that is loaded here notes."""
    found = Seen()
    monkeypatch.setattr("zoom_common.heartbeats.Heartbeats.from_env", lambda *_, **__: found)
    monkeypatch.setattr("zoom_common.events.webhook.status.WebhookStatusStore", lambda *_: found)
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in {**ENVIRONMENT, **credentials, "AWS_DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.mark.parametrize("reconciled", [False, True])
def test_deliveries_of_zoom_are_noted_and_our_own_are_not(
    monkeypatch: pytest.MonkeyPatch, seen: Seen, *, reconciled: bool
) -> None:
    """What reconcile reconstructs says nothing about whether webhooks arrive."""
    module, processor = load("event_processor"), Processor([])
    monkeypatch.setattr(module, "processor", lambda: processor)
    values = {"app": "A", "received_at": "5000"} | ({"reconciled": "true"} if reconciled else {})
    attributes = {name: {"stringValue": value} for name, value in values.items()}
    records = [{"messageId": name, "messageAttributes": attributes} for name in ("m-1", "m-2")]
    module.handler({"Records": records}, Context())
    assert (seen.apps, seen.beats) == (({}, []) if reconciled else ({"A": 5.0}, ["webhook"]))


@pytest.mark.parametrize("failed", [[], ["m-2"]])
def test_only_failed_messages_come_back(monkeypatch: pytest.MonkeyPatch, failed: list[str]) -> None:
    """Lambda's answer for a partial batch, within the time Lambda gives."""
    module, processor = load("event_processor"), Processor(failed)
    monkeypatch.setattr(module, "processor", lambda: processor)
    answer = module.handler({"Records": [{"messageId": "m-1"}, {"messageId": "m-2"}]}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
    assert 0 < processor.seconds <= 30


def test_the_function_is_wired_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once per container, without a call to anything."""
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in {**ENVIRONMENT, **credentials, "AWS_DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(name, value)
    module = load("event_processor")
    assert module.processor() is module.processor()


def test_settings_have_defaults() -> None:
    """No secrets are published and events are kept for thirty days, unless the environment says otherwise."""
    found = load("event_processor").Settings.from_env(ENVIRONMENT)
    assert (found.published_secrets, found.retention_days) == (frozenset(), 30)
    asked = load("event_processor").Settings.from_env(
        {**ENVIRONMENT, "PUBLISHED_SECRETS": "passcodes, start_urls,", "EVENT_RETENTION_DAYS": "7"}
    )
    assert (asked.published_secrets, asked.retention_days) == (frozenset({"passcodes", "start_urls"}), 7)


@pytest.mark.parametrize("missing", sorted(ENVIRONMENT))
def test_a_missing_setting_is_named(missing: str) -> None:
    """The one who deploys learns which."""
    with pytest.raises(MissingSetting, match=missing):
        load("event_processor").Settings.from_env(
            {name: value for name, value in ENVIRONMENT.items() if name != missing}
        )


def test_every_sample_has_an_outcome() -> None:
    """None is left to rot."""
    assert {sample.stem for sample in SAMPLES} == set(OUTCOMES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_true(monkeypatch: pytest.MonkeyPatch, sample: Path) -> None:
    """Each is an SQS event as Lambda gets it, and does what its name says."""
    module, bus, counts = load("event_processor"), Bus(), Counts()
    processor = EventProcessor(
        log=Log(Clock()),
        connections=Connections(users={("SampleClientId", "SampleHostUser00000001"): Connection("acme", "con_a")}),
        hosts=Hosts(),
        projections=Projections(),
        publisher=bus,
        redaction=Redaction(),
        count=counts.count,
        report=counts.report,
    )
    monkeypatch.setattr(module, "processor", lambda: processor)
    answer = module.handler(json.loads(sample.read_text()), Context())
    assert answer == {"batchItemFailures": []}
    assert ([event.detail_type for event in bus.events], counts.totals) == OUTCOMES[sample.stem]
