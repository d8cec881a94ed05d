"""CloudWatch metrics as log lines, written by hand: importing a library for them costs 50 ms of a start.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from zoom_common import correlation
from zoom_common.values import dataclass

COUNT, MILLISECONDS, SECONDS = "Count", "Milliseconds", "Seconds"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Values by name with one unit each, added once for every set of dimensions. The empty set is the total."""

    values: Mapping[str, tuple[int, str]]
    dimensions: Sequence[Sequence[str]]

    def directive(self, namespace: str) -> dict[str, object]:
        """What tells CloudWatch about them."""
        described = [{"Name": name, "Unit": unit} for name, (_, unit) in self.values.items()]
        return {"Namespace": namespace, "Dimensions": [list(each) for each in self.dimensions], "Metrics": described}


def line(metrics: Sequence[Metrics], properties: Mapping[str, object], *, namespace: str, at: float) -> str:
    """One line for standard output. `at` is in epoch seconds; properties without a value are left out.

    `namespace` is the stack's: two stacks of one account and region keep their numbers apart by it alone.
    """
    document: dict[str, object] = {
        "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [each.directive(namespace) for each in metrics]},
        "correlation_id": correlation.current() or None,
        **properties,
    }
    for each in metrics:
        document |= {name: value for name, (value, _) in each.values.items()}
    present = {name: value for name, value in document.items() if value is not None}
    return json.dumps(present, separators=(",", ":")) + "\n"
