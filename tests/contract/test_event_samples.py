"""Every event that Zoom documents goes through, with members and types as in its sample."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from tests.contract import facts
from tests.fakes.event_stores import Connection, Connections, Hosts, Log, Projections
from tests.fakes.events import APP, Bus, Clock, Counts, plenty, record
from zoom_common.connections.store import ConnectionStore
from zoom_common.events.processor import EventProcessor
from zoom_common.events.routing import Route, routes
from zoom_common.zoom.event_keys import dedupe_key
from zoom_common.zoom.event_redaction import Redaction
from zoom_common.zoom.events import parse

# Of these Zoom names neither host nor operator nor account: nothing says whose they are.
OWNERLESS = {
    "app.authorization_request_created",
    "endpoint.url_validation",
    "meeting.rtms_concurrency_near_limit",
    "meeting.rtms_interrupted",
    "meeting.rtms_stopped",
    "webinar.rtms_interrupted",
    "webinar.rtms_stopped",
}
# And these are about nothing that has an id.
SUBJECTLESS = {
    "app.authorization_request_created",
    "endpoint.url_validation",
    "meeting.rtms_concurrency_near_limit",
    "recording.batch_deleted",
    "recording.batch_recovered",
    "recording.batch_trashed",
    "recording.cloud_storage_usage_updated",
}

samples = pytest.mark.parametrize("name", sorted(facts.SAMPLES))


def delivery(name: str) -> bytes:
    """The body of a delivery."""
    return json.dumps(facts.sample(name)).encode()


class Everyone:
    """A vault where every user and every account is connected."""

    def by_zoom_user(self, client_id: str, zoom_user_id: str) -> Connection | None:
        assert client_id == APP
        return Connection("acme", f"con_{zoom_user_id}")

    def by_folded_user(self, client_id: str, zoom_user_id: str, account_id: str | None) -> Connection | None:
        assert account_id is not None  # presence writes ids in lower case, and the account decides between two users
        return self.by_zoom_user(client_id, zoom_user_id)

    def by_account(self, client_id: str, account_id: str) -> list[Connection]:
        assert client_id == APP
        return [Connection("acme", f"con_{account_id}", kind="account")]


@samples
def test_a_sample_says_what_it_is(name: str) -> None:
    """Name, time, user and subject are read from every sample."""
    event = parse(delivery(name))
    assert event.name == name
    assert event.occurred_at_ms
    assert bool(event.users or event.account_id) is (event.name not in OWNERLESS)
    assert bool(event.subject) is (event.name not in SUBJECTLESS)


@samples
def test_a_sample_that_names_only_a_meeting_is_its_hosts(name: str) -> None:
    """For people with a connection of their own, chat, quality and realtime streams are routed like the meeting."""
    event = parse(delivery(name))
    if event.users or not event.meeting_names:
        return
    hosts = Hosts({(APP, name): "host-1" for name in event.meeting_names[-1:]})
    vault = Connections(users={(APP, "host-1"): Connection("acme", "con_a")})
    assert routes(event, APP, vault, hosts) == [Route("acme", "con_a")]


@samples
def test_a_sample_is_published_once(name: str) -> None:
    """With all of its content but its secrets, however often and with whatever token it is delivered."""
    bus, counts = Bus(), Counts()
    processor = EventProcessor(
        log=Log(Clock()),
        connections=cast("ConnectionStore", Everyone()),
        hosts=Hosts(),
        projections=Projections(),
        publisher=bus,
        redaction=Redaction(),
        count=counts.count,
        report=counts.report,
    )
    body = delivery(name)
    again = json.dumps({**json.loads(body), "download_token": "another"}).encode()
    assert processor.process([record(body), record(again, message="m-2")], plenty()) == []
    if name in OWNERLESS:
        assert counts.totals == {"EventUnrouted": 1}
        return
    (event,) = bus.events
    assert event.detail_type == name
    assert event.data == Redaction().apply(json.loads(body))
    assert not {"download_token", "password", "recording_play_passcode", "start_url"} & _names(event.data)


def test_no_two_samples_are_one_event() -> None:
    """Each has a key of its own."""
    keys = [dedupe_key(parse(delivery(name))) for name in facts.SAMPLES]
    assert len(set(keys)) == len(keys)


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    if isinstance(value, list):
        return set().union(*map(_names, value))
    return set()
