"""Logs and metrics. Powertools is imported on the first line that is written, not before: it costs 50 ms of a start.

Service name and log level come from the POWERTOOLS_* variables.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

NAMESPACE = "ZoomGateway"


@cache
def logger() -> Logger:
    """The container's logger: one JSON line per call, keywords become keys. Give it reasons and ids, never content."""
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - see the module's first line

    return Logger(use_rfc3339=True, utc=True)


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Add `value` to a CloudWatch counter, at once, as one embedded-metric line."""
    from aws_lambda_powertools.metrics import MetricUnit, single_metric  # noqa: PLC0415 - see the module's first line

    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as metric:
        for dimension, text in dimensions.items():
            metric.add_dimension(dimension, text)
