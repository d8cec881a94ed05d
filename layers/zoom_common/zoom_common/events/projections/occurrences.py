"""Planned occurrences, and which instances belong to them. Pure: what is planned and what was held in, lists out.

An instance belongs to the nearest planned occurrence that starts between two hours before and 30 minutes after the
instance does; of two equally near ones to the earlier. An instance that has none of its own and starts within 15
minutes after the end of one that belongs, belongs as well: the host was dropped, and Zoom began a new instance under
the same number. All others are unplanned.

A plan that is moved or deleted before it is due is no occurrence any more. One that was due stays one, because it may
have been held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoom_common.events.projections.keys import LISTED, PLAN
from zoom_common.events.projections.record import Record, Stamp
from zoom_common.zoom.events import epoch_ms

EARLIEST_MS = 30 * 60_000
LATEST_MS = 120 * 60_000
STITCH_MS = 15 * 60_000

# By so much the end of an instance may lie behind the start of the next one: Zoom's servers end one while another
# starts the other, and a meeting never runs twice at once.
OVERLAP_MS = 30_000

# Instant meetings, and series without a fixed time: their `start_time` plans nothing.
_WITHOUT_PLAN = frozenset({1, 3, 6})

# Series with a fixed time: their `start_time` is that of one occurrence only.
SERIES = frozenset({8, 9})


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """A planned occurrence: its start in epoch ms, and how many minutes it is to last (0: not known)."""

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
    """Return what is planned and what had been planned until it was due, in order; nothing where no plan is known."""
    values = definition.values
    if values.get("type") in _WITHOUT_PLAN:
        return []
    listed = {start: each for each in _listed(definition) for start in each.starts}
    if not listed and values.get("type") not in SERIES:
        whole = _Occurrence({}, _starts(definition).get("", []), _minutes(values.get("duration")))
        known = epoch_ms(values.get("start_time"))  # records from before plans were kept
        listed = dict.fromkeys(whole.starts or filter(None, [known]), whole)
    deleted = _deleted_at(definition)
    return sorted(
        Planned(start, each.minutes) for start, each in listed.items() if deleted is None or _due(start, deleted)
    )


def plan_is_known(definition: Record) -> bool:
    """Return whether what is planned is known: of a series with a fixed time all its occurrences."""
    values = definition.values
    if values.get("type") in _WITHOUT_PLAN:
        return True
    if values.get("type") in SERIES or any(name.startswith("occurrences.") for name in values):
        return LISTED in values
    return bool(planned_occurrences(definition))


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
        if each.ended is not None
        and found[each.uuid] is not None
        and each.started < late.started
        and -OVERLAP_MS <= late.started - each.ended <= STITCH_MS
    ]
    return found[max(before, key=lambda each: (each.ended or 0, each.uuid)).uuid] if before else None


@dataclass(frozen=True, slots=True)
class _Occurrence:
    """One occurrence of a series, or a meeting that has none: its fields, and what was planned for it when."""

    fields: Mapping[str, tuple[Stamp, Any]]
    planned: Sequence[tuple[Stamp, int]]
    minutes: int
    unlisted_at: int | None = None
    """When a new list of all occurrences left it out, in epoch milliseconds."""

    @property
    def starts(self) -> list[int]:
        """The planned start, and starts before it that were changed only when they were due."""
        plans = sorted(self.planned)
        changed = [stamp[0] for stamp, _ in plans[1:]]
        due = [start for (_, start), change in zip(plans, changed, strict=False) if _due(start, change)]
        last = [start for _, start in plans[-1:] if self.ended_at is None or _due(start, self.ended_at)]
        return sorted({*due, *last})

    @property
    def ended_at(self) -> int | None:
        """When it was taken out of the plan, in epoch milliseconds."""
        stamp, status = self.fields.get("status", ((0, ""), None))
        return stamp[0] if status == "deleted" else self.unlisted_at


def _listed(definition: Record) -> Iterator[_Occurrence]:
    """The occurrences of a series."""
    fields: dict[str, dict[str, tuple[Stamp, Any]]] = defaultdict(dict)
    for name, said in definition.latest.items():
        first, _, rest = name.partition(".")
        if first == "occurrences":
            occurrence, _, what = rest.rpartition(".")
            fields[occurrence][what] = said
    starts = _starts(definition)
    listed_at, listed = definition.latest.get(LISTED, ((0, ""), None))
    for name, each in fields.items():
        stamp, start = each.get("start_time", ((0, ""), None))
        known = epoch_ms(start)
        planned = starts.get(name) or ([] if known is None else [(stamp, known)])
        newest = max((stamp for stamp, _ in each.values()), default=(0, ""))
        left_out = listed is not None and name not in listed and newest < listed_at
        minutes = _minutes(each["duration"][1] if "duration" in each else definition.values.get("duration"))
        yield _Occurrence(each, planned, minutes, listed_at[0] if left_out else None)


def _starts(definition: Record) -> Mapping[str, list[tuple[Stamp, int]]]:
    """What was planned when, by occurrence; under "" what was planned of the meeting as a whole."""
    found: dict[str, list[tuple[Stamp, int]]] = defaultdict(list)
    for name, (stamp, occurrence) in definition.latest.items():
        if name.startswith(PLAN):
            found[occurrence if isinstance(occurrence, str) else ""].append((stamp, int(name.removeprefix(PLAN))))
    return found


def _deleted_at(definition: Record) -> int | None:
    stamp, exists = definition.latest.get("exists", ((0, ""), True))
    return stamp[0] if exists is False else None


def _due(start: int, at: int) -> bool:
    """Return whether what is planned for `start` may have begun at a moment."""
    return at >= start - EARLIEST_MS


def _minutes(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
