"""What Zoom reports about past meetings, webinars and recordings, and the events that are missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from zoom_common.events.projections.attendance import Session
from zoom_common.events.projections.presence import JOINED, LEFT
from zoom_common.events.projections.projectors import DEFINITION
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.views import Meeting, iso
from zoom_common.events.reconciliation.zoom_reader import HELD, NO_PERMISSION, Lists, Row, ZoomReader, of_webinar
from zoom_common.zoom.events import epoch_ms, identifier, recording_file_name
from zoom_common.zoom.operations.table import encoded_twice

# A report and an event may tell one join some seconds apart.
_SAME_MOMENT_MS = 120_000

_LISTS = ("recording_files", "participant_audio_files")

type ReportRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PastInstance:
    """One time a meeting or webinar was held, as Zoom reports it."""

    account_id: str
    about: ReportRow = field(repr=False)
    participants: Sequence[ReportRow] = field(default=(), repr=False)
    family: str = "meeting"
    presumed_end_ms: int = 0
    """When it was over, presumably, where Zoom reports neither its end nor anybody's leave."""

    @property
    def ended_ms(self) -> int:
        """When it ended, in epoch milliseconds: as Zoom reports it, else with the last leave."""
        return epoch_ms(self._end_time) or self.presumed_end_ms

    @property
    def _end_time(self) -> Any:
        leaves = [moment for row in self.participants if (moment := epoch_ms(row.get("leave_time")))]
        return self.about.get("end_time") or iso(max(leaves, default=None))

    def missing(self, known: Meeting) -> list[bytes]:
        """Bodies of the events that `known` (its instance and sessions) has not seen, oldest first."""
        uuid = str(self.about["uuid"])
        instance = next((each for each in known.instances() if each.uuid == uuid), None)
        found: list[tuple[int, bytes]] = []
        started = epoch_ms(self.about.get("start_time"))
        told = instance is not None and instance.record.values.get("start_told")
        if started is not None and not told:
            found.append((started, self._body("started", started)))
        sessions = {each.user_id: each for each in known.sessions(uuid)}
        for row in self.participants:
            found += self._stay(row, sessions.get(identifier(row.get("user_id")) or ""))
        if instance is None or instance.ended is None:
            # Without an end that Zoom reports the event has none either: subscribers see that nobody knows it.
            end = {"end_time": self._end_time} if self._end_time else {}
            found.append((self.ended_ms, self._body("ended", self.ended_ms, **end)))
        # A list that changed between two of its pages may have somebody twice.
        return list(dict.fromkeys(body for _, body in sorted(found, key=lambda each: each[0])))

    def _stay(self, row: ReportRow, session: Session | None) -> Iterable[tuple[int, bytes]]:
        if row.get("status") == "in_waiting_room" or not identifier(row.get("user_id")):
            return
        for kind, name in ((JOINED, "join_time"), (LEFT, "leave_time")):
            moment = epoch_ms(row.get(name))
            if moment is None or (session is not None and _near(moment, session.record.moments(kind))):
                continue
            # Events say whole seconds; the lists of webinars' participants have fractions of them.
            moment -= moment % 1000
            participant = {**_person(row), name: iso(moment)}
            yield moment, self._body(f"participant_{kind}", moment, participant=participant)

    def _body(self, what: str, moment: int, **more: Any) -> bytes:
        about = {
            key: self.about[key] for key in ("uuid", "host_id", "topic", "type", "start_time") if key in self.about
        }
        name = f"{self.family}.{what}"
        return _event(name, moment, self.account_id, {"id": str(self.about["id"]), **about, **more})


def missing_recordings(account_id: str, recording: ReportRow, known: Meeting) -> list[bytes]:
    """Bodies of `recording.completed` with the files that nobody has told of, oldest first; none when all are known.

    Zoom's API does not say how many events a recording had. So one event has all that is missing;
    unless some of the sets of files, one for each time recording was started, were told whole and the others not at
    all: then Zoom tells set by set, and so does this.
    """
    told = {file["id"] for each in known.recordings() for file in each["recording_files"]}
    files = [(kind, file) for kind in _LISTS for file in recording.get(kind) or []]
    missing = [(kind, file) for kind, file in files if recording_file_name(file) not in told]
    if not missing:
        return []
    begun = {file.get("recording_start") for _, file in missing}
    others = [file for _, file in files if file.get("recording_start") not in begun]
    untouched = all(recording_file_name(file) not in told for _, file in files if file.get("recording_start") in begun)
    if not (others and untouched):
        return [_recorded(account_id, recording, missing)]
    sets = sorted(begun, key=lambda start: epoch_ms(start) or 0)
    return [
        _recorded(account_id, recording, [each for each in missing if each[1].get("recording_start") == start])
        for start in sets
    ]


