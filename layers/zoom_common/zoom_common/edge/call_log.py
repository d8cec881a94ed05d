"""One line for each call to Zoom: the log entry and the metrics in one, as CloudWatch's embedded metric format.

Written by hand, because Powertools would be imported for nothing else on most calls.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from zoom_common.edge.observability import NAMESPACE
from zoom_common.gateway.record import CallRecord

_COUNT, _TIME = "Count", "Milliseconds"


def write(
    record: CallRecord,
    request_id: str,
    *,
    out: Callable[[str], object] = sys.stdout.write,
    clock: Callable[[], float] = time.time,
) -> None:
    """Log and count one call. Nothing in it identifies a person."""
    values = _metrics(record)
    outcome = record.reason or ("ok" if record.status is None or record.status < 400 else "zoom_refused")  # noqa: PLR2004
    line: dict[str, Any] = {
        "_aws": {
            "Timestamp": int(clock() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["service", "label"], ["service", "outcome"]],
                    "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
                }
            ],
        },
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
        **{name: value for name, (value, _) in values.items()},
    }
    out(json.dumps({name: value for name, value in line.items() if value is not None}, separators=(",", ":")) + "\n")


def _metrics(record: CallRecord) -> dict[str, tuple[int, str]]:
    found = {"ZoomRequests": (record.tries, _COUNT), "ZoomRetries": (max(0, record.tries - 1), _COUNT)}
    found["ZoomWait"] = (round(record.waited * 1000), _TIME)
    if record.tries:
        found["ZoomLatency"] = (round(record.latency * 1000), _TIME)
    if record.refused:
        found["ZoomRateRefusals"] = (record.refused, _COUNT)
    if record.local_budget:
        found["BudgetFallback"] = (1, _COUNT)
    if record.cache is not None:
        found["ReadCacheHits"] = (int(record.cache == "hit"), _COUNT)
        found["ReadCacheReads"] = (1, _COUNT)
    return found
