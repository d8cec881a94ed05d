"""What is worth knowing about one call to Zoom: for the answer's headers, the log and the counters.

Nothing in it identifies a person: no path, no query, no id but the connection's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from zoom_common.zoom.operations import Operation

if TYPE_CHECKING:
    from zoom_common.aws.table import Changed


@dataclass(slots=True)
class CallRecord:
    """Filled in while the call is made. Times are in seconds; `status` is Zoom's last, None when it gave none.

    `waited` is all waiting of ours: for send slots and before retries. `latency` is Zoom's, over all tries. `aside` are
    the reads that were made on the way, each a call of its own.
    """

    function: str = ""
    operation: str = ""
    label: str = ""
    connection: str = ""
    tries: int = 0
    status: int | None = None
    reason: str | None = None  # of the error that the caller gets, if it does
    waited: float = 0.0
    latency: float = 0.0
    refused: int = 0  # answers 429
    budget_left: int | None = None
    left_today: int | None = None
    local_budget: bool = False
    key: str | None = None  # with an Idempotency-Key: made, replayed or adopted
    cache: str | None = None  # with the read cache: hit or miss
    day: date | None = None  # on which it is counted (UTC)
    counted: Changed | None = None  # says, once asked, whether usage knows of it
    uncounted: bool = False  # usage could not be told of it
    aside: list[CallRecord] = field(default_factory=list)

    def names(self, operation: Operation) -> None:
        """The call is one of this operation."""
        self.function, self.operation, self.label = operation.function, operation.name, str(operation.label)

    def beside(self, operation: Operation) -> CallRecord:
        """The record of a read that is made on the way, of this operation."""
        other = CallRecord(connection=self.connection)
        other.names(operation)
        self.aside.append(other)
        return other

    def headers(self) -> dict[str, str]:
        """What the caller is told, whatever the answer is."""
        found = {"x-zoom-ratelimit-category": self.label} if self.label else {}
        if self.budget_left is not None:
            found["x-zoom-budget-left"] = str(self.budget_left)
        if self.local_budget:
            found["x-zoom-budget"] = "local"
        if self.left_today is not None:
            found["x-zoom-budget-left-today"] = str(self.left_today)
        if waited := round(1000 * (self.waited + sum(each.waited for each in self.aside))):
            found["x-zoom-waited-ms"] = str(waited)
        if self.tries > 1:
            found["x-zoom-tries"] = str(self.tries)
        if self.key is not None:
            found["idempotency-status"] = self.key
        if self.cache is not None:
            found["x-zoom-cache"] = self.cache
        return found