def _recorded(account_id: str, recording: ReportRow, files: Sequence[tuple[str, ReportRow]]) -> bytes:
    ends = [moment for _, file in files if (moment := epoch_ms(file.get("recording_end")))]
    about = {name: value for name, value in recording.items() if name not in {*_LISTS, "download_access_token"}}
    about |= type_as_number(about)
    if "recording_count" in about:
        about["recording_count"] = len(files)
    if "total_size" in about:
        about["total_size"] = sum(size for _, file in files if isinstance(size := file.get("file_size"), int))
    lists = {kind: [file for of, file in files if of == kind] for kind in _LISTS}
    moment = max(ends, default=0) or epoch_ms(recording.get("start_time")) or 0
    told = {kind: listed for kind, listed in lists.items() if listed}
    return _event("recording.completed", moment, account_id, {**about, **told})


def type_as_number(about: ReportRow) -> dict[str, int]:
    """The `type` of `about` as events have it, a number, where it is one: lists of recordings have it as text."""
    kind = str(about.get("type"))
    return {"type": int(kind)} if kind.isdecimal() else {}


def _person(row: ReportRow) -> dict[str, Any]:
    person = {
        "user_id": str(row["user_id"]),
        "user_name": row.get("name", ""),
        "id": row.get("id", ""),
        "participant_user_id": row.get("id", ""),
        "email": row.get("user_email", ""),
        "registrant_id": row.get("registrant_id"),
        "customer_key": row.get("customer_key") or None,
    }
    return {name: value for name, value in person.items() if value is not None}


def _near(moment: int, seen: Iterable[int]) -> bool:
    return any(abs(moment - each) <= _SAME_MOMENT_MS for each in seen)


def _event(name: str, moment: int, account_id: str, about: dict[str, Any]) -> bytes:
    body = {"event": name, "event_ts": moment, "payload": {"account_id": account_id, "object": about}}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


LISTED = "users/webinars"

_REGISTRANTS = "include_fields=registrant_id"

_SAID = ("host_id", "topic", "type", "duration")

type Times = list[tuple[str, int]]

"""UUID and beginning, in epoch milliseconds."""


class Past(Protocol):
    """One kind of thing that is held. Every method raises what the sight raises."""

    @property
    def family(self) -> str:
        """What Zoom's names of its events begin with."""
        ...

    def numbers(self) -> Iterator[str]:
        """What Zoom lists that may have been held, with repeats."""
        ...

    def times(self, number: str) -> Times:
        """The times it was held."""
        ...

    def instance(self, uuid: str, known: Meeting, settled_ms: int) -> PastInstance | None:
        """One of them with everybody's stays; None when Zoom does not say that it ended before `settled_ms`."""
        ...

    def why_not(self) -> str | None:
        """Why they could not be found, or not be compared in whole; None when they could."""
        ...


class PastMeetings:
    """Meetings."""

    family = "meeting"

    def __init__(self, lists: Lists, account_id: str) -> None:
        self._lists = lists
        self._sight = lists.sight
        self._account = account_id

    def numbers(self) -> Iterator[str]:
        """Return those that were recorded, are planned for the period, or recur, and those that reports list."""
        yield from self._lists.numbers(self._lists.recorded, webinars=False)
        for kind in ("scheduled", "previous_meetings") if self._lists.zoom_user_id is not None else ():
            rows = self._sight.rows(f"/v2/users/me/meetings?type={kind}", "meetings")
            yield from filter(None, (identifier(row.get("id")) for row in rows if self._lists.may_be_held(row)))
        yield from self._lists.numbers(self._lists.reported, webinars=False)

    def times(self, number: str) -> Times:
        """The times it was held within the period."""
        return _times(self._sight.get(f"/v2/past_meetings/{number}/instances?{self._lists.period}").get("meetings"))

    def instance(self, uuid: str, known: Meeting, settled_ms: int) -> PastInstance | None:  # noqa: ARG002
        """One of them."""
        about = self._sight.get(f"/v2/past_meetings/{encoded_twice(uuid)}")
        ended = epoch_ms(about.get("end_time"))
        if ended is None or ended > settled_ms:
            return None
        rows = _participants(self._sight, ("report/meetings", "past_meetings"), uuid)
        return PastInstance(self._account, {**about, "uuid": uuid}, rows)

    def why_not(self) -> str | None:
        """Why they could not be found, or not be compared in whole; None when they could."""
        held = self._sight.why_not("past_meetings/instances") or self._sight.why_not("past_meetings")
        people = self._sight.why_not("past_meetings/participants", "report/meetings/participants")
        return self._lists.why_not("users/meetings") or held or people


