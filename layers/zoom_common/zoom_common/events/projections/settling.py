"""When attendance is settled, and how it differs from Zoom's report. Pure: records and rows in, lists out.

The reconciler compares every instance with Zoom's report two hours after its end. Zoom repeats a delivery for 85
minutes (https://developers.zoom.us/docs/api/webhooks/), so nothing more is to come by then. What is missing is sent as
events; what differs in the next round still is listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoom_common.events.projections.attendance import Attendee, covered
from zoom_common.events.projections.keys import COMPARED, SETTLED
from zoom_common.events.projections.occurrences import LATEST_MS, Planned
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.views import iso
from zoom_common.zoom.events import epoch_ms, identifier

AGREES, DIFFERS, UNAVAILABLE = "agrees", "differs", "unavailable"

_WAITING = "in_waiting_room"


@dataclass(frozen=True, slots=True)
class Group:
    """The instances that one answer about attendance is made of."""

    uuids: tuple[str, ...]
    planned: Planned | None = None

    @property
    def sort(self) -> str:
        """The sort key of the record that it was published as settled."""
        return SETTLED + (self.uuids[0] if self.planned is None else str(self.planned.start))


def settled_groups(
    occurrences: Mapping[str, Planned | None], records: Mapping[str, Record], now_ms: int
) -> list[Group]:
    """Return what is settled and was not published as such with these instances.

    `occurrences` has the planned occurrence of each instance by uuid, in order. An occurrence to which another instance
    may still belong is not settled.
    """
    groups: dict[object, list[str]] = defaultdict(list)
    for uuid, planned in occurrences.items():
        groups[uuid if planned is None else planned].append(uuid)
    found = [Group(tuple(uuids), each if isinstance(each, Planned) else None) for each, uuids in groups.items()]
    return [
        each
        for each in found
        if all(is_settled(records, uuid) for uuid in each.uuids)
        and (each.planned is None or now_ms > each.planned.start + LATEST_MS)
        and records.get(each.sort, Record()).values.get("uuids") != list(each.uuids)
    ]


def is_settled(records: Mapping[str, Record], uuid: str) -> bool:
    """Return whether nothing more is to come of an instance."""
    return records.get(COMPARED + uuid, Record()).values.get("settled") is True


def report_view(records: Mapping[str, Record], uuids: Sequence[str]) -> dict[str, Any]:
    """Return since when the attendance of some instances is settled, and what Zoom's report says otherwise."""
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
    """Return whether the people of one instance agree with the rows of Zoom's report, and where not.

    `duration` and `report_duration` are in seconds. Zoom rounds moments, so one second for each stay is no difference.
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
