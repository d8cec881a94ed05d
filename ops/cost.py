"""`make cost`: what a month costs, from the requests of one call, webhook and connection, and from list prices.

Requests of a call and a sweep are those that tests/counts hold the code to; times are those of docs/benchmarks.md
(`ops/measured.py` reads them); the rest is read from the code. Prices are inputs (`--prices FILE` takes others): those
of us-east-1 as known when this was written, to be checked before use.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

from ops.console import say
from ops.measured import ARRIVAL, ARRIVALS, DELIVERY, READ, REFRESH, Measured, batch_of, measured
from ops.project import ROOT

# US dollars, us-east-1, without free tiers.
PRICES: Mapping[str, float] = {
    "lambda_requests_million": 0.20,
    "lambda_gb_second_arm64": 0.0000133334,
    "http_api_million": 1.00,
    "dynamodb_write_million": 0.625,
    "dynamodb_read_million": 0.125,
    "dynamodb_gb_month": 0.25,
    "dynamodb_pitr_gb_month": 0.20,
    "sqs_million": 0.40,
    "eventbridge_million": 1.00,
    "kms_requests_million": 3.00,
    "kms_key_month": 1.00,
    "secret_month": 0.40,
    "scheduler_million": 1.00,
    "logs_gb": 0.50,
    "alarm_month": 0.10,
    "metric_month": 0.30,
    "dashboard_month": 3.00,
}
# SnapStart for Python: a version is paid for while it is active, by the function's memory, and so is each restore.
# https://aws.amazon.com/lambda/pricing/
SNAPSHOT_GB_SECOND, RESTORE_GB = 0.0000015046, 0.0001397998
_MILLION = 1_000_000
# Bytes that the webhook writes to its log, and that the processor writes for a batch, whose events are of two types.
WEBHOOK_LOG, BATCH_LOG = 150, 2 * 57
# A delivery to a subscription on one core, by `python -m benchmarks.subscriptions`: signed, over a new TLS connection,
# and recorded by one request to DynamoDB with boto3. The machine was busy with other work; idle, it took 3.3.
DELIVERY_CORE_MS = 4.6
# Lambda gives a function a whole core at this size, and a share of one below it.
_WHOLE_CORE_MB = 1769
_MEMORY_MB = 512


# What an unused stack still measures: one metric per sweep, three per hour about the webhook, and five by the daily
# rollup, paid for one hour of 24, because CloudWatch bills a metric by the hours in which it has data.
# https://aws.amazon.com/cloudwatch/pricing/
ASLEEP_METRICS = 1 + 3 + 5 / 24


@cache
def _resources() -> list[dict[str, Any]]:
    return list(yaml_parse((ROOT / "template.yaml").read_text())["Resources"].values())


def in_template(kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type in the template, without those that need an option."""
    return [each for each in _resources() if each["Type"] == kind and each.get("Condition", "OnAws") == "OnAws"]


def memory_of(function: str) -> int:
    """Return the MB that the template gives to the function in the folder `functions/<function>`."""
    for each in in_template("AWS::Serverless::Function"):
        if each["Properties"]["CodeUri"] == f"functions/{function}":
            return int(each["Properties"].get("MemorySize", _MEMORY_MB))
    return _MEMORY_MB


def queue_polls() -> float:
    """Return the requests of Lambda's pollers a month without messages: five long polls of 20 s for each queue.

    A queue with a maximum concurrency is never polled with fewer.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    """
    functions = in_template("AWS::Serverless::Function")
    events = [event for function in functions for event in function["Properties"].get("Events", {}).values()]
    queues = sum("Enabled" not in event["Properties"] for event in events)  # the others need options that are off
    return queues * 5 * 30 * 86_400 / 20


def on_lambda(core_ms: float, *, waits: float = 0, aws_ms: float = 0, memory_mb: int = _MEMORY_MB) -> float:
    """Return the milliseconds that Lambda bills: processor time at this size, and so many waits for an AWS service."""
    return core_ms * _WHOLE_CORE_MB / memory_mb + waits * aws_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What one of something asks of AWS: invocations, their GB milliseconds, DynamoDB's units, bytes of log."""

    lambdas: float = 0
    gb_ms: float = 0
    api: float = 0
    writes: float = 0
    reads: float = 0
    sqs: float = 0
    bus: float = 0
    kms: float = 0
    log_bytes: float = 0

    def dollars(self, prices: Mapping[str, float], times: float) -> dict[str, float]:
        """Return the cost of so many, by service."""
        seconds = times * self.gb_ms / 1000
        return {
            "Lambda": times * self.lambdas / _MILLION * prices["lambda_requests_million"]
            + seconds * prices["lambda_gb_second_arm64"],
            "HTTP API": times * self.api / _MILLION * prices["http_api_million"],
            "DynamoDB": times * self.writes / _MILLION * prices["dynamodb_write_million"]
            + times * self.reads / _MILLION * prices["dynamodb_read_million"],
            "SQS": times * self.sqs / _MILLION * prices["sqs_million"],
            "EventBridge": times * self.bus / _MILLION * prices["eventbridge_million"],
            "KMS": times * self.kms / _MILLION * prices["kms_requests_million"],
            "Logs": times * self.log_bytes / 1e9 * prices["logs_gb"],
        }


