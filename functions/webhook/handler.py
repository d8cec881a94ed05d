"""The endpoint that Zoom delivers its events to."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from functools import cache

from zoom_common.aws.endpoints import endpoint, host_and_port
from zoom_common.aws.https import Connection, contexts
from zoom_common.aws.json_client import AwsJsonClient
from zoom_common.aws.sigv4 import Credentials, Scope
from zoom_common.deadline import Deadline
from zoom_common.events.webhook.client import SecretReader, SqsIngestQueue
from zoom_common.events.webhook.receiver import MetricLines, Receiver
from zoom_common.events.webhook.secrets import CachedSecrets
from zoom_common.observability import metrics_namespace
from zoom_common.settings import optional, require
from zoom_common.values import dataclass

TYPE_CHECKING = False  # without importing `typing`
if TYPE_CHECKING:
    from typing import Any

    from zoom_common.events.webhook.client import StatusWriter


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_env` raises MissingSetting."""

    ingest_queue_url: str
    webhook_secret_arn: str
    coordination_table: str
    region: str
    service: str
    namespace: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings in a function's environment."""
        return cls(
            ingest_queue_url=require(environ, "INGEST_QUEUE_URL"),
            webhook_secret_arn=require(environ, "ZOOM_WEBHOOK_SECRET_ARN"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            region=require(environ, "AWS_REGION"),
            service=optional(environ, "POWERTOOLS_SERVICE_NAME", "webhook"),
            namespace=metrics_namespace(environ),
        )


# Zoom waits three seconds for an answer.
_SECONDS = 2.6


@cache
def settings() -> Settings:
    """What the environment says, read once."""
    return Settings.from_env(os.environ)


@cache
def sqs() -> AwsJsonClient:
    """The kept-alive connection to SQS."""
    return _client("sqs", "1.0")


@cache
def secrets() -> CachedSecrets:
    """The webhook secrets of every Zoom app."""
    client = _client("secretsmanager", "1.1")
    return CachedSecrets(SecretReader(settings().webhook_secret_arn, client).read, clock=time.time)


@cache
def metrics() -> MetricLines:
    """Counts as lines of the log."""
    return MetricLines(settings().service, settings().namespace, write=sys.stdout.write, clock=time.time)


@cache
def receiver() -> Receiver:
    """The container's receiver."""
    return Receiver(
        secrets=secrets(),
        queue=SqsIngestQueue(settings().ingest_queue_url, sqs()),
        metrics=metrics(),
        clock=time.time,
        status_notes=StatusNotes(),
    )


class StatusNotes:
    """Challenges and refusals, noted for `GET /webhooks`. Rare: what they take is loaded with the first of them."""

    def challenged(self, app: str, deadline: Deadline) -> None:
        """Zoom checked the endpoint."""
        from zoom_common.events.webhook.client import CHALLENGED, app_status_key  # noqa: PLC0415

        sign_writer().note(app_status_key(app), CHALLENGED, deadline)

    def rejected(self, reason: str, deadline: Deadline) -> None:
        """Somebody else knocked, or Zoom with a secret that we do not have."""
        from zoom_common.events.webhook.client import ENDPOINT, rejected_at  # noqa: PLC0415

        sign_writer().note(ENDPOINT, rejected_at(reason), deadline)


@cache
def sign_writer() -> StatusWriter:
    """The connection to DynamoDB; it opens with the first note."""
    from zoom_common.events.webhook.client import StatusWriter  # noqa: PLC0415

    table = _client("dynamodb", "1.0")
    return StatusWriter(settings().coordination_table, table, clock=time.time)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes both
    """Verify, answer the challenge or enqueue, and answer 200; see the receiver for every other outcome."""
    answer = receiver().receive(event, Deadline.after(_SECONDS)).to_event()
    sys.stdout.flush()
    return answer


def _client(service: str, protocol: str) -> AwsJsonClient:
    address = endpoint(service, os.environ)
    place = address.partition("://")[2]
    return AwsJsonClient(
        scope=Scope(service, settings().region),
        host=place,
        protocol=protocol,
        connection=Connection(address, contexts(host_and_port(place)[0], os.environ)),
        credentials=lambda: Credentials.from_env(os.environ),
        clock=time.time,
    )


def _warm_up() -> None:
    """Shake TLS and read the secrets while Lambda starts the container: that time is ours, with a full core."""
    sqs().warm()
    secrets().newer(Deadline.after(_SECONDS))
    metrics().measure("InitDurationWebhook", _age_ms())


def _age_ms() -> int:
    """How long ago this process began, in milliseconds: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html."""
    with open("/proc/self/stat", encoding="ascii") as stat:  # noqa: PTH123 - pathlib is no part of its start
        began = int(stat.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return int((time.clock_gettime(time.CLOCK_BOOTTIME) - began) * 1000)


# The one thing that happens at import, and only in a Lambda that is starting; a snapshot must not hold connections.
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") in {"on-demand", "provisioned-concurrency"}:
    _warm_up()
