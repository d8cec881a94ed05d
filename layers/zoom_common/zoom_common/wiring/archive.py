"""Builds the archive once per container, for the function that shows recordings and the one that moves files."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoom_common import observability
from zoom_common.access.principal import EVERY_SCOPE, Principal
from zoom_common.archive.catalogue import Catalogue
from zoom_common.archive.discovery import Discovery, NotShown, link_of, recordings_path
from zoom_common.archive.downloads_client import DownloadClient, Link
from zoom_common.archive.ledger import Ledger, Settling
from zoom_common.archive.model import ArchivedFile, ArchivedRecording, FileState
from zoom_common.archive.policy import PolicyStore
from zoom_common.archive.retention import Retention
from zoom_common.archive.transfer import Moved, Transfer, TransferQueue
from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.connections.model import ALIVE, Connection
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones
from zoom_common.deadline import Deadline
from zoom_common.edge.zoom_api import ZoomApiSettings
from zoom_common.errors import ConnectionUnusable, NotFound
from zoom_common.events.bus import BusPublisher
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.zoom_reader import AccessDenied, Read
from zoom_common.gateway.background_reads import reading
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Gateway
from zoom_common.settings import require
from zoom_common.wiring.gateway import gateway
from zoom_common.zoom.operations.table import match

# The longest time of one step of the sweep at Zoom, in seconds.
_STEP_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Tables, the bucket, the queue of files and the bus."""

    zoom_api: ZoomApiSettings
    events_table: str
    bucket: str
    queue_url: str
    event_bus: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ArchiveSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            zoom_api=ZoomApiSettings.from_env(environ),
            events_table=require(environ, "EVENTS_TABLE"),
            bucket=require(environ, "ARCHIVE_BUCKET"),
            queue_url=require(environ, "ARCHIVE_QUEUE_URL"),
            event_bus=require(environ, "EVENT_BUS"),
        )

    @property
    def coordination_table(self) -> str:
        """The table that counts requests of keys with a limit."""
        return self.zoom_api.coordination_table


