"""From the queue to the bus, with workers that are killed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.event_stores import Connection, Connections, Crash, Hosts, Log, Projections
from tests.fakes.events import APP, NOW, Bus, Clock, Counts, meeting, plenty, record
from tests.fakes.soak import times
from zoom_common.deadline import Deadline
from zoom_common.events.processor import EventProcessor
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.event_keys import former_keys
from zoom_common.zoom.event_redaction import KINDS, Redaction
from zoom_common.zoom.events import parse

STARTED = meeting("meeting.started")


@dataclass
class Room:
    """A processor and all it touches; two tenants, a Zoom user each."""

    clock: Clock = field(default_factory=Clock)
    bus: Bus = field(default_factory=Bus)
    counts: Counts = field(default_factory=Counts)
    redaction: Redaction = field(default_factory=Redaction)
    hosts: Hosts = field(default_factory=Hosts)

    def __post_init__(self) -> None:
        self.log = Log(self.clock)
        self.projections = Projections()
        self.connections = Connections(
            users={
                (APP, "host-1"): Connection("acme", "con_a"),
                (APP, "host-2"): Connection("globex", "con_g"),
            }
        )

    def process(self, *records: dict[str, Any], deadline: Deadline | None = None) -> list[str]:
        processor = EventProcessor(
            log=self.log,
            connections=self.connections,
            hosts=self.hosts,
            projections=self.projections,
            publisher=self.bus,
            redaction=self.redaction,
            count=self.counts.count,
            report=self.counts.report,
        )
        return processor.process(records, deadline or plenty())

    def published(self) -> list[tuple[str, str]]:
        return [(event.tenant, event.detail_type) for event in self.bus.events]

    def kept(self) -> list[str]:
        return [owner for owner, _ in self.log.entries]


def test_an_event_is_published_to_its_tenant() -> None:
    """The CloudEvent has Zoom's body, its time and its subject."""
    room = Room()
    assert room.process(record(STARTED)) == []
    (event,) = room.bus.events
    assert (event.tenant, event.connection_id, event.source) == ("acme", "con_a", f"/zoom/{APP}")
    assert (event.type, event.subject) == ("zoom.meeting.started", "meetings/85746065")
    assert event.time == "2026-09-21T14:13:19.000Z"
    assert event.data == json.loads(STARTED)
    assert event.correlation_id == "r-1"  # as the webhook knew the delivery
    assert room.counts.totals == {"EventPublished": 1}


def test_a_duplicate_changes_nothing() -> None:
    """Whenever it comes, in one batch or days later."""
    room = Room()
    assert room.process(record(STARTED), record(STARTED, message="m-2")) == []
    room.clock.now += 86_400
    assert room.process(record(STARTED, message="m-3")) == []
    assert len(room.bus.events) == 1
    assert room.counts.totals["EventDuplicate"] == 1


def test_a_duplicate_is_not_acknowledged_before_the_first_is_published() -> None:
    """Another worker has the event in hand: if that one dies, this message is the event's second life."""
    room = Room()
    room.bus.crash = True
    with pytest.raises(Crash):
        room.process(record(STARTED))
    room.bus.crash = False
    assert room.process(record(STARTED, message="m-2")) == ["m-2"]
    assert room.bus.events == []
    room.clock.now += 61
    assert room.process(record(STARTED, message="m-2")) == []
    assert room.published() == [("acme", "meeting.started")]


def test_duplicates_in_one_batch_share_its_fate() -> None:
    """When the first cannot be published, both messages come back."""
    room = Room()
    room.bus.refusing = {"meeting.started"}
    other = record(meeting("meeting.ended"), message="m-3")
    assert room.process(record(STARTED), record(STARTED, message="m-2"), other) == ["m-1", "m-2"]
    assert room.published() == [("acme", "meeting.ended")]
    assert room.counts.totals == {"EventPublished": 1, "EventNotPublished": 1}


def test_killed_after_publishing_the_same_event_is_published_again() -> None:
    """Same id and same content, even if the redelivery is a twin with another token: nobody counts it twice."""
    room = Room()
    twin = json.dumps({**json.loads(STARTED), "download_token": "other"}).encode()
    room.log.crash_on_finish = True
    with pytest.raises(Crash):
        room.process(record(STARTED))
    room.log.crash_on_finish = False
    room.clock.now += 61
    assert room.process(record(twin, message="m-2", received_at_ms=int(NOW * 1000) + 5)) == []
    first, second = room.bus.events
    assert first == second


