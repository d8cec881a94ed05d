"""The attendance of a series: people by planned occurrences. Does no I/O: takes a meeting with its sessions."""

from __future__ import annotations

from typing import Any

from zoom_common.events.projections.attendance import Attendee, covered
from zoom_common.events.projections.meeting import Instance, Meeting
from zoom_common.events.projections.settling import report_view
from zoom_common.events.projections.views import iso, person_view, share_view


def matrix_of(
    meeting: Meeting, *, since: int | None = None, until: int | None = None, present_from: float | None = None
) -> dict[str, Any]:
    """Return as JSON who was in which occurrence planned from `since` until before `until`, in epoch milliseconds.

    Occurrences that were not held are listed when they were due by now. A person is recognised across instances by Zoom
    user, registrant, e-mail address and customer key, never by name. Unplanned instances are not counted.
    """
    planned = meeting.planned()
    of = meeting.occurrences(planned)
    held = {each.start: meeting.held_in(each.start, of) for each in planned}
    shown = [
        start
        for start, used in held.items()
        if (since is None or start >= since)
        and (until is None or start < until)
        and (used or until is not None or meeting.now is None or start <= meeting.now)
    ]
    used = [each for start in shown for each in held[start]]
    people = meeting.people(used)
    return {
        "id": meeting.number,
        **meeting.about(used),
        "occurrences": [_occurrence(meeting, start, held[start], people) for start in shown],
        "instances_used": [each.uuid for each in used],
        "unplanned": [meeting.instance_view(each) for each in meeting.instances() if of[each.uuid] is None],
        **({} if present_from is None else {"present_from": present_from}),
        "participants": [
            _person(meeting, each, {start: held[start] for start in shown}, present_from) for each in people
        ],
    }


def _occurrence(meeting: Meeting, start: int, used: list[Instance], people: list[Attendee]) -> dict[str, Any]:
    uuids = [each.uuid for each in used]
    return {
        "occurrence": iso(start),
        **meeting.held_view(used),
        "instances_used": uuids,
        **report_view(meeting.records, uuids),
        "participants_count": sum(each.was_in(uuids) for each in people),
    }


def _person(
    meeting: Meeting, one: Attendee, held: dict[int, list[Instance]], present_from: float | None
) -> dict[str, Any]:
    cells = []
    for start, used in held.items():
        seconds = covered(spans := one.spans({each.uuid for each in used})) // 1000
        cell = {"occurrence": iso(start), "duration": seconds, "minutes": round(seconds / 60, 1)}
        if present_from is not None:
            cell |= share_view(covered(spans), meeting.length(used), present_from)
        cells.append(cell)
    total = one.seconds()
    return {
        **person_view(one.newest),
        "guest": one.guest,
        "duration": total,
        "minutes": round(total / 60, 1),
        "occurrences_count": sum(1 for used in held.values() if one.was_in({each.uuid for each in used})),
        "occurrences": cells,
    }
