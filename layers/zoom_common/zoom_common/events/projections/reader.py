"""Reads a tenant's meetings and users from the projections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from zoom_common.errors import NotFound
from zoom_common.events.projections.keys import (
    COMPARED,
    DEFINITION,
    FILE,
    INSTANCE,
    LOBBY,
    NUMBER,
    RECORDING,
    REGISTRANT,
    SESSION,
    USER,
    USERS,
    partition,
    session_sort,
)
from zoom_common.events.projections.matrix import matrix_of
from zoom_common.events.projections.meeting import Instance, Meeting
from zoom_common.events.projections.occurrences import Planned
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.projections.views import user_view

_NUMBER = re.compile(r"[0-9]{1,20}")

_UUID = re.compile(r"[A-Za-z0-9+/]{20,40}={0,2}")

_NAME = re.compile(r"[\x21-\x7e]{1,120}")

# The connections whose events a caller may see; None for all of its tenant's.
type Reach = frozenset[str] | None


class MeetingReader:
    """Reads for one tenant, within a caller's reach. Methods raise NotFound and Unavailable."""

    def __init__(self, records: ProjectionStore, *, clock: Callable[[], float] | None = None) -> None:
        """`clock` gives epoch seconds. Without it, no meeting is assumed to be over because of its age."""
        self._records = records
        self._clock = clock

    def state(self, tenant: str, number: str, reach: Reach = None) -> dict[str, Any]:
        """Return the meeting's state with the live roster.

        A meeting is named by its number or the uuid of an instance.
        """
        meeting = self._meeting(tenant, number, reach)
        instances = meeting.instances()
        wanted = [instances[-1].uuid] if instances and (instances[-1].live or instances[-1].ended is None) else []
        lobby = meeting.lobby()
        return self._with_sessions(tenant, meeting, [*wanted, *([lobby] if lobby else [])]).state()

    def attendance(
        self,
        tenant: str,
        number: str,
        uuid: str | None = None,
        reach: Reach = None,
        *,
        occurrence: int | None = None,
        present_from: float | None = None,
    ) -> dict[str, Any]:
        """Return who was in one instance (the named one, else the last), or in one occurrence by its planned start."""
        meeting = self._with(tenant, self._meeting(tenant, number, reach), COMPARED)
        instances = meeting.instances()
        uuid = decoded_uuid(uuid) if uuid else None
        if uuid is None and occurrence is None and not is_number(number):
            uuid = decoded_uuid(number)
        open_ended = [each.uuid for each in instances if each.ended is None]
        if occurrence is None:
            chosen = _chosen(instances, uuid)
            meeting = self._with_sessions(tenant, meeting, {*open_ended, chosen.uuid})
            return meeting.attendance(chosen, present_from)
        meeting = self._with_sessions(tenant, meeting, open_ended)
        planned = meeting.planned() or [Planned(occurrence)]
        of = meeting.occurrences(planned)
        used = {name for name, plan in of.items() if plan is not None and plan.start == occurrence}
        found = self._with_sessions(tenant, meeting, used - {*open_ended}).occurrence(occurrence, present_from)
        if found is None:
            raise NotFound("No such occurrence is planned.", reason="unknown_occurrence", code=3001)
        return found

    def matrix(
        self,
        tenant: str,
        number: str,
        reach: Reach = None,
        *,
        since: int | None = None,
        until: int | None = None,
        present_from: float | None = None,
    ) -> dict[str, Any]:
        """Return who was in which occurrence planned from `since` until before `until` (epoch milliseconds)."""
        meeting = self._with(tenant, self._meeting(tenant, number, reach), COMPARED, SESSION)
        return matrix_of(meeting, since=since, until=until, present_from=present_from)

    def registrations(self, tenant: str, number: str, reach: Reach = None) -> list[dict[str, Any]]:
        """Return the registrants."""
        return self._with(tenant, self._meeting(tenant, number, reach), REGISTRANT).registrations()

    def recordings(self, tenant: str, number: str, reach: Reach = None) -> list[dict[str, Any]]:
        """Return the cloud recordings of every instance."""
        return self._with(tenant, self._meeting(tenant, number, reach), FILE).recordings()

    def user(self, tenant: str, user: str, reach: Reach = None) -> dict[str, Any]:
        """Return one user of the Zoom account."""
        found = self._records.read(tenant, USERS, USER + user) if _NAME.fullmatch(user) else {}
        record = found.get(USER + user)
        if record is None or not _visible([record], reach):
            raise NotFound("User does not exist.", reason="unknown_user", code=1001)
        return user_view(user, record)

    def _meeting(self, tenant: str, number: str, reach: Reach) -> Meeting:
        """Return the meeting without its sessions: definition, instances, recordings, and who is waited for."""
        now = None if self._clock is None else int(self._clock() * 1000)
        unread = Meeting(self._number(tenant, number), {}, now)
        meeting = self._with(tenant, unread, DEFINITION, INSTANCE, LOBBY, RECORDING)
        if not _visible(meeting.records.values(), reach):
            raise NotFound("No event about this meeting has arrived.", reason="unknown_meeting", code=3001)
        return meeting

    def _number(self, tenant: str, name: str) -> str:
        """Return the number of a meeting from `name`, which is the number itself or the uuid of an instance."""
        if is_number(name):
            return _compact(name)
        uuid = decoded_uuid(name)
        found = self._records.read(tenant, partition(uuid), NUMBER) if _UUID.fullmatch(uuid) else {}
        if NUMBER not in found:
            raise NotFound("No event about this meeting has arrived.", reason="unknown_meeting", code=3001)
        return str(found[NUMBER].values["number"])

    def _with(self, tenant: str, meeting: Meeting, *prefixes: str) -> Meeting:
        records: Mapping[str, Record] = meeting.records
        for prefix in prefixes:
            records = {**records, **self._records.read(tenant, partition(meeting.number), prefix)}
        return Meeting(meeting.number, records, meeting.now)

    def _with_sessions(self, tenant: str, meeting: Meeting, uuids: Iterable[str]) -> Meeting:
        return self._with(tenant, meeting, *(session_sort(uuid) for uuid in uuids))


def _chosen(instances: list[Instance], uuid: str | None) -> Instance:
    found = [each for each in instances if uuid is None or each.uuid == uuid]
    if not found:
        raise NotFound("No such instance of the meeting is known.", reason="unknown_instance", code=3001)
    return found[-1]


def decoded_uuid(text: str) -> str:
    """Return a uuid that was sent raw, or percent-encoded once or twice. It is base64, so a space was a plus sign.

    https://developers.zoom.us/docs/api/using-zoom-apis/#meeting-id-and-uuid
    """
    once = unquote(text) if "%" in text else text
    twice = unquote(once) if "%" in once else once
    return twice.replace(" ", "+")


def _compact(number: str) -> str:
    return number.replace(" ", "").replace("-", "")  # as people write it


def is_number(name: str) -> bool:
    """Return whether a meeting is named by its number, also with spaces; otherwise it is a uuid."""
    return _NUMBER.fullmatch(_compact(name)) is not None


def _visible(records: Iterable[Record], reach: Reach) -> bool:
    return any(reach is None or record.connections & reach for record in records)