def units(
    *,
    zoom_ms: float,
    core_ms: float,
    aws_ms: float,
    batch: float,
    event_ms: float | None = None,
    found: Mapping[str, Measured] | None = None,
) -> dict[str, Unit]:
    """One API call, one webhook, one connection's month. `zoom_ms` is how long Zoom takes: Lambda bills the wait.

    `core_ms` and `event_ms` are processor time of a call and an event; the latter is measured unless it is given.
    `found` is what was measured, by default what the page says.
    """
    found = found or measured()
    read, refresh, delivery = found[READ], found[REFRESH], found[DELIVERY]
    events = batch_of(batch, found[ARRIVAL], found[ARRIVALS])
    each = events.core_ms / batch if event_ms is None else event_ms

    def gb_ms(function: str, core: float, waits: float, other_ms: float = 0) -> float:
        """Return GB milliseconds of an invocation of `function`, which waits for somebody else as well."""
        memory = memory_of(function)
        return (on_lambda(core, waits=waits, aws_ms=aws_ms, memory_mb=memory) + other_ms) * memory / 1024

    call = gb_ms("zoom_api", core_ms, read.waits, zoom_ms)
    event = gb_ms("event_processor", each, events.waits / batch)
    webhook = gb_ms("webhook", delivery.core_ms, delivery.waits)
    refreshed = gb_ms("token_refresh", refresh.core_ms, refresh.waits, zoom_ms)
    return {
        # Connection read consistently and send slot taken at once and, while Zoom answers, usage written; for one of
        # two calls the authorizer's answer is cached.
        "API call": Unit(lambdas=1.5, gb_ms=call, api=1, writes=2, reads=1.5, log_bytes=900),
        # SQS: sent by the webhook and by the bus, and received and deleted by the batch on both queues. DynamoDB: the
        # units that tests/counts counts: by the size of each item, also where a request reads or writes many.
        "webhook": Unit(
            lambdas=1 + 1 / batch,
            gb_ms=webhook + event,
            writes=3,
            reads=3.5,
            sqs=2 + 4 / batch,
            bus=1,
            log_bytes=WEBHOOK_LOG + BATCH_LOG / batch,
        ),
        # A refresh every hour of forty active hours a week; a lease, an intent, a write and the index.
        "connection": Unit(
            lambdas=2 * 170,
            gb_ms=170 * refreshed,
            writes=170 * 6,
            reads=170 * 2,
            sqs=170 * 3,
            kms=170 * 4,
            log_bytes=170 * 600,
        ),
    }


def delivery(*, endpoint_ms: float, core_ms: float, aws_ms: float, batch: float) -> Unit:
    """Return the unit of one delivery at the first try: its record, a share of the batch and its subscriptions.

    A record has the endpoint's answer, so that every other one is larger than a KB. The event itself is part of the
    webhook's cost; the bus puts it into one more queue.
    """
    return Unit(
        lambdas=1 / batch,
        gb_ms=(endpoint_ms + on_lambda(core_ms, waits=1, aws_ms=aws_ms)) * _MEMORY_MB / 1024,
        writes=1.5,
        reads=1 / batch,
        sqs=1 + 2 / batch,
        log_bytes=600 / batch,
    )


def standing(prices: Mapping[str, float], *, functions: int, alarms: int, metrics: float) -> dict[str, float]:
    """Return the cost of a stack that nobody calls."""
    sweeps = 30 * 24 * 12
    return {
        "KMS keys": len(in_template("AWS::KMS::Key")) * prices["kms_key_month"],
        "secrets": len(in_template("AWS::SecretsManager::Secret")) * prices["secret_month"],
        "alarms": alarms * prices["alarm_month"],
        "custom metrics": metrics * prices["metric_month"],
        "dashboards": len(in_template("AWS::CloudWatch::Dashboard")) * prices["dashboard_month"],
        "sweep": sweeps
        * (
            (16 * prices["dynamodb_read_million"] + prices["scheduler_million"] + prices["lambda_requests_million"])
            / _MILLION
            + 0.3 * 0.5 * prices["lambda_gb_second_arm64"]
        ),
        "queue polls": queue_polls() / _MILLION * prices["sqs_million"],
        "cold starts": functions * 30 * 0.5 * 0.5 * prices["lambda_gb_second_arm64"],
    }


def snapstart(*, restores: float = 0) -> dict[str, float]:
    """Return dollars a month of the parameter SnapStart: one version of each function that has it, and restores.

    Old versions are paid for too, until they are deleted or AWS drops their snapshots.
    """
    sizes = [
        each["Properties"].get("MemorySize", _MEMORY_MB) / 1024
        for each in in_template("AWS::Serverless::Function")
        if "SnapStart" in each["Properties"]
    ]
    month = 30 * 86_400
    return {
        "snapshots": sum(sizes) * month * SNAPSHOT_GB_SECOND,
        "restores": restores * sum(sizes) / len(sizes) * RESTORE_GB,
    }


