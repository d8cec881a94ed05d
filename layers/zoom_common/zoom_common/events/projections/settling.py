"""When attendance is settled, and how it differs from Zoom's report. Does no I/O: takes records and rows.

The reconciler compares every instance with Zoom's report two hours after its end. Zoom repeats a delivery for 85
minutes (https://developers.zoom.us/docs/api/webhooks/), so no more events are expected by then. Missing events are
sent; a difference that remains in the next round is listed. Any change after that makes a new revision.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zoom_common.events.projections.attendance import Attendee, covered
from zoom_common.events.projections.keys import COMPARED, SETTLED
from zoom_common.events.projections.occurrences import LATEST_MS, Planned
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.views import iso
from zoom_common.zoom.events import epoch_ms, identifier

AGREES, DIFFERS, UNAVAILABLE = "agrees", "differs", "unavailable"

_WAITING = "in_waiting_room"

# Hexadecimal digits of a digest that is only compared with the one before.
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Group:
    """The instances of one answer about attendance."""

    uuids: tuple[str, ...]
    planned: Planned | None = None
    revision: int = 1
    """How many times this attendance has been published, including this time."""
    content: str = field(default="", repr=False)
    """The digest of its content. A change of it makes another revision."""

    @property
    def sort(self) -> str:
        """The sort key of the record that marks it as published."""
        return SETTLED + (self.uuids[0] if self.planned is None else str(self.planned.start))


def settled_groups(
    occurrences: Mapping[str, Planned | None], records: Mapping[str, Record], now_ms: int
) -> list[Group]:
    """Return the groups that are settled and not yet published with their present content.

    `occurrences` has the planned occurrence of each instance by uuid, in order. An occurrence to which another instance
    may still be added is not settled.
    """
    groups: dict[object, list[str]] = defaultdict(list)
    for uuid, planned in occurrences.items():
        groups[uuid if planned is None else planned].append(uuid)
    found = [
        _group(tuple(uuids), each if isinstance(each, Planned) else None, records) for each, uuids in groups.items()
    ]
    return [
        each
        for each in found
        if all(is_settled(records, uuid) for uuid in each.uuids)
        and (each.planned is None or now_ms > each.planned.start + LATEST_MS)
        and not _is_published(each, records)
    ]


def _group(uuids: tuple[str, ...], planned: Planned | None, records: Mapping[str, Record]) -> Group:
    compared = [records.get(COMPARED + uuid, Record()).values for uuid in uuids]
    content = _digest([[each.get(name) for name in ("people", "report", "differences")] for each in compared])
    group = Group(uuids, planned, content=content)
    before = records.get(group.sort, Record()).values
    return replace(group, revision=int(before.get("revision", 1)) + 1) if before else group


def _is_published(group: Group, records: Mapping[str, Record]) -> bool:
    """Return whether a group was published with this content. Records from before revisions do not have the content."""
    before = records.get(group.sort, Record()).values
    return before.get("uuids") == list(group.uuids) and before.get("content", group.content) == group.content


def people_digest(people: Iterable[Attendee], started: int | None, ended: int | None) -> str:
    """Return a digest of who was present when, without names. A change after settlement makes a new revision."""
    return _digest([started, ended, *sorted(sorted(person.spans()) for person in people)])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_DIGEST]


def is_settled(records: Mapping[str, Record], uuid: str) -> bool:
    """Return whether no more events of an instance are expected."""
    return records.get(COMPARED + uuid, Record()).values.get("settled") is True


def report_view(records: Mapping[str, Record], uuids: Sequence[str]) -> dict[str, Any]:
    """Return since when the attendance of some instances is settled, and how Zoom's report differs."""
    if not uuids or not all(is_settled(records, uuid) for uuid in uuids):
        return {"settled_at": None, "report": None}
    found = [records[COMPARED + uuid].values for uuid in uuids]
    states = {each["report"] for each in found}
    state = next((each for each in (DIFFERS, UNAVAILABLE) if each in states), AGREES)
    differences = [
        {"uuid": uuid, **difference}
        for uuid, each in zip(uuids, found, strict=True)
        for difference in each["differences"]
    ]
    return {
        "settled_at": iso(max(each["at_ms"] for each in found)),
        "report": {"status": state, "differences": differences},
    }


def comparison(people: Sequence[Attendee], rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return whether the people of one instance agree with the rows of Zoom's report, and the differences.

    `duration` and `report_duration` are in seconds. Zoom rounds times, so one second for each stay is no difference.
    """
    reported: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        name = identifier(row.get("user_id"))
        if name is not None and row.get("status") != _WAITING:
            reported[name].append(row)
    if not reported:
        return {"report": UNAVAILABLE, "differences": []}
    differences = []
    for person in people:
        names = dict.fromkeys(session.user_id for session in person.sessions)
        theirs = [row for name in names for row in reported.pop(name, ())]
        seconds, report_seconds = person.seconds(), _seconds(theirs)
        if abs(seconds - report_seconds) > max(len(person.stays), len(theirs)):
            differences.append(_difference(person.newest, list(names), seconds, report_seconds))
    for name, theirs in reported.items():
        if _seconds(theirs):
            row = theirs[0]
            said = {"user_name": row.get("name"), "zoom_user_id": row.get("id"), "email": row.get("user_email")}
            differences.append(_difference(said, [name], 0, _seconds(theirs)))
    return {"report": DIFFERS if differences else AGREES, "differences": differences}


def _difference(said: Mapping[str, Any], user_ids: list[str], seconds: int, report_seconds: int) -> dict[str, Any]:
    return {
        "id": said.get("zoom_user_id") or "",
        "name": said.get("user_name") or "",
        "user_email": said.get("email") or "",
        "user_ids": user_ids,
        "duration": seconds,
        "report_duration": report_seconds,
    }


def _seconds(rows: Iterable[Mapping[str, Any]]) -> int:
    spans = [(epoch_ms(row.get("join_time")), epoch_ms(row.get("leave_time"))) for row in rows]
    return covered((joined, left) for joined, left in spans if joined is not None and left is not None) // 1000
