"""One line for each call to Zoom: the log entry and the metrics in one, as CloudWatch's embedded metric format.

Totals, and by service and rate label or outcome; calls also by operation.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from zoom_common.edge import observability
from zoom_common.embedded_metrics import COUNT, MILLISECONDS, Metrics, line
from zoom_common.gateway.record import CallRecord


def write(
    record: CallRecord,
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
    (out or sys.stdout.write)(line(metrics, about, namespace=observability.namespace(), at=clock()))


def _metrics(record: CallRecord) -> dict[str, tuple[int, str]]:
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
