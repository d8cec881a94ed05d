"""One log line for each call to Zoom: log entry and metrics in one, as CloudWatch's embedded metric format."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection
from zoom_common.gateway.context import ApiRequest, CallStats
from zoom_common.gateway.service import Answer, Gateway
from zoom_common.observability import COUNT, MILLISECONDS, Metrics, metric_line


def write(
    record: CallStats,
    request_id: str | None,
    *,
    out: Callable[[str], object] | None = None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Log and count one call. Nothing in it identifies a person."""
    outcome = record.reason or ("ok" if record.status is None or record.status < 400 else "zoom_refused")  # noqa: PLR2004
    metrics = [
        Metrics(_metrics(record), [[], ["service", "label"], ["service", "outcome"]]),
        Metrics({"ZoomCalls": (1, COUNT)}, [[], ["outcome"], ["operation", "outcome"]]),
    ]
    about = {
        "message": "zoom call",
        "service": record.function,
        "operation": record.operation,
        "label": record.label,
        "outcome": outcome,
        "status": record.status,
        "connection": record.connection,
        "key": record.key,
        "cache": record.cache,
        "request_id": request_id,
    }
    (out or sys.stdout.write)(metric_line(metrics, about, namespace=observability.namespace(), at=clock()))


def _metrics(record: CallStats) -> dict[str, tuple[int, str]]:
    found = {"ZoomRequests": (record.tries, COUNT), "ZoomRetries": (max(0, record.tries - 1), COUNT)}
    found["ZoomWait"] = (round(record.waited * 1000), MILLISECONDS)
    if record.tries:
        found["ZoomLatency"] = (round(record.latency * 1000), MILLISECONDS)
    if record.refused:
        found["ZoomRateRefusals"] = (record.refused, COUNT)
    if record.local_budget:
        found["BudgetFallback"] = (1, COUNT)
    if record.uncounted:
        found["UsageUncounted"] = (1, COUNT)
    if record.cache is not None:
        found["ReadCacheHits"] = (int(record.cache == "hit"), COUNT)
        found["ReadCacheReads"] = (1, COUNT)
    return found


@dataclass(frozen=True, slots=True)
class Logged:
    """Calls as the gateway does. `request_id` is of the request that they are made for, where there is one."""

    gateway: Gateway
    request_id: str | None = None

    @property
    def select(self) -> Callable[[Principal, str | None], Connection]:
        """How the gateway finds a connection."""
        return self.gateway.select

    def call(self, asked: ApiRequest) -> Answer:
        """Zoom's answer. Raises what `Gateway.call` raises; either way each call to Zoom is logged."""
        record = CallStats()
        try:
            return self.gateway.call(asked, record)
        finally:
            for each in record.with_reads():
                if each.operation:
                    write(each, self.request_id)