class Archive:
    """All collaborators of one container. Each is made when it is first used."""

    def __init__(self, settings: ArchiveSettings) -> None:
        self._settings = settings
        dynamodb = clients.boto3_client("dynamodb")
        events = Table(dynamodb, settings.events_table, EVENTS)
        table = Table(dynamodb, settings.zoom_api.connections_table, CONNECTIONS)
        self.connections = ConnectionStore(table)
        self.ledger = Ledger(events)
        self.policies = PolicyStore(events)
        self.queue = TransferQueue(clients.boto3_client("sqs"), settings.queue_url)
        self._log = EventLog(events, clock=time.time)
        self._meetings = MeetingReader(ProjectionStore(events), clock=time.time)
        self._gateway: Gateway | None = None
        self.settling = Settling(
            ledger=self.ledger,
            policies=self.policies,
            publish=BusPublisher(settings.event_bus, clients.boto3_client("events")).publish,
            clock=time.time,
        )
        self.discovery = Discovery(
            ledger=self.ledger,
            policies=self.policies,
            settling=self.settling,
            tombstones=Tombstones(table),
            enqueue=self.queue.enqueue,
            clock=time.time,
        )

    def catalogue(self) -> Catalogue:
        """Return what reads the archive for people."""
        return Catalogue(
            ledger=self.ledger, storage=clients.bucket(self._settings.bucket), participants=self._participants
        )

    def retention(self) -> Retention:
        """Return what ends copies, here and at Zoom."""
        return Retention(
            ledger=self.ledger,
            settling=self.settling,
            storage=clients.bucket(self._settings.bucket),
            at_zoom=self,
            enqueue=self.queue.enqueue,
            clock=time.time,
        )

    def transfer(self) -> Transfer:
        """Return what copies files."""
        return Transfer(
            ledger=self.ledger,
            settling=self.settling,
            storage=clients.bucket(self._settings.bucket),
            downloads=DownloadClient(self._settings.zoom_api.zoom_api_base_url),
            links=self._link,
            clock=time.time,
            new_owner=lambda: secrets.token_hex(8),
            report=report,
        )

    def content(self, tenant: str, event_id: str) -> Mapping[str, Any] | None:
        """Return the data of an event that was published without it, or None when the log does not have it any more."""
        entry = self._log.get(tenant, event_id)
        found = json.loads(entry.content) if entry is not None else {}
        data = found.get("data")
        return data if isinstance(data, dict) else None

    def read(self, connection: Connection, deadline: Deadline) -> Read:
        """Return a function that reads at Zoom over a connection. It raises as `background_reads.reading` says."""
        return reading(self._calls(), _worker(connection), deadline)

    def files(self, recording: ArchivedRecording) -> Mapping[str, Any] | None:
        """Return Zoom's list of a recording's files, or None when Zoom has none.

        Raises GatewayError and AccessDenied.
        """
        connection = self._connection(recording)
        return self.read(connection, Deadline.after(_STEP_SECONDS))(recordings_path(recording.uuid))

    def remove(self, recording: ArchivedRecording, *, for_ever: bool) -> None:
        """Move a recording to Zoom's trash, or delete it permanently. Raises GatewayError."""
        connection = self._connection(recording)
        operation, ids = match("DELETE", recordings_path(recording.uuid))
        call = Call(
            principal=_worker(connection),
            operation=operation,
            ids=ids,
            query_string=f"action={'delete' if for_ever else 'trash'}",
            deadline=Deadline.after(_STEP_SECONDS),
        )
        self._calls().call(call)

    def _link(self, recording: ArchivedRecording, file: ArchivedFile, deadline: Deadline) -> tuple[Link, int | None]:
        """Ask Zoom for a link over one of the connections that reported the recording."""
        failed: Exception = NotShown("no_connection")
        for connection in self._usable(recording):
            try:
                return link_of(self.read(connection, deadline), recording, file)
            except (NotShown, ConnectionUnusable, NotFound) as error:
                failed = error
        raise failed

    def _connection(self, recording: ArchivedRecording) -> Connection:
        for connection in self._usable(recording):
            return connection
        raise AccessDenied("no_connection")

    def _usable(self, recording: ArchivedRecording) -> Iterator[Connection]:
        for name in sorted(recording.connections):
            connection = self.connections.get(recording.tenant, name)
            if connection is not None and connection.state in ALIVE:
                yield connection

    def _calls(self) -> Gateway:
        self._gateway = self._gateway or gateway(self._settings.zoom_api)
        return self._gateway

    def _participants(self, recording: ArchivedRecording) -> Sequence[Mapping[str, Any]]:
        try:
            found = self._meetings.attendance(recording.tenant, recording.meeting_id, recording.uuid)
        except NotFound:
            return []
        people = found["participants"]
        return [
            {"name": each.get("name"), "user_id": each.get("id"), "email": each.get("user_email")} for each in people
        ]


def _worker(connection: Connection) -> Principal:
    """Return the principal with which the archive works for a connection."""
    return Principal(connection.tenant, "job:archive", frozenset({EVERY_SCOPE}), connection=connection.connection_id)


def report(file: ArchivedFile, moved: Moved) -> None:
    """Count what a run did, and log it. A file is named by ids, never by topic or host."""
    if moved.bytes:
        observability.count("ArchivedBytes", moved.bytes)
    observability.count("ArchiveRuns", state=str(moved.state))
    if moved.state is FileState.FAILED:
        observability.count("ArchiveFailed")
    observability.logger().info(
        "archive run",
        recording=file.recording_id,
        file=file.file_id,
        state=str(moved.state),
        reason=file.reason,
        bytes=moved.bytes,
        moved=file.moved,
        total=file.total,
        tries=file.tries,
    )
