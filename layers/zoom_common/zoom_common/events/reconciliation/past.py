"""Past meetings and webinars as Zoom reports them: their instances, with everybody's stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from zoom_common.events.projections.keys import DEFINITION
from zoom_common.events.projections.meeting import Meeting
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.views import iso
from zoom_common.events.reconciliation.missing_events import PastInstance, type_as_number
from zoom_common.events.reconciliation.zoom_reader import HELD, NO_PERMISSION, Lists, Row, ZoomReader, of_webinar
from zoom_common.zoom.events import epoch_ms, identifier
from zoom_common.zoom.operations.table import encoded_twice

LISTED = "users/webinars"

_REGISTRANTS = "include_fields=registrant_id"

_SAID = ("host_id", "topic", "type", "duration")

type Times = list[tuple[str, int]]

"""UUID and begin, in epoch milliseconds."""


class NotShown(Exception):
    """Zoom shows nothing of an instance."""


class Past(Protocol):
    """Meetings or webinars. Every method raises what the reader of Zoom raises."""

    @property
    def family(self) -> str:
        """The word that the names of its events begin with."""
        ...

    @property
    def planned(self) -> Mapping[str, Row]:
        """Return what Zoom lists as planned, by number."""
        ...

    def numbers(self) -> Iterator[str]:
        """Yield the numbers of meetings that may have been held, with repetitions."""
        ...

    def times(self, number: str) -> Times:
        """Return the instances."""
        ...

    def instance(self, uuid: str, known: Meeting, settled_ms: int) -> PastInstance | None:
        """Return an instance with everybody's stays, or None when Zoom does not say that it ended before `settled_ms`.

        Raises NotShown.
        """
        ...

    def why_not(self) -> str | None:
        """Return why instances could not be found or completely compared, or None when they could."""
        ...


class PastMeetings:
    """Meetings."""

    family = "meeting"

    def __init__(self, lists: Lists, account_id: str) -> None:
        self._lists = lists
        self._reader = lists.reader
        self._account = account_id

    def numbers(self) -> Iterator[str]:
        """Return those that were recorded, are planned for the period, or recur, and those that reports list."""
        yield from self._lists.numbers(self._lists.recorded, webinars=False)
        yield from (name for name, row in self.planned.items() if self._lists.may_be_held(row))
        for row in self._rows("previous_meetings"):
            name = identifier(row.get("id"))
            if name is not None and self._lists.may_be_held(row):
                yield name
        yield from self._lists.numbers(self._lists.reported, webinars=False)

    def times(self, number: str) -> Times:
        """Return the instances within the period."""
        return _times(self._reader.get(f"/v2/past_meetings/{number}/instances?{self._lists.period}").get("meetings"))

    def instance(self, uuid: str, known: Meeting, settled_ms: int) -> PastInstance | None:  # noqa: ARG002
        """Return one instance."""
        about = self._reader.get(f"/v2/past_meetings/{encoded_twice(uuid)}")
        if not about:
            raise NotShown
        ended = epoch_ms(about.get("end_time"))
        if ended is None or ended > settled_ms:
            return None
        rows = _participants(self._reader, ("report/meetings", "past_meetings"), uuid)
        return PastInstance(self._account, {**about, "uuid": uuid}, rows)

    def why_not(self) -> str | None:
        """Return why instances could not be found or completely compared, or None when they could."""
        held = self._reader.why_not("past_meetings/instances") or self._reader.why_not("past_meetings")
        people = self._reader.why_not("past_meetings/participants", "report/meetings/participants")
        return self._lists.why_not("users/meetings") or held or people

    @cached_property
    def planned(self) -> Mapping[str, Row]:
        """Return a person's scheduled meetings by number.

        Those of a whole account are in the administrators' reports.
        """
        return {name: row for row in self._rows("scheduled") if (name := identifier(row.get("id")))}

    def _rows(self, kind: str) -> Iterator[Row]:
        if self._lists.zoom_user_id is None:
            return iter(())
        return self._reader.rows(f"/v2/users/me/meetings?type={kind}", "meetings")


class PastWebinars:
    """Webinars. `worth_asking` says whether to ask for their list, and `refused` is called if Zoom refuses it.

    Most people have no webinars, and Zoom would refuse the list for each of them every hour. Zoom warns apps with too
    many refusals and may disable them.
    """

    family = "webinar"

    def __init__(
        self, lists: Lists, account_id: str, *, worth_asking: Callable[[], bool], refused: Callable[[], None]
    ) -> None:
        self._lists = lists
        self._reader = lists.reader
        self._account = account_id
        self._worth_asking = worth_asking
        self._refused = refused
        self._over: dict[str, int] = {}

    def numbers(self) -> Iterator[str]:
        """Return those that were recorded, are planned for the period, or recur, and those that reports list."""
        yield from self._lists.numbers(self._lists.recorded, webinars=True)
        yield from (name for name, row in self.planned.items() if self._lists.may_be_held(row))
        yield from self._lists.numbers(self._lists.reported, webinars=True)

    def times(self, number: str) -> Times:
        """Return the instances that are over."""
        times = _times(self._reader.get(f"/v2/past_webinars/{number}/instances").get("webinars"))
        for uuid, started in times:
            self._over[uuid] = min(started, self._over.get(uuid, started))
        return times + _times([row for row in self._reported if identifier(row.get("id")) == number])

    def instance(self, uuid: str, known: Meeting, settled_ms: int) -> PastInstance | None:
        """Return one instance. Where Zoom reports no end, the last leave is the end."""
        report = self._report(uuid)
        ended, started = epoch_ms(report.get("end_time")), self._over.get(uuid)
        if ended is None and started is None:
            raise NotShown
        if (ended or 0) > settled_ms:
            return None
        rows = _participants(self._reader, ("report/webinars", "past_webinars"), uuid)
        said = self._said(known)
        about = {**said, **({"start_time": iso(started)} if started else {}), **report, "id": known.number}
        presumed = _presumed_end(known, uuid, epoch_ms(about.get("start_time")) or 0, said.get("duration"))
        past = PastInstance(self._account, {**about, "uuid": uuid}, rows, self.family, presumed)
        return past if 0 < past.ended_ms <= settled_ms else None

    def why_not(self) -> str | None:
        """Return why instances could not be found or completely compared, or None when they could."""
        times = self._reader.why_not("past_webinars/instances", HELD)
        people = self._reader.why_not("past_webinars/participants", "report/webinars/participants")
        return self._lists.why_not(LISTED) or times or people

    @cached_property
    def planned(self) -> Mapping[str, Row]:
        """Return a person's webinars by number. Those of a whole account are in the administrators' reports."""
        if self._lists.zoom_user_id is None:
            return {}
        if not self._worth_asking():
            self._reader.unseen[LISTED] = NO_PERMISSION
            return {}
        rows = list(self._reader.rows("/v2/users/me/webinars?type=scheduled", "webinars"))
        if self._reader.unseen.get(LISTED) == NO_PERMISSION:
            self._refused()
        return {name: row for row in rows if (name := identifier(row.get("id")))}

    @cached_property
    def _reported(self) -> list[Row]:
        return [row for row in self._lists.reported if of_webinar(row)]

    def _report(self, uuid: str) -> Row:
        """Return the reports' row of an instance: from the list of held webinars, or else its own report."""
        listed = next((row for row in self._reported if row.get("uuid") == uuid), None)
        return listed or self._reader.get(f"/v2/report/webinars/{encoded_twice(uuid)}")

    def _said(self, known: Meeting) -> dict[str, Any]:
        """Return the fields and the host of an instance: as planned, recorded or in events, else the connection's."""
        recorded = [row for row in self._lists.recorded if identifier(row.get("id")) == known.number]
        instances = [each.record.values for each in known.instances()]
        planned = self.planned.get(known.number, {})
        sources = (known.records.get(DEFINITION, Record()).values, planned, *recorded, *instances)
        said = {name: source[name] for source in reversed(sources) for name in _SAID if source.get(name)}
        if self._lists.zoom_user_id is not None:
            said.setdefault("host_id", self._lists.zoom_user_id)
        return said | type_as_number(said)


def _presumed_end(known: Meeting, uuid: str, started: int, minutes: object) -> int:
    """Return an end for an instance without a reported leave: as planned, or the last time in its events."""
    seen = [moment for each in known.sessions(uuid) for _, moment in each.record.marks]
    return max([started + minutes * 60_000 if isinstance(minutes, int) else started, *seen])


def _times(rows: object) -> Times:
    listed = rows if isinstance(rows, list) else []
    named = ((identifier(row.get("uuid")), epoch_ms(row.get("start_time")) or 0) for row in listed)
    return [(uuid, started) for uuid, started in named if uuid is not None]


def _participants(reader: ZoomReader, places: Sequence[str], uuid: str) -> list[Row]:
    """Return everybody's stays: for administrators from the report with its customer keys, else from the past list."""
    for place in places:
        rows = list(reader.rows(f"/v2/{place}/{encoded_twice(uuid)}/participants?{_REGISTRANTS}", "participants"))
        if rows:
            return rows
    return []
