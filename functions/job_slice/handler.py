"""Runs one step of a job for the state machine, and watches for jobs whose execution has died."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.principal import Principal
from zoom_common.archive import discovery
from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.model import Connection
from zoom_common.edge.call_log import Logged
from zoom_common.edge.zoom_api import ZoomApiSettings
from zoom_common.events.bus import BusPublisher
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.keys import REGISTRANT, partition
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.settlement import SettledPublisher
from zoom_common.events.reconciliation.unrouted_replay import IngestQueue
from zoom_common.events.reconciliation.zoom_reader import ZoomReader
from zoom_common.events.routing import HostStore
from zoom_common.jobs import backfill, registrants
from zoom_common.jobs.engine_client import Executions, JobFiles
from zoom_common.jobs.files import ledger
from zoom_common.jobs.model import LANES, Job, Row
from zoom_common.jobs.row_work import RowWork
from zoom_common.jobs.rows import KEY_REVOKED, RowCalls
from zoom_common.jobs.runner import SliceRunner, revive
from zoom_common.jobs.store import JobStore
from zoom_common.ratelimit.quotas import DailyStore
from zoom_common.settings import optional, require
from zoom_common.wiring.archive import Archive, ArchiveSettings
from zoom_common.wiring.gateway import gateway
from zoom_common.zoom.operations.model import MULTIPART
from zoom_common.zoom.operations.table import operations


@dataclass(frozen=True, slots=True)
class Settings:
    """`slice_seconds` is how long a slice works, `lease_seconds` how long the function may live."""

    zoom_api: ZoomApiSettings
    events_table: str
    state_machine: str
    bucket: str
    event_bus: str
    ingest_queue_url: str
    projection_retention_days: int
    event_retention_days: int
    slice_seconds: float
    lease_seconds: float

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            zoom_api=ZoomApiSettings.from_env(environ),
            events_table=require(environ, "EVENTS_TABLE"),
            state_machine=require(environ, "JOBS_STATE_MACHINE"),
            bucket=require(environ, "JOBS_BUCKET"),
            event_bus=require(environ, "EVENT_BUS"),
            ingest_queue_url=require(environ, "INGEST_QUEUE_URL"),
            projection_retention_days=int(optional(environ, "PROJECTION_RETENTION_DAYS", "400")),
            event_retention_days=int(optional(environ, "EVENT_RETENTION_DAYS", "30")),
            slice_seconds=float(optional(environ, "SLICE_SECONDS", "240")),
            lease_seconds=float(optional(environ, "LEASE_SECONDS", "300")),
        )


@cache
def settings() -> Settings:
    """Return this container's settings."""
    return Settings.from_env(os.environ)


@cache
def store() -> JobStore:
    """Return the store of jobs."""
    return JobStore(Table(clients.client("dynamodb"), settings().events_table, EVENTS))


@cache
def key_store() -> ApiKeyStore:
    """Return the store of API keys."""
    return ApiKeyStore(Table(clients.client("dynamodb"), settings().zoom_api.connections_table, CONNECTIONS))


@cache
def executions() -> Executions:
    """Return the client of the workflow engine."""
    return Executions(clients.boto3_client("stepfunctions"), settings().state_machine)


@cache
def registrants_sync() -> registrants.RegistrantSync:
    """Return the work of `registrants.sync`."""
    events = Table(clients.client("dynamodb"), settings().events_table, EVENTS)
    projections = ProjectionStore(events)
    shared = Table(clients.client("dynamodb"), settings().zoom_api.coordination_table, COORDINATION)

    def cancelled(job: Job, number: str) -> Collection[str]:
        return set(registrants.cancelled_in(projections.read(job.tenant, partition(number), REGISTRANT)))

    return registrants.RegistrantSync(
        publish=BusPublisher(settings().event_bus, clients.client("events")).publish,
        cancelled=cancelled,
        changes=DailyStore(shared),
        operations={each.name: each for each in operations()},
    )


