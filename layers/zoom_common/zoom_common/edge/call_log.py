"""One log line for each call to Zoom. It is also a metric, in CloudWatch's embedded metric format."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection
from zoom_common.gateway.context import Call, CallStats
from zoom_common.gateway.service import Answer, Gateway
from zoom_common.observability import COUNT, MILLISECONDS, TOTALS, Metrics, dimension_sets, metric_line


def write(
    stats: CallStats,
    request_id: str | None,
    *,
    out: Callable[[str], object] | None = None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Write one call to the log and the metrics. Nothing in the line identifies a person."""
    outcome = stats.reason or ("ok" if stats.status is None or stats.status < 400 else "zoom_refused")  # noqa: PLR2004
    counted = _metrics(stats)
    metrics = [
        Metrics({name: value for name, value in counted.items() if name in TOTALS}, [[]]),
        Metrics({"ZoomCalls": (1, COUNT)}, dimension_sets("ZoomCalls", {"outcome": outcome})),
    ]
    about = {
        "message": "zoom call",
        "service": stats.function,
        "operation": stats.operation,
        "label": stats.label,
        "outcome": outcome,
        "status": stats.status,
        "connection": stats.connection,
        "key": stats.key,
        "cache": stats.cache,
        "request_id": request_id,
        **{name: value for name, (value, _) in counted.items()},
    }
    (out or sys.stdout.write)(metric_line(metrics, about, namespace=observability.namespace(), at=clock()))


def _metrics(stats: CallStats) -> dict[str, tuple[int, str]]:
    found = {"ZoomRequests": (stats.tries, COUNT), "ZoomRetries": (max(0, stats.tries - 1), COUNT)}
    found["ZoomWait"] = (round(stats.waited * 1000), MILLISECONDS)
    if stats.tries:
        found["ZoomLatency"] = (round(stats.latency * 1000), MILLISECONDS)
    if stats.refused:
        found["ZoomRateRefusals"] = (stats.refused, COUNT)
    if stats.local_budget:
        found["BudgetFallback"] = (1, COUNT)
    if stats.uncounted:
        found["UsageUncounted"] = (1, COUNT)
    if stats.cache is not None:
        found["ReadCacheHits"] = (int(stats.cache == "hit"), COUNT)
        found["ReadCacheReads"] = (1, COUNT)
    return found


@dataclass(frozen=True, slots=True)
class Logged:
    """A gateway that logs its calls. `request_id` is that of the caller's request, if there is one."""

    gateway: Gateway
    request_id: str | None = None

    @property
    def select(self) -> Callable[[Principal, str | None], Connection]:
        """The function with which the gateway finds a connection."""
        return self.gateway.select

    def call(self, call: Call) -> Answer:
        """Return Zoom's answer, and log each call to Zoom, also failed ones. Raises what `Gateway.call` raises."""
        try:
            return self.gateway.call(call)
        finally:
            for each in call.stats.with_reads():
                write(each, self.request_id)