def archive_terabyte(prices: Mapping[str, float], *, megabytes_a_second: float) -> dict[str, float]:
    """Return the dollars for moving a terabyte of recordings into the archive, by service, besides S3's storage.

    The worker is billed for as long as Zoom sends. Each part of 32 MiB is one write of the ledger, of an item below 2
    KB. A run of 260 seconds receives its message once, hides it twice, and asks Zoom for a link through the gateway's
    own stores (a key, a connection, a send slot, a counter).
    """
    seconds, parts = 1e12 / (megabytes_a_second * 1e6), 1e12 / (32 * 1024 * 1024)
    runs = seconds / 260
    return {
        "Lambda": seconds * _MEMORY_MB / 1024 * prices["lambda_gb_second_arm64"]
        + runs / _MILLION * prices["lambda_requests_million"],
        "DynamoDB": (parts * 2 + runs * 12) / _MILLION * prices["dynamodb_write_million"]
        + runs * 20 / _MILLION * prices["dynamodb_read_million"],
        "SQS, KMS": runs / _MILLION * (4 * prices["sqs_million"] + prices["kms_requests_million"]),
    }


def bill(arguments: argparse.Namespace, prices: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return the dollars a month, by cause and by service."""
    of_one = units(
        zoom_ms=arguments.zoom_ms,
        core_ms=arguments.core_ms,
        event_ms=arguments.event_ms,
        aws_ms=arguments.aws_ms,
        batch=arguments.batch,
    )
    return {
        f"{arguments.calls:g} million API calls": of_one["API call"].dollars(prices, arguments.calls * _MILLION),
        f"{arguments.webhooks:g} million webhooks": of_one["webhook"].dollars(prices, arguments.webhooks * _MILLION),
        f"{arguments.connections:g} thousand connections": of_one["connection"].dollars(
            prices, arguments.connections * 1000
        ),
        f"{arguments.deliveries:g} million deliveries": delivery(
            endpoint_ms=arguments.endpoint_ms,
            core_ms=DELIVERY_CORE_MS,
            aws_ms=arguments.aws_ms,
            batch=arguments.batch,
        ).dollars(prices, arguments.deliveries * _MILLION),
        "standing": standing(
            prices,
            functions=len(in_template("AWS::Serverless::Function")),
            alarms=arguments.alarms,
            metrics=arguments.metrics,
        ),
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of the model's inputs, with their defaults."""
    parser = argparse.ArgumentParser(prog="make cost", description=__doc__)
    parser.add_argument("--calls", type=float, default=1, help="API calls a month, in millions")
    parser.add_argument("--webhooks", type=float, default=1, help="webhooks a month, in millions")
    parser.add_argument("--connections", type=float, default=1, help="active connections, in thousands")
    parser.add_argument("--deliveries", type=float, default=1, help="deliveries to subscriptions a month, in millions")
    parser.add_argument("--endpoint-ms", type=float, default=100, help="how long a subscriber's endpoint takes")
    parser.add_argument("--zoom-ms", type=float, default=250, help="how long Zoom takes to answer")
    parser.add_argument(
        "--core-ms", type=float, default=measured()[READ].core_ms, help="our processor time for a call, measured"
    )
    parser.add_argument("--event-ms", type=float, help="the same for an event (default: as measured for the batch)")
    parser.add_argument(
        "--aws-ms", type=float, default=5, help="how long a DynamoDB request takes, assumed; other waits follow"
    )
    parser.add_argument("--batch", type=float, default=5, help="messages that event_processor gets at once")
    parser.add_argument(
        "--alarms", type=int, default=len(in_template("AWS::CloudWatch::Alarm")), help="alarms on one metric"
    )
    parser.add_argument("--metrics", type=float, default=40, help="custom metrics in use, by name and value")
    parser.add_argument("--asleep", action="store_true", help="a stack that nobody uses")
    parser.add_argument("--prices", type=Path, help="a JSON file with other prices")
    return parser


def main() -> int:
    """Print the bill."""
    arguments = parser().parse_args()
    if arguments.asleep:
        arguments.calls = arguments.webhooks = arguments.connections = arguments.deliveries = 0
        arguments.metrics = ASLEEP_METRICS
    prices = {**PRICES, **(json.loads(arguments.prices.read_text()) if arguments.prices else {})}
    total = 0.0
    for cause, services in bill(arguments, prices).items():
        total += sum(services.values())
        say(f"{cause:28} {sum(services.values()):9.2f} $")
        for service, dollars in services.items():
            if dollars >= 0.01:  # noqa: PLR2004 - a cent
                say(f"    {service:24} {dollars:9.2f} $")
    say(f"{'a month':28} {total:9.2f} $")
    return 0


if __name__ == "__main__":
    sys.exit(main())