class PastWebinars:
    """Webinars. `worth_asking` says whether to ask for the list of them, and `refused` is called if Zoom refuses it.

    Most people have no webinars, and for each of them Zoom would refuse once an hour: apps with too many refusals are
    written to, and may be disabled.
    """

    family = "webinar"

    def __init__(
        self, lists: Lists, account_id: str, *, worth_asking: Callable[[], bool], refused: Callable[[], None]
    ) -> None:
        self._lists = lists
        self._sight = lists.sight
        self._account = account_id
        self._worth_asking = worth_asking
        self._refused = refused
        self._over: dict[str, int] = {}

    def numbers(self) -> Iterator[str]:
        """Return those that were recorded, are planned for the period, or recur, and those that reports list."""
        yield from self._lists.numbers(self._lists.recorded, webinars=True)
        yield from (name for name, row in self._planned.items() if self._lists.may_be_held(row))
        yield from self._lists.numbers(self._lists.reported, webinars=True)

    def times(self, number: str) -> Times:
        """The times it was held, as far as they are over."""
        times = _times(self._sight.get(f"/v2/past_webinars/{number}/instances").get("webinars"))
        for uuid, started in times:
            self._over[uuid] = min(started, self._over.get(uuid, started))
        return times + _times([row for row in self._reported if identifier(row.get("id")) == number])

    def instance(self, uuid: str, known: Meeting, settled_ms: int) -> PastInstance | None:
        """One of them. Where Zoom reports no end, the last leave is the end."""
        report = self._report(uuid)
        ended, started = epoch_ms(report.get("end_time")), self._over.get(uuid)
        if (ended is None and started is None) or (ended or 0) > settled_ms:
            return None
        rows = _participants(self._sight, ("report/webinars", "past_webinars"), uuid)
        said = self._said(known)
        about = {**said, **({"start_time": iso(started)} if started else {}), **report, "id": known.number}
        presumed = _presumed_end(known, uuid, epoch_ms(about.get("start_time")) or 0, said.get("duration"))
        past = PastInstance(self._account, {**about, "uuid": uuid}, rows, self.family, presumed)
        return past if 0 < past.ended_ms <= settled_ms else None

    def why_not(self) -> str | None:
        """Why they could not be found, or not be compared in whole; None when they could."""
        times = self._sight.why_not("past_webinars/instances", HELD)
        people = self._sight.why_not("past_webinars/participants", "report/webinars/participants")
        return self._lists.why_not(LISTED) or times or people

    @cached_property
    def _planned(self) -> dict[str, Row]:
        """Return a person's webinars by number. Those of an account are in the administrators' reports."""
        if self._lists.zoom_user_id is None:
            return {}
        if not self._worth_asking():
            self._sight.unseen[LISTED] = NO_PERMISSION
            return {}
        rows = list(self._sight.rows("/v2/users/me/webinars?type=scheduled", "webinars"))
        if self._sight.unseen.get(LISTED) == NO_PERMISSION:
            self._refused()
        return {name: row for row in rows if (name := identifier(row.get("id")))}

    @cached_property
    def _reported(self) -> list[Row]:
        return [row for row in self._lists.reported if of_webinar(row)]

    def _report(self, uuid: str) -> Row:
        """Return what reports say about it: the list of what was held, or else its own report."""
        listed = next((row for row in self._reported if row.get("uuid") == uuid), None)
        return listed or self._sight.get(f"/v2/report/webinars/{encoded_twice(uuid)}")

    def _said(self, known: Meeting) -> dict[str, Any]:
        """What it is and whose: as planned, as recorded, as any event of it told; else the person's own."""
        recorded = [row for row in self._lists.recorded if identifier(row.get("id")) == known.number]
        told = [each.record.values for each in known.instances()]
        planned = self._planned.get(known.number, {})
        sources = (known.records.get(DEFINITION, Record()).values, planned, *recorded, *told)
        said = {name: source[name] for source in reversed(sources) for name in _SAID if source.get(name)}
        if self._lists.zoom_user_id is not None:
            said.setdefault("host_id", self._lists.zoom_user_id)
        return said | type_as_number(said)


def _presumed_end(known: Meeting, uuid: str, started: int, minutes: object) -> int:
    """An end for the one of which nobody's leave is reported: as planned, or the last thing events told of."""
    seen = [moment for each in known.sessions(uuid) for _, moment in each.record.marks]
    return max([started + minutes * 60_000 if isinstance(minutes, int) else started, *seen])


def _times(rows: object) -> Times:
    listed = rows if isinstance(rows, list) else []
    named = ((identifier(row.get("uuid")), epoch_ms(row.get("start_time")) or 0) for row in listed)
    return [(uuid, started) for uuid, started in named if uuid is not None]


def _participants(sight: ZoomReader, places: Sequence[str], uuid: str) -> list[Row]:
    """Everybody's stays: of administrators from the report, which has the customer keys; else from the past list."""
    for place in places:
        rows = list(sight.rows(f"/v2/{place}/{encoded_twice(uuid)}/participants?{_REGISTRANTS}", "participants"))
        if rows:
            return rows
    return []
