"""Logs, metrics and correlation ids. Powertools is imported on the first log line only: it costs 50 ms of a start."""

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
    """The id of what is being handled now, or an empty text."""
    return _correlation_id.get()


def begin_correlation(*candidates: str) -> str:
    """Handle something new from here on, under the first candidate that is fit for a log; the id that was taken."""
    chosen = next((each for each in candidates if _USABLE.fullmatch(each)), "")
    _correlation_id.set(chosen)
    return chosen


COUNT, MILLISECONDS, SECONDS = "Count", "Milliseconds", "Seconds"

# What CloudWatch keeps as metrics: what an alarm watches, and the dashboard's totals. Each costs 0.30 a month, so their
# number is bounded (docs/cost.md). Whatever else is counted is in its log line only, where queries add it up.
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
# Counters of which single values are watched: the dimension, and the values.
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
    """Values by name with one unit each, added once for every set of dimensions. The empty set is the total.

    Without a set they are fields of the line and no metrics.
    """

    values: Mapping[str, tuple[int, str]]
    dimensions: Sequence[Sequence[str]]

    def directive(self, namespace: str) -> dict[str, object]:
        """The description of the metrics for CloudWatch."""
        described = [{"Name": name, "Unit": unit} for name, (_, unit) in self.values.items()]
        return {"Namespace": namespace, "Dimensions": [list(each) for each in self.dimensions], "Metrics": described}


def metric_line(metrics: Sequence[Metrics], properties: Mapping[str, object], *, namespace: str, at: float) -> str:
    """One line for standard output. `at` is in epoch seconds; properties without a value are left out.

    `namespace` is the stack's: two stacks of one account and region keep their numbers apart by it alone.
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
    """The container's logger: one JSON line per call, keywords become keys. Give it reasons and ids, never content."""
    found = _logger()
    found.set_correlation_id(correlation_id() or None)
    return found


def namespace() -> str:
    """The CloudWatch namespace that this function counts in: its stack's."""
    return metrics_namespace(os.environ)


def fault(error: InternalError, **about: Any) -> None:
    """Log a fault of ours by where it is and AWS's code for it, and count it: an alarm watches the counter."""
    logger().error("failed", error=type(error).__qualname__, where=error.where, cause=error.cause, **about)
    count("UnexpectedErrors")


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Count in a log line, at once. It makes a metric of what is watched (`TOTALS`, `VALUES`), and of nothing else."""
    _write(name, value, COUNT, dimensions, dimension_sets(name, dimensions))


def measure(name: str, seconds: float, **fields: str) -> None:
    """Record a length of time, at once, for all. The fields are in the log line only: each metric costs."""
    _write(name, round(seconds), SECONDS, fields, dimension_sets(name, {}))


def _write(name: str, value: int, unit: str, fields: dict[str, str], sets: list[list[str]]) -> None:
    sys.stdout.write(metric_line([Metrics({name: (value, unit)}, sets)], fields, namespace=namespace(), at=time.time()))


def metrics_namespace(environ: Mapping[str, str]) -> str:
    """The CloudWatch namespace of the function's stack, under the name by which Powertools knows it.

    Nothing fails for want of it: then the counts go where no alarm looks.
    """
    return environ.get("POWERTOOLS_METRICS_NAMESPACE", "").strip() or "ZoomGateway"