def test_each_tenant_gets_its_own_event() -> None:
    """Host and operator may belong to two tenants: two events, with ids of their own."""
    body = {**json.loads(STARTED)}
    body["payload"]["operator_id"] = "host-2"
    room = Room()
    assert room.process(record(json.dumps(body).encode())) == []
    assert {event.tenant for event in room.bus.events} == {"acme", "globex"}
    assert len({event.id for event in room.bus.events}) == 2


def test_an_event_of_nobody_is_kept_apart_and_counted_once() -> None:
    """Not published, not dropped: someone has to look why it came."""
    room = Room()
    stranger = meeting("meeting.started", host="stranger", password="p")
    assert room.process(record(stranger), record(stranger, message="m-2")) == []
    assert room.process(record(stranger, message="m-3")) == []
    assert room.bus.events == []
    assert room.kept() == [f"unrouted.{APP}"]
    assert room.counts.totals == {"EventUnrouted": 1, "EventDuplicate": 1}
    (entry,) = room.log.entries.values()
    assert json.loads(entry.content)["payload"]["object"]["host_id"] == "stranger"
    assert b"password" not in entry.content


def test_the_echo_of_a_disconnect_alarms_nobody() -> None:
    """Zoom tells of the removed app when its connection is gone: kept, and not counted as an event of nobody."""
    room = Room()
    gone = {"event": "app_deauthorized", "payload": {"user_id": "gone", "account_id": "acc-1", "signature": "s"}}
    assert room.process(record(json.dumps(gone).encode())) == []
    assert room.kept() == [f"unrouted.{APP}"]
    assert room.counts.totals == {"DeauthorizationOfNobody": 1}


def test_another_apps_secret_reaches_no_tenant_of_this_one() -> None:
    """The app that verified decides, whatever host and account the event names."""
    room = Room()
    assert room.process(record(STARTED, app="OtherApp")) == []
    assert room.bus.events == []
    assert room.kept() == ["unrouted.OtherApp"]


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"event":7}', b"\xff\x00", b"[" * 200_000])
def test_a_malformed_body_is_kept_as_it_is(body: bytes) -> None:
    """It is Zoom's word, and somebody will want to see it; it crashes nothing and comes back never."""
    room = Room()
    assert room.process(record(body), record(body, message="m-2"), record(STARTED, message="m-3")) == []
    assert room.published() == [("acme", "meeting.started")]
    assert room.kept()[0] == f"malformed.{APP}"
    assert next(iter(room.log.entries.values())).content == body
    assert room.counts.totals["EventMalformed"] == 1


def test_an_unknown_event_is_published_as_it_is() -> None:
    """Zoom has new ones every month."""
    room = Room()
    assert room.process(record(meeting("meeting.hologram_joined", hologram={"size": [1, None, 2.5]}))) == []
    (event,) = room.bus.events
    assert event.type == "zoom.meeting.hologram_joined"
    assert event.data is not None
    assert event.data["payload"]["object"]["hologram"] == {"size": [1, None, 2.5]}


def test_secrets_are_not_published_unless_asked_for() -> None:
    """Secrets are removed on the bus and in the log."""
    body = meeting("meeting.created", password="secret-1", join_url="https://zoom.us/j/1?pwd=secret-2")
    room, open_room = Room(), Room(redaction=Redaction(KINDS))
    room.process(record(body))
    open_room.process(record(body))
    assert "secret" not in room.bus.events[0].to_json()
    assert not any(b"secret" in entry.content for entry in room.log.entries.values())
    assert open_room.bus.events[0].data == json.loads(body)
    assert open_room.bus.events[0].id == room.bus.events[0].id


def test_a_table_that_is_down_brings_messages_back() -> None:
    """The vault's or the log's: nothing is guessed, nothing is lost."""
    room = Room()
    room.connections.down = True
    assert room.process(record(STARTED)) == ["m-1"]
    room.connections.down, room.log.down = False, True
    assert room.process(record(STARTED)) == ["m-1"]
    assert [report["reason"] for report in room.counts.reports] == ["connections_table", "events_table"]
    room.log.down = False
    assert room.process(record(STARTED)) == []
    assert len(room.bus.events) == 1


