"""A room of the gateway that takes deliveries and is reconciled with a Zoom, all in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.fakes.events import APP, Bus, Clock, Connection, Connections, Counts, Log, Projections, plenty, record
from tests.fakes.meeting_life import HOST
from zoom_common.deadline import Deadline
from zoom_common.events.ingest_message import Delivery
from zoom_common.events.log_index_store import LogPage
from zoom_common.events.log_query import LogLine, LogQuery
from zoom_common.events.processor import EventProcessor
from zoom_common.events.reconciliation.reconciler import Reconciled, Reconciler
from zoom_common.zoom.event_secrets import Redaction


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

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        assert (owner, reach) == ("acme", frozenset({"con_a"}))
        return LogPage(
            [LogLine("evt_" + "0" * 32, "zoom.meeting.started", query.since_ms, subject=each) for each in self.subjects]
        )


class Room:
    """A processor, its projections, and a reconciler that feeds it."""

    def __init__(self, clock: Clock, seen: Seen | None = None) -> None:
        self.connection = seen or Seen()
        self.clock, self.bus, self.projections = clock, Bus(), Projections()
        self.counts, self.sent = Counts(), 0
        self.processor = EventProcessor(
            log=Log(self.clock),
            connections=Connections(users={(APP, self.connection.zoom_user_id or ""): Connection("acme", "con_a")}),
            projections=self.projections,
            publisher=self.bus,
            redaction=Redaction(),
            count=self.counts.count,
            report=self.counts.report,
        )

    def deliver(self, bodies: Sequence[bytes]) -> None:
        for body in bodies:
            assert self.processor.process([record(body)], plenty()) == []

    def send(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self.sent += 1
            attributes = {
                name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
                for name, value in delivery.to_message()["MessageAttributes"].items()
            }
            message = {"messageId": "m", "body": delivery.to_message()["MessageBody"], "messageAttributes": attributes}
            assert self.processor.process([message], plenty()) == []

    def reconcile(self, zoom: Reports, deadline: Deadline | None = None, *subjects: str) -> Reconciled:
        reconciler = Reconciler(projections=self.projections, lines=Lines(subjects), send=self.send, clock=self.clock)
        return reconciler.reconcile(self.connection, zoom.read, deadline or plenty())
