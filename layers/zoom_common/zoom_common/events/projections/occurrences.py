"""Planned occurrences, and which instances belong to them. Pure: what is planned and what was held in, lists out.

An instance belongs to the nearest planned occurrence that starts between two hours before and 30 minutes after the
instance does; of two equally near ones to the earlier. An instance that has none of its own and starts within 15
minutes after the end of one that belongs, belongs as well: the host was dropped, and Zoom began a new instance under
the same number. All others are unplanned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoom_common.events.projections.projectors import PLAN
from zoom_common.events.projections.record import Record
from zoom_common.zoom.events import epoch_ms

EARLIEST_MS = 30 * 60_000
LATEST_MS = 120 * 60_000
STITCH_MS = 15 * 60_000

# Instant meetings, and series without a fixed time: their `start_time` plans nothing.
_WITHOUT_PLAN = frozenset({1, 3, 6})


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """A planned occurrence: its start in epoch ms, and how many minutes it is to last (0: nobody said)."""

    start: int
    minutes: int = 0

    @property
    def end(self) -> int:
        """When it is planned to be over, in epoch ms."""
        return self.start + self.minutes * 60_000


@dataclass(frozen=True, slots=True)
class Held:
    """An instance, from when to when in epoch ms; `ended` is None while it runs."""

    uuid: str
    started: int
    ended: int | None


def planned_occurrences(definition: Record) -> list[Planned]:
    """Return what is planned and what had been planned until it was due, in order."""
    values = definition.values
    if values.get("type") in _WITHOUT_PLAN:
        return []
    listed = _listed(definition)
    return sorted(listed or _single(definition, _minutes(values.get("duration"))))


def belonging(planned: Sequence[Planned], held: Sequence[Held]) -> dict[str, Planned | None]:
    """Return the planned occurrence of each instance by uuid, None for the unplanned."""
    found = {each.uuid: _nearest(planned, each.started) for each in held}
    for each in sorted(held, key=lambda each: (each.started, each.uuid)):
        if found[each.uuid] is None:
            found[each.uuid] = _stitched(each, held, found)
    return found


def _nearest(planned: Sequence[Planned], started: int) -> Planned | None:
    near = [each for each in planned if -LATEST_MS <= each.start - started <= EARLIEST_MS]
    return min(near, key=lambda each: (abs(each.start - started), each.start), default=None)


def _stitched(late: Held, held: Sequence[Held], found: dict[str, Planned | None]) -> Planned | None:
    before = [
        each
        for each in held
        if each.ended is not None and found[each.uuid] is not None and 0 <= late.started - each.ended <= STITCH_MS
    ]
    return found[max(before, key=lambda each: (each.ended or 0, each.uuid)).uuid] if before else None


def _listed(definition: Record) -> list[Planned]:
    """The occurrences of a series that were not deleted."""
    parts: dict[str, dict[str, object]] = {}
    for name, value in definition.values.items():
        first, _, rest = name.partition(".")
        if first == "occurrences":
            occurrence, _, what = rest.rpartition(".")
            parts.setdefault(occurrence, {})[what] = value
    found = []
    for each in parts.values():
        start = epoch_ms(each.get("start_time"))
        if start is not None and each.get("status") != "deleted":
            found.append(Planned(start, _minutes(each.get("duration") or definition.values.get("duration"))))
    return found


def _single(definition: Record, minutes: int) -> list[Planned]:
    """The plan of a meeting, and those before it that were changed only when they were due."""
    plans = sorted((stamp, int(name.removeprefix(PLAN))) for name, (stamp, _) in _plans(definition))
    changed = [stamp[0] for stamp, _ in plans[1:]]
    due = [start for (_, start), change in zip(plans, changed, strict=False) if change >= start - EARLIEST_MS]
    last = [plans[-1][1]] if plans else []
    known = epoch_ms(definition.values.get("start_time"))  # records from before plans were kept
    return [Planned(start, minutes) for start in {*due, *(last or filter(None, [known]))}]


def _plans(definition: Record) -> list[tuple[str, tuple[tuple[int, str], object]]]:
    return [(name, said) for name, said in definition.latest.items() if name.startswith(PLAN)]


def _minutes(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