def test_a_foreign_message_comes_back_until_it_is_dead() -> None:
    """Only the webhook writes to the queue; its neighbours are not touched."""
    room = Room()
    foreign = {"messageId": "m-0", "body": "{}", "messageAttributes": {}}
    assert room.process(foreign, record(STARTED)) == ["m-0"]
    assert room.published() == [("acme", "meeting.started")]
    assert room.counts.totals["EventFailed"] == 1


def test_what_there_is_no_time_for_comes_back() -> None:
    """Lambda would kill the worker in the middle of it otherwise."""
    room = Room()
    times = iter([0.0, 25.0])
    deadline = Deadline(30.0, clock=lambda: next(times))
    assert room.process(record(STARTED), record(meeting("meeting.ended"), message="m-2"), deadline=deadline) == ["m-2"]
    assert room.published() == [("acme", "meeting.started")]


def _names(room: Room) -> Sequence[str]:
    return sorted({event.id for event in room.bus.events})


@settings(max_examples=times(60), deadline=None)
@given(
    deliveries=st.lists(st.integers(0, 5), min_size=1, max_size=25),
    faults=st.lists(st.sampled_from(["none", "bus", "finish", "refuse"]), min_size=1, max_size=12),
)
def test_killed_at_random_nothing_is_lost_and_nothing_counts_twice(deliveries: list[int], faults: list[str]) -> None:
    """Whatever is delivered how often, and wherever workers die, the published ids are the genuine events exactly."""
    bodies = [meeting("meeting.updated", ts=1_789_999_999_000 + number) for number in range(6)]
    queue = [record(bodies[number], message=f"m-{place}") for place, number in enumerate(deliveries)]
    room = Room()
    for fault in [*faults, "none", "none"]:
        room.bus.crash, room.log.crash_on_finish = fault == "bus", fault == "finish"
        room.bus.refusing = {"meeting.updated"} if fault == "refuse" else set()
        batch, queue = queue[:10], queue[10:]
        try:
            failed = room.process(*batch)
        except Crash:
            failed = [item["messageId"] for item in batch]
        queue += [item for item in batch if item["messageId"] in failed]
        room.clock.now += 200
    room.bus.crash = room.log.crash_on_finish = False
    room.bus.refusing = set()
    while queue:
        failed = room.process(*queue[:10])
        queue = queue[10:] + [item for item in queue[:10] if item["messageId"] in failed]
        room.clock.now += 200
    clean = Room()
    for number in sorted(set(deliveries)):
        clean.process(record(bodies[number]))
    assert _names(room) == _names(clean)
    assert len({event.to_json() for event in room.bus.events}) == len(set(deliveries))


CHAT = json.dumps(
    {
        "event": "meeting.chat_message_sent",
        "event_ts": 1_789_999_999_001,
        "payload": {
            "account_id": "acc-1",
            "object": {"id": 85746065, "uuid": "uu/id==", "chat_message": {"text": "Hi"}},
        },
    }
).encode()


def test_an_event_without_a_user_goes_where_its_meeting_goes() -> None:
    """Once an event of the meeting has told whose it is; before that it is kept apart, and counted."""
    room = Room()
    assert room.process(record(CHAT)) == []
    assert (room.published(), room.counts.totals) == ([], {"EventUnrouted": 1})
    assert room.process(record(STARTED, message="m-2"), record(CHAT, message="m-3")) == []
    assert room.published() == [("acme", "meeting.started"), ("acme", "meeting.chat_message_sent")]


def test_meetings_of_strangers_are_not_learned() -> None:
    """Who is not connected has no use for it, and need not be remembered."""
    room = Room()
    room.process(record(meeting("meeting.started", host="stranger")))
    assert room.hosts.known == {}


def test_what_was_kept_apart_keeps_its_id_when_it_is_tried_again() -> None:
    """The copy that was kept has no passcode, and is the event it was: a late twin of Zoom's is a duplicate."""
    room = Room()
    updated = meeting("meeting.updated", host="late", password="s3cret")
    room.process(record(updated))
    [kept] = room.log.entries.values()
    assert b"s3cret" not in kept.content
    room.connections.connect_user(APP, "late", Connection("acme", "con_l"))
    again = Delivery(APP, kept.content, kept.received_at_ms, key=kept.key).to_message()
    attributes = {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in again["MessageAttributes"].items()
    }
    assert room.process({"messageId": "m-2", "body": again["MessageBody"], "messageAttributes": attributes}) == []
    assert room.process(record(updated, message="m-3")) == []
    assert room.published() == [("acme", "meeting.updated")]


