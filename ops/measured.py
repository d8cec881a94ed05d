"""What the benchmarks measured with real waits, read from the page that they generate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ops.project import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
TABLE = "Milliseconds of an invocation"
NAME, PROCESSOR, WAITING = "", "of which processor", "waiting for AWS"
# What one request of DynamoDB took there, in milliseconds.
AWS_MS = 5.0

READ, ARRIVALS, ARRIVAL = "a call that reads", "ten people join a meeting each", "one person joins a meeting"
REFRESH, DELIVERY = "a refresh on demand", "a delivery to the webhook"
BATCH = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of an invocation: on a whole core, and waiting for AWS while a request of DynamoDB takes 5."""

    core_ms: float
    waits_ms: float

    @property
    def waits(self) -> float:
        """How many requests of DynamoDB, one after the other, take as long."""
        return self.waits_ms / AWS_MS


@cache
def measured() -> Mapping[str, Measured]:
    """Return what the page says, by what was measured. Raises KeyError where the page lacks the table or a column."""
    _, mark, rest = PAGE.read_text().partition(f"\n### {TABLE}\n\n")
    if not mark:
        raise KeyError(TABLE)
    head, _, *rows = [_cells(line) for line in rest.partition("\n\n")[0].splitlines()]
    found = [dict(zip(head, row, strict=True)) for row in rows]
    return {row[NAME]: Measured(float(row[PROCESSOR]), float(row[WAITING])) for row in found}


def batch_of(events: float, one: Measured, ten: Measured) -> Measured:
    """Return what a batch of so many events takes, on the line through a batch of one and one of ten."""
    part = (events - 1) / (BATCH - 1)
    return Measured(
        one.core_ms + part * (ten.core_ms - one.core_ms), one.waits_ms + part * (ten.waits_ms - one.waits_ms)
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
