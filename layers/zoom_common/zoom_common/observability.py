"""Logs, metrics and correlation ids. Powertools is imported with the first log line, because that takes 50 ms."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache

from zoom_common.values import dataclass

TYPE_CHECKING = False  # without importing `typing`, for the webhook's start

if TYPE_CHECKING:
    from typing import Any

    from aws_lambda_powertools import Logger

    from zoom_common.errors import InternalError

CORRELATION_HEADER = "x-correlation-id"

_USABLE = re.compile(r"[\w.=;:-]{1,128}", re.ASCII)

_correlation_id: ContextVar[str] = ContextVar("correlation", default="")


def correlation_id() -> str:
    """Return the id of the request or event that is being handled, or an empty text."""
    return _correlation_id.get()


def begin_correlation(*candidates: str) -> str:
    """Start handling a request or event: use and return the first candidate that may stand in a log as its id."""
    chosen = next((each for each in candidates if _USABLE.fullmatch(each)), "")
    _correlation_id.set(chosen)
    return chosen


COUNT, MILLISECONDS, SECONDS = "Count", "Milliseconds", "Seconds"

# What CloudWatch stores as metrics: what an alarm watches, and the dashboard's totals. Each costs 0.30 a month, so
# their number is bounded (docs/cost.md). All other counts are only in their log lines, where queries add them up.
TOTALS = frozenset(
    {
        *("ArchiveFailed", "ArchiveStuck", "ArchivedBytes"),
        *("AppFaults", "BudgetFallback", "ConnectionChangesUnpublished", "ConnectionUnheard", "ConnectionsDue"),
        *("Denied", "EventMalformed", "EventNotProjected", "EventUnrouted", "EventsReconciled"),
        *("GrantsWidelyRefused", "JobsPaused", "JobsRevived", "PairsUnplaced", "RevokesUnconfirmed"),
        *("UnexpectedErrors", "UsageRolledUp", "WebhookChallengeAge", "WebhookHealthUnknown", "WebhookSecretAge"),
        *("WebhookSecretTimeLeft", "WebhookVerifiedAge", "ZoomCalls", "ZoomLatency", "ZoomRateRefusals"),
        "ZoomWait",
        "SubscriptionsDisabled",
    }
)
# Counters with single values that are watched: the dimension, and the values.
VALUES = {
    "ConnectionStateChanges": ("state", frozenset({"reauthorization_required"})),
    "Refreshes": ("outcome", frozenset({"refresh_failing"})),
    "ZoomCalls": (
        "outcome",
        frozenset({"ok", "daily_limit", "outcome_unknown", "rate_budget_spent", "zoom_unavailable"}),
    ),
}


def dimension_sets(name: str, fields: Mapping[str, object]) -> list[list[str]]:
    """Return the sets of dimensions under which CloudWatch keeps a counter with these fields; none for most."""
    sets: list[list[str]] = [[]] if name in TOTALS else []
    if name in VALUES:
        dimension, watched = VALUES[name]
        if fields.get(dimension) in watched:
            sets.append([dimension])
    return sets


@dataclass(frozen=True, slots=True)
class Metrics:
    """Values by name with one unit each, counted once for every set of dimensions. The empty set is the total.

    Without a set they are fields of the line and not metrics.
    """

    values: Mapping[str, tuple[int, str]]
    dimensions: Sequence[Sequence[str]]

    def directive(self, namespace: str) -> dict[str, object]:
        """Return the description of the metrics for CloudWatch."""
        described = [{"Name": name, "Unit": unit} for name, (_, unit) in self.values.items()]
        return {"Namespace": namespace, "Dimensions": [list(each) for each in self.dimensions], "Metrics": described}


def metric_line(metrics: Sequence[Metrics], properties: Mapping[str, object], *, namespace: str, at: float) -> str:
    """Return one line for standard output. `at` is in epoch seconds; properties without a value are left out.

    `namespace` is the stack's. Only the namespace separates the numbers of two stacks of one account and region.
    """
    kept = [each.directive(namespace) for each in metrics if each.dimensions and each.values]
    document: dict[str, object] = {
        "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": kept} if kept else None,
        "correlation_id": correlation_id() or None,
        **properties,
    }
    for each in metrics:
        document |= {name: value for name, (value, _) in each.values.items()}
    present = {name: value for name, value in document.items() if value is not None}
    return json.dumps(present, separators=(",", ":")) + "\n"


@cache
def _logger() -> Logger:
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - see the module's first line

    return Logger(use_rfc3339=True, utc=True)


def logger() -> Logger:
    """Return the container's logger: one JSON line per call, keywords become keys.

    Log reasons and ids, never content.
    """
    found = _logger()
    found.set_correlation_id(correlation_id() or None)
    return found


def namespace() -> str:
    """Return the CloudWatch namespace of this function's stack."""
    return metrics_namespace(os.environ)


def fault(error: InternalError, **about: Any) -> None:
    """Log a fault of ours with its place and AWS's code, and count it. An alarm watches the counter."""
    logger().error("failed", error=type(error).__qualname__, where=error.where, cause=error.cause, **about)
    count("UnexpectedErrors")


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Write a count to the log at once. It is a metric only if it is watched (`TOTALS`, `VALUES`)."""
    _write(name, value, COUNT, dimensions, dimension_sets(name, dimensions))


def measure(name: str, seconds: float, **fields: str) -> None:
    """Write a duration in seconds to the log at once, as a metric over all. The fields are in the log line only."""
    _write(name, round(seconds), SECONDS, fields, dimension_sets(name, {}))


def _write(name: str, value: int, unit: str, fields: dict[str, str], sets: list[list[str]]) -> None:
    sys.stdout.write(metric_line([Metrics({name: (value, unit)}, sets)], fields, namespace=namespace(), at=time.time()))


def metrics_namespace(environ: Mapping[str, str]) -> str:
    """Return the CloudWatch namespace of the function's stack, from the variable that Powertools reads.

    Without it nothing fails, but no alarm watches the counts.
    """
    return environ.get("POWERTOOLS_METRICS_NAMESPACE", "").strip() or "ZoomGateway"