PRESENCE = {
    "event": "user.presence_status_updated",
    "event_ts": 1_789_999_999_000,
    "payload": {"object": {"id": "host-1", "date_time": "2026-09-21T14:13:19Z", "presence_status": "Away"}},
}


def practised(minute: int) -> bytes:
    """A start of a webinar at this minute, under one UUID."""
    return meeting("webinar.started", start_time=f"2026-09-21T14:{minute:02}:00Z")


def stored_by_the_release_before(room: Room, body: bytes, *, finished: bool = True) -> None:
    """Keep an event as the release before kept it: under the key that it had then."""
    (former,) = former_keys(parse(body))
    room.log.crash_on_finish = not finished
    with nullcontext() if finished else pytest.raises(Crash):
        room.process(record(body, key=former))
    room.log.crash_on_finish = False
    room.bus.events.clear()


def recorded(status: str) -> bytes:
    """A recording of one file with this status."""
    return meeting("recording.completed", recording_files=[{"id": "f-1", "status": status}])


@pytest.mark.parametrize("body", [json.dumps(PRESENCE).encode(), practised(13), recorded("processing")])
def test_an_event_stored_under_its_former_key_is_a_duplicate(body: bytes) -> None:
    """During a deploy Zoom's retry meets an entry that the release before wrote."""
    room = Room()
    stored_by_the_release_before(room, body)
    assert room.process(record(body)) == []
    assert room.published() == []
    assert len(room.kept()) == 1


def test_an_unfinished_event_is_finished_under_its_former_key() -> None:
    """Its message comes back after the deploy, and subscribers see one id."""
    room = Room()
    stored_by_the_release_before(room, practised(13), finished=False)
    (kept,) = room.log.entries.values()
    room.clock.now += 61
    assert room.process(record(practised(13))) == []
    assert [event.id for event in room.bus.events] == [kept.event_id]


def test_a_second_start_is_published_although_the_first_has_the_former_key() -> None:
    """The former key of both is the same; what is stored under it is another event."""
    room = Room()
    stored_by_the_release_before(room, practised(13))
    assert room.process(record(practised(30)), record(practised(30), message="m-2")) == []
    assert room.published() == [("acme", "webinar.started")]


def test_a_completed_recording_is_published_although_it_was_stored_as_processing() -> None:
    """The release before stored the one that is still processing under the key that the completed one has today."""
    room = Room()
    stored_by_the_release_before(room, recorded("processing"))
    assert room.process(record(recorded("completed")), record(recorded("completed"), message="m-2")) == []
    assert room.published() == [("acme", "recording.completed")]
    assert room.process(record(recorded("processing"), message="m-3")) == []
    assert room.process(record(recorded("completed"), message="m-4")) == []
    assert len(room.bus.events) == 1


def test_a_recording_that_is_processing_is_no_duplicate_of_the_completed_one() -> None:
    """Zoom may deliver the two in either order."""
    room = Room()
    assert room.process(record(recorded("completed")), record(recorded("processing"), message="m-2")) == []
    assert room.published() == [("acme", "recording.completed")] * 2


@pytest.mark.parametrize(
    "event_ts",
    [None, "", "soon", -1, 0, 1.5e300, "0001-01-01T00:00:00+14:00", "12000-01-01T00:00:00Z", 316_520_000_000_000],
)
def test_no_time_makes_a_message_poison(event_ts: object) -> None:
    """The event is published with the time of receipt and acknowledged; of joins and ends as well."""
    room = Room()
    odd: dict[str, Any] = {
        "start_time": event_ts,
        "end_time": event_ts,
        "participant": {"user_id": "1", "join_time": event_ts},
    }
    for at, name in enumerate(("meeting.started", "meeting.participant_joined", "meeting.ended", "meeting.updated")):
        body = json.loads(meeting(name, **odd)) | {"event_ts": event_ts}
        assert room.process(record(json.dumps(body).encode(), message=f"m-{at}")) == []
    assert [event.time for event in room.bus.events] == ["2026-09-21T14:13:20.000Z"] * 4
