"""CloudWatch metrics as log lines, written by hand: Powertools would double the webhook's start.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Callable

NAMESPACE = "ZoomGateway"


class MetricLines:
    """Counts, one JSON line each, which is the log line too. Properties are reasons and ids, never content."""

    def __init__(self, service: str, *, write: Callable[[str], object], clock: Callable[[], float]) -> None:
        self._service = service
        self._write = write
        self._clock = clock

    def count(self, name: str, *, reason: str = "", **properties: str) -> None:
        """Add one to the counter `name` of this service, and to the one of this `reason` where there is one."""
        dimensions = [["service"], ["service", "reason"]] if reason else [["service"]]
        line: dict[str, object] = {
            "_aws": {
                "Timestamp": int(self._clock() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": dimensions,
                        "Metrics": [{"Name": name, "Unit": "Count"}],
                    }
                ],
            },
            "service": self._service,
            name: 1,
            **({"reason": reason} if reason else {}),
            **properties,
        }
        self._write(json.dumps(line, separators=(",", ":")) + "\n")
