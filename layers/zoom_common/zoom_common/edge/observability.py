"""Logs and metrics. Powertools is imported on the first line that is logged, not before: it costs 50 ms of a start.

Service name, log level and the namespace of metrics come from the POWERTOOLS_* variables, looked up with each line as
Powertools does: what has to be told may be that a setting is missing. Every line carries the correlation id.
"""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from zoom_common import correlation
from zoom_common.edge.settings import metrics_namespace
from zoom_common.embedded_metrics import COUNT, SECONDS, Metrics, line

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from zoom_common.errors import InternalError


@cache
def _logger() -> Logger:
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - see the module's first line

    return Logger(use_rfc3339=True, utc=True)


def logger() -> Logger:
    """The container's logger: one JSON line per call, keywords become keys. Give it reasons and ids, never content."""
    found = _logger()
    found.set_correlation_id(correlation.current() or None)
    return found


def namespace() -> str:
    """The CloudWatch namespace that this function counts in: its stack's."""
    return metrics_namespace(os.environ)


def fault(error: InternalError, **about: Any) -> None:
    """Log a fault of ours by where it is and AWS's code for it, and count it: an alarm watches the counter."""
    logger().error("failed", error=type(error).__qualname__, where=error.where, cause=error.cause, **about)
    count("UnexpectedErrors")


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Add `value` to a CloudWatch counter, at once: to its total, and to the one with these dimensions."""
    _write(name, value, COUNT, dimensions, [[], sorted(dimensions)] if dimensions else [[]])


def measure(name: str, seconds: float, **fields: str) -> None:
    """Record a length of time, at once, for all. The fields are in the log line only: each metric costs."""
    _write(name, round(seconds), SECONDS, fields, [[]])


def _write(name: str, value: int, unit: str, fields: dict[str, str], sets: list[list[str]]) -> None:
    sys.stdout.write(line([Metrics({name: (value, unit)}, sets)], fields, namespace=namespace(), at=time.time()))
