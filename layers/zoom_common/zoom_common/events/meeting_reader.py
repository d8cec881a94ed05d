"""Reads what the projections know of one tenant's meetings and users, no more of it than is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from zoom_common.errors import NotFound
from zoom_common.events.projections.meetings import DEFINITION, INSTANCE, partition
from zoom_common.events.projections.participants import session_sort
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.recordings import FILE, RECORDING
from zoom_common.events.projections.registrations import REGISTRANT
from zoom_common.events.projections.users import PARTITION, USER
from zoom_common.events.projections.views import Instance, Meeting, user_view

_NUMBER = re.compile(r"[0-9]{1,20}")
_NAME = re.compile(r"[\x21-\x7e]{1,120}")


# The connections whose events a caller may see; None for all of its tenant's.
type Reach = frozenset[str] | None


class Records(Protocol):
    """The stored projections."""

    def read(self, tenant: str, partition: str, prefix: str = "") -> dict[str, Record]:
        """Records by sort key."""
        ...


class MeetingReader:
    """One tenant's view, within a caller's reach. Methods raise NotFound for what no event told of, and Unavailable."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def state(self, tenant: str, number: str, reach: Reach = None) -> dict[str, Any]:
        """The meeting's state with the live roster."""
        meeting = self._meeting(tenant, number, reach)
        last = next((each for each in meeting.instances() if each.live), None)
        return (self._with(tenant, meeting, session_sort(last.uuid)) if last else meeting).state()

    def attendance(self, tenant: str, number: str, uuid: str | None = None, reach: Reach = None) -> dict[str, Any]:
        """Who was in one instance: the one named, else the last one."""
        meeting = self._meeting(tenant, number, reach)
        instance = _chosen(meeting.instances(), uuid)
        return self._with(tenant, meeting, session_sort(instance.uuid)).attendance(instance)

    def registrations(self, tenant: str, number: str, reach: Reach = None) -> list[dict[str, Any]]:
        """The registrants."""
        return self._with(tenant, self._meeting(tenant, number, reach), REGISTRANT).registrations()

    def recordings(self, tenant: str, number: str, reach: Reach = None) -> list[dict[str, Any]]:
        """The cloud recordings of every instance."""
        return self._with(tenant, self._meeting(tenant, number, reach), FILE).recordings()

    def user(self, tenant: str, user: str, reach: Reach = None) -> dict[str, Any]:
        """One user of the Zoom account."""
        found = self._records.read(tenant, PARTITION, USER + user) if _NAME.fullmatch(user) else {}
        record = found.get(USER + user)
        if record is None or not _visible([record], reach):
            raise NotFound("User does not exist.", reason="unknown_user", code=1001)
        return user_view(user, record)

    def _meeting(self, tenant: str, number: str, reach: Reach) -> Meeting:
        """What is known of the meeting itself: its definition, instances and recordings."""
        meeting = self._with(tenant, Meeting(_checked(number), {}), DEFINITION, INSTANCE, RECORDING)
        if not _visible(meeting.records.values(), reach):
            raise NotFound("No event has told of this meeting.", reason="unknown_meeting", code=3001)
        return meeting

    def _with(self, tenant: str, meeting: Meeting, *prefixes: str) -> Meeting:
        records: Mapping[str, Record] = meeting.records
        for prefix in prefixes:
            records = {**records, **self._records.read(tenant, partition(meeting.number), prefix)}
        return Meeting(meeting.number, records)


def _chosen(instances: list[Instance], uuid: str | None) -> Instance:
    found = [each for each in instances if uuid is None or each.uuid == uuid]
    if not found:
        raise NotFound("No such instance of the meeting is known.", reason="unknown_instance", code=3001)
    return found[-1]


def _checked(number: str) -> str:
    compact = number.replace(" ", "").replace("-", "")  # as people write it
    if not _NUMBER.fullmatch(compact):
        raise NotFound("A meeting has a number.", reason="unknown_meeting", code=3001)
    return compact


def _visible(records: Iterable[Record], reach: Reach) -> bool:
    return any(reach is None or record.connections & reach for record in records)