@cache
def past() -> backfill.Backfill:
    """Return the work of `backfill`."""
    events = Table(clients.client("dynamodb"), settings().events_table, EVENTS)
    bus = BusPublisher(settings().event_bus, clients.client("events"))
    return backfill.Backfill(
        projections=ProjectionStore(events, retention_days=settings().projection_retention_days),
        lines=LogIndex(events),
        hosts=HostStore(events, clock=time.time, retention_days=settings().event_retention_days),
        publisher=SettledPublisher(EventLog(events, clock=time.time), bus.publish, time.time),
        send=IngestQueue(settings().ingest_queue_url, clients.boto3_client("sqs")).send,
        rules=settings().zoom_api.budget,
        days=DailyStore(Table(clients.client("dynamodb"), settings().zoom_api.coordination_table, COORDINATION)),
        archive=archived(),
    )


def archived() -> backfill.Archive | None:
    """Return what archives the recordings of a window, or None where the archive is off."""
    if not optional(os.environ, "ARCHIVE_QUEUE_URL"):
        return None
    archive = Archive(ArchiveSettings.from_env(os.environ))

    def window(connection: Connection, reader: ZoomReader, user: str, since: date, until: date) -> int:
        return discovery.backfill(archive.discovery, connection, reader, user, since=since, until=until)

    return window


@cache
def runner() -> SliceRunner:
    """Return the runner of slices, made once per container."""
    calls, *more_calls = [_lane() for _ in range(LANES)]
    files = JobFiles(clients.boto3_client("s3"), settings().bucket)
    return SliceRunner(
        store=store(),
        calls=calls,
        more_calls=more_calls,
        at_once=in_threads,
        row_work=lambda slice_: RowWork(slice_).run(),
        operations={each.name: each for each in operations() if not each.own and each.media != MULTIPART},
        key_refusal=_key_refusal,
        start=executions().start,
        read_file=files.read,
        delete_file=files.delete,
        clock=time.time,
        monotonic=time.monotonic,
        new_owner=lambda: secrets.token_hex(8),
        works={registrants.NAME: registrants_sync(), backfill.NAME: past()},
        slice_seconds=settings().slice_seconds,
        lease_seconds=settings().lease_seconds,
    )


def _lane() -> RowCalls:
    """Return the calls of a lane. Only one thread at a time uses its gateway."""
    zoom = gateway(settings().zoom_api)
    return RowCalls(
        gateway=zoom, send=Logged(zoom).call, clock=time.time, monotonic=time.monotonic, ids_of_job=_ids_of_job
    )


def in_threads(tasks: Sequence[Callable[[], list[Row]]]) -> list[list[Row]]:
    """Carry out tasks at the same time. Return when all have ended, also when one of them has failed.

    A task that went on after its slice would be frozen with the container, and continue when another slice has its
    rows.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(tasks))) as pool:
        begun = [pool.submit(copy_context().run, each) for each in tasks]
    return [each.result() for each in begun]


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Run a slice and answer the state of the execution, or check all jobs (`{"action": "watch"}`)."""
    observability.begin_correlation(str(event.get("job", "")), getattr(context, "aws_request_id", ""))
    if event.get("action") == "watch":
        return {"revived": revive(store(), executions().start, now=time.time())}
    tenant, job, run = str(event["tenant"]), str(event["job"]), int(event["run"])
    step = runner().run(tenant, job, run)
    return {"tenant": tenant, "job": job, "run": run, "next": step.next, "seconds": step.seconds}


def _key_refusal(principal: Principal) -> str | None:
    """Return why the caller who made a job may not continue, or None. People who signed in have no key to revoke."""
    if not principal.is_key:
        return None
    key = key_store().get(principal.subject.removeprefix("key:"))
    return KEY_REVOKED if key is None or key.ended(now=time.time()) else None


def _ids_of_job(job: Job) -> Collection[str]:
    return {row.ids["id"] for row in ledger(store(), job) if "id" in row.ids}
