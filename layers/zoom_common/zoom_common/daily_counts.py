"""Counts of a day over the whole stack, for operators: duplicate events, refreshes and deliveries by outcome.

Repeated work is counted twice, and counts in the memory of a stopped container are lost. Do not bill by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from zoom_common import observability
from zoom_common.aws.table import COORDINATION, ConditionFailed, Outcome, Table
from zoom_common.errors import DependencyFailed
from zoom_common.settings import optional

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from zoom_common.erasure_target import ErasureTarget, StoredItem

EVENTS, REFRESHES, DELIVERIES = "events", "refreshes", "deliveries"
DUPLICATES = (EVENTS, "duplicates")
_KEPT = 35 * 86_400

_ADD = "SET #number = if_not_exists(#number, :zero) + :number, #expires_at = :end"
_ANYTHING = "attribute_exists(#pk) OR attribute_not_exists(#pk)"


@dataclass(slots=True, kw_only=True)
class DailyCounts:
    """`clock` gives epoch seconds.

    Counts are added in memory, by several threads if necessary, and written together.
    """

    OWNED_KEYS: ClassVar = {"coordination": (r"counts#\d{4}-\d\d-\d\d", r"[a-z]+#.+")}

    table: Table | None
    clock: Callable[[], float]
    _sums: Counter[tuple[str, str]] = field(default_factory=Counter)
    _begun: list[Callable[[], Outcome]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str], dynamodb: Callable[[], DynamoDBClient], *, clock: Callable[[], float]
    ) -> DailyCounts:
        """Return counts in the Coordination table. Without that table, counts are not stored."""
        name = optional(environ, "COORDINATION_TABLE")
        return cls(table=Table(dynamodb(), name, COORDINATION) if name else None, clock=clock)

    def add(self, kind: str, what: str, number: int = 1) -> None:
        """Count in memory."""
        with self._lock:
            self._sums[kind, what] += number

    def begin(self, kind: str, what: str) -> None:
        """Count one at once, beside what else is under way; `write` waits for it. Never raises."""
        if self.table is None:
            return
        key, values = self._change(kind, what, 1)
        request = self.table.to_update(*key, _ADD, condition=_ANYTHING, values=values)
        self._begun.append(self.table.begin("update_item", **request))

    def write(self) -> None:
        """Add the counts in memory to today's counts in the table. Never raises, because nothing depends on them."""
        begun, self._begun = self._begun, []
        for outcome in begun:
            if isinstance(failed := outcome(), Exception):
                _not_counted(failed)
        with self._lock:
            sums, self._sums = self._sums, Counter()
        if self.table is None:
            return
        for (kind, what), number in sums.items():
            key, values = self._change(kind, what, number)
            try:
                self.table.update(*key, _ADD, condition=_ANYTHING, values=values)
            except (DependencyFailed, ConditionFailed) as error:
                _not_counted(error)
                return

    def _change(self, kind: str, what: str, number: int) -> tuple[tuple[str, str], dict[str, object]]:
        now = self.clock()
        day = datetime.fromtimestamp(now, UTC).date()
        return (_partition(day), f"{kind}#{what}"), {"zero": 0, "number": number, "end": int(now) + _KEPT}

    def of(self, day: date) -> dict[str, dict[str, int]]:
        """Return the counts of a day (UTC): by kind, and within it by what was counted. Raises Unavailable."""
        found: dict[str, dict[str, int]] = {EVENTS: {}, REFRESHES: {}, DELIVERIES: {}}
        # There are only a few dozen items, so one page holds them.
        items, _ = self.table.query("#pk = :pk", {"pk": _partition(day)}) if self.table else ([], None)
        for item in items:
            kind, _, what = str(item["sk"]).partition("#")
            found.setdefault(kind, {})[what] = int(item["number"])
        return found

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a count names nobody."""
        return False


def _not_counted(error: Exception) -> None:
    observability.logger().warning("not counted for operators", cause=type(error).__name__)


def _partition(day: date) -> str:
    return f"counts#{day.isoformat()}"
