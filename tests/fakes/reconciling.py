"""A room of the gateway that takes deliveries and is reconciled with a Zoom, all in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.fakes.event_stores import Connection, Connections, Hosts, Log, Projections
from tests.fakes.events import APP, Bus, Clock, Counts, plenty, record
from tests.fakes.meeting_life import HOST
from zoom_common.deadline import Deadline
from zoom_common.events.log.index import LogPage
from zoom_common.events.log.query import LogLine, LogQuery
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projections.keys import INSTANCE, partition
from zoom_common.events.projections.meeting import Meeting
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.reconciliation.reconciler import Reconciled, Reconciler
from zoom_common.events.reconciliation.settlement import SettledPublisher
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.event_redaction import Redaction

HELD = ("started", "ended", "participant_joined", "participant_left")
FOUND_AGAIN = {*(f"{family}.{name}" for family in ("meeting", "webinar") for name in HELD), "recording.completed"}
# Zoom reports these nowhere: the zone and planned length of an instance, how a recording was made, and by whom.
REPORTED_NOWHERE = {"timezone", "duration", "capture", "host_email", "updated_at"}
# Of comparing with the report itself.
COMPARED = {"settled_at", "report"}
# Of a file without an id, a timeline, it reports nothing but that it is there.
OF_TIMELINES = {"file_size", "recording_type", "status"}


class Reports(Protocol):
    """A Zoom that is asked what there was."""

    def read(self, path: str) -> Mapping[str, Any] | None:
        """One GET under /v2; None for what is not there."""
        ...


@dataclass(frozen=True)
class Seen:
    """The connection that is reconciled."""

    tenant: str = "acme"
    connection_id: str = "con_a"
    client_id: str = APP
    zoom_user_id: str | None = HOST
    zoom_account_id: str = "acc-1"


@dataclass
class Lines:
    """A log that tells of some meetings, or of none."""

    subjects: Sequence[str] = ()
    uuid: str | None = None

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        assert (owner, reach) == ("acme", frozenset({"con_a"}))
        return LogPage(
            [
                LogLine("evt_" + "0" * 32, "zoom.meeting.started", query.since_ms, subject=each, uuid=self.uuid)
                for each in self.subjects
            ]
        )


class Room:
    """A processor, its projections, and a reconciler that feeds it."""

    def __init__(self, clock: Clock, seen: Seen | None = None) -> None:
        self.connection = seen or Seen()
        self.clock, self.bus, self.projections = clock, Bus(), Projections()
        self.counts, self.sent, self.settled = Counts(), 0, Bus()
        self.loses = False
        self.log, self.hosts = Log(self.clock), Hosts()
        self.processor = EventProcessor(
            log=self.log,
            connections=self._vault(),
            hosts=self.hosts,
            projections=self.projections,
            publisher=self.bus,
            redaction=Redaction(),
            count=self.counts.count,
            report=self.counts.report,
        )

    def _vault(self) -> Connections:
        user, account = self.connection.zoom_user_id, self.connection.zoom_account_id
        if user is None:
            return Connections(accounts={(APP, account): [Connection("acme", "con_a", kind="account")]})
        return Connections(users={(APP, user): Connection("acme", "con_a")})

    def deliver(self, bodies: Sequence[bytes]) -> None:
        for body in bodies:
            assert self.processor.process([record(body)], plenty()) == []

    def send(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self.sent += 1
            if self.loses:
                continue
            attributes = {
                name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
                for name, value in delivery.to_message()["MessageAttributes"].items()
            }
            message = {"messageId": "m", "body": delivery.to_message()["MessageBody"], "messageAttributes": attributes}
            assert self.processor.process([message], plenty()) == []

    def reconcile(
        self, zoom: Reports, deadline: Deadline | None = None, *subjects: str, uuid: str | None = None
    ) -> Reconciled:
        reconciler = Reconciler(
            projections=self.projections,
            lines=Lines(subjects, uuid),
            hosts=self.hosts,
            publisher=SettledPublisher(self.log, self.settled.publish, self.clock),
            send=self.send,
            clock=self.clock,
        )
        return reconciler.reconcile(self.connection, zoom.read, deadline or plenty())


def name_of(body: bytes) -> str:
    """Zoom's name for the event."""
    return str(json.loads(body)["event"])


def seen_of(room: Room, number: int) -> list[Any]:
    """State, recordings and every instance's attendance of one meeting, as the API shows them."""
    reader = MeetingReader(room.projections)
    held = Meeting(str(number), room.projections.read("acme", partition(str(number)), INSTANCE)).instances()
    return [
        reader.state("acme", str(number)),
        reader.recordings("acme", str(number)),
        [reader.attendance("acme", str(number), each.uuid) for each in held],
    ]


def reported(view: Any, *, administrator: bool, inside: str = "") -> Any:
    """A view without what Zoom does not report; the minutes of people and sessions stay.

    Customer keys are for administrators.
    """
    if isinstance(view, dict):
        hidden = COMPARED if inside in {"participants", "sessions"} else COMPARED | REPORTED_NOWHERE
        hidden = hidden | (set() if administrator else {"customer_key"})
        hidden = hidden | (OF_TIMELINES if view.get("file_type") == "TIMELINE" else set())
        return {
            name: reported(value, administrator=administrator, inside=name)
            for name, value in view.items()
            if name not in hidden
        }
    if isinstance(view, list):
        return [reported(each, administrator=administrator, inside=inside) for each in view]
    return view
