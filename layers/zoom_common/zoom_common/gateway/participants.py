"""Returns a meeting's participants from the best available source. Zoom has no such operation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

from zoom_common.access.principal import Principal
from zoom_common.connections.selection import visible_connections
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import Forbidden, GatewayError, NotFound, Unavailable, ZoomRefused, ZoomScopesMissing
from zoom_common.events.projections.reader import MeetingReader, decoded_uuid, is_number
from zoom_common.gateway.service import Answer
from zoom_common.zoom.operations.table import encoded_twice

LIVE, FROM_EVENTS, REPORT, PAST = "live", "events", "report", "past_meetings"

_SOURCES = {REPORT: "/v2/report/meetings/{}/participants", PAST: "/v2/past_meetings/{}/participants"}

# For a meeting's number, Zoom answers about the last instance, and states its uuid.
_LAST_INSTANCE = "/v2/past_meetings/{}"

_ONE_PERSON = "Only one person was there. Zoom's own lists leave such meetings out; this is from the meeting's events."

_TOO_EARLY = "Zoom has not finished its list of this meeting yet; this is from the meeting's events. Ask again later."

# Headers about the bytes of Zoom's answer do not apply, because the body is another one.
_OF_ZOOMS_BODY = frozenset({"etag", "cache-control", "content-type"})

_NO_TIMES = "Zoom has not worked out how long everybody stayed yet. Ask again in a few minutes."

_NOBODY = (
    "Zoom lists nobody: its list is not ready yet, or only one person was there. The gateway has no events of this "
    "meeting to tell which."
)

_UNKNOWN = (
    "It does not exist, has not been held yet, has only just ended, or only one person was there: Zoom says the same "
    "for all of them, and the gateway has seen no events of it."
)

type Ask = Callable[[str, str], Answer]

type Found = dict[str, Any]


class Roster(Protocol):
    """Live participants and attendance from a meeting's events: `EventRoster`, and scripted ones in tests."""

    def state(self, principal: Principal, number: str) -> dict[str, Any]: ...  # noqa: D102

    def attendance(self, principal: Principal, number: str) -> dict[str, Any]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class EventRoster:
    """Live participants and attendance from a meeting's events, by the meeting's number or the uuid of an instance.

    Methods raise NotFound when the caller can see no event of the meeting.
    """

    reader: MeetingReader
    connections: ConnectionStore

    def state(self, principal: Principal, number: str) -> dict[str, Any]:
        """Return the meeting as it is now, with `status` and, while it is `live`, `participants`.

        By the uuid of an earlier instance, the answer is that it has ended.
        """
        found = self.reader.state(principal.tenant, number, visible_connections(principal, self.connections))
        last = found["instance"] or {}
        other = not is_number(number) and decoded_uuid(number) != last.get("uuid")
        return {"status": "ended"} if other else found

    def attendance(self, principal: Principal, number: str) -> dict[str, Any]:
        """Return who was there the last time the meeting was held."""
        return self.reader.attendance(principal.tenant, number, None, visible_connections(principal, self.connections))


@dataclass(frozen=True, slots=True)
class Participants:
    """Answers `GET /v2/meetings/{meetingId}/participants`. `ask` calls Zoom by path and query string."""

    roster: Roster

    def answer(self, principal: Principal, meeting: str, query_string: str, ask: Ask) -> Answer:
        """Return the participants, with their `source`. Raises ZoomRefused and what `ask` raises."""
        meeting = meeting if is_number(meeting) else decoded_uuid(meeting)
        headers: dict[str, str] = {}

        def ask_and_keep_headers(path: str, query: str) -> Answer:
            """Call Zoom, and keep the headers about the rate limits of the last answer."""
            answer = ask(path, query)
            headers.update({name: value for name, value in answer.headers.items() if name not in _OF_ZOOMS_BODY})
            return answer

        found = self._found(principal, meeting, query_string, ask_and_keep_headers)
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        return Answer(200, {**headers, "content-type": "application/json"}, text.encode())

    def _found(self, principal: Principal, meeting: str, query_string: str, ask: Ask) -> Found:
        query = dict(parse_qsl(query_string))
        place, _, token = query.pop("next_page_token", "").partition(".")
        source, _, instance = place.partition(":")
        if source in _SOURCES and token:
            return _Lists(meeting, instance, ask).page(source, {**query, "next_page_token": token})
        state = self._state(principal, meeting)
        if state.get("status") == LIVE:
            return _listed(LIVE, meeting, list(state.get("participants", ())), settled=True, **_used(state))
        seen = self._attendance(principal, meeting) if _was_held(state) else {}
        try:
            held = _Lists(meeting, _instance(meeting, seen) or _last_instance(meeting, ask), ask).held(query)
        except ZoomRefused as refusal:
            if refusal.status != 404:  # noqa: PLR2004 - HTTP's own number
                raise
            if not seen.get("participants"):
                refusal.hint = _UNKNOWN
                raise
            return _from_events(meeting, seen)
        return held if held["settled"] or not seen.get("participants") else _from_events(meeting, seen)

    def _state(self, principal: Principal, meeting: str) -> dict[str, Any]:
        try:
            return self.roster.state(principal, meeting)
        except (NotFound, Unavailable):
            # Without events, Zoom's own lists are read.
            return {}

    def _attendance(self, principal: Principal, meeting: str) -> dict[str, Any]:
        try:
            return self.roster.attendance(principal, meeting)
        except GatewayError:
            return {}


@dataclass(frozen=True, slots=True)
class _Lists:
    """Zoom's lists of one instance. Without the uuid of an `instance`, they are requested by the meeting's number."""

    meeting: str
    instance: str
    ask: Ask

    def held(self, query: Mapping[str, str]) -> Found:
        """Return Zoom's report where this caller and this connection may read it, else the list for everyone."""
        try:
            return self.page(REPORT, query)
        except (Forbidden, ZoomScopesMissing):
            pass
        except ZoomRefused as refusal:
            if refusal.retryable:
                raise
        return self.page(PAST, query)

    def page(self, source: str, query: Mapping[str, str]) -> Found:
        """Return a page of one of the lists. Its token names the list and the instance."""
        wanted = {**query, "include_fields": "registrant_id"} if source == REPORT else dict(query)
        path = _SOURCES[source].format(encoded_twice(self.instance or self.meeting))
        page = json.loads(self.ask(path, urlencode(wanted)).body or b"null")
        people = (page.get("participants") or []) if isinstance(page, dict) else None
        if not isinstance(people, list) or not all(isinstance(each, dict) for each in people):
            raise Unavailable(reason="zoom_gave_no_list")
        settled = bool(people) and any(each.get("duration") for each in people)
        token = page.get("next_page_token") or ""
        place = f"{source}:{self.instance}" if self.instance else source
        return _listed(
            source,
            self.meeting,
            people,
            settled=settled,
            note=None if settled else _NO_TIMES if people else _NOBODY,
            next_page_token=f"{place}.{token}" if token else "",
            instances_used=[self.instance] if self.instance else None,
            **{name: page[name] for name in ("page_size", "page_count", "total_records") if name in page},
        )


def _instance(meeting: str, seen: Mapping[str, Any]) -> str:
    """Return the uuid of the requested instance, as far as the address or the events state it."""
    used = seen.get("instances_used") or [""]
    return str(used[-1]) if is_number(meeting) else meeting


def _last_instance(number: str, ask: Ask) -> str:
    """Return the uuid of a meeting's last instance as Zoom states it, or an empty text. Raises transient errors."""
    try:
        last = json.loads(ask(_LAST_INSTANCE.format(number), "").body or b"null")
    except GatewayError as error:
        if error.retryable:
            raise
        return ""
    except ValueError:
        return ""
    uuid = last.get("uuid") if isinstance(last, dict) else None
    return uuid if isinstance(uuid, str) else ""


def _was_held(state: Mapping[str, Any]) -> bool:
    """Return whether an instance is over. A series between two of its meetings is `scheduled`."""
    return state.get("status") == "ended" or (state.get("status") == "scheduled" and bool(state.get("instance")))


def _used(answer: Mapping[str, Any]) -> Found:
    """Return the instances that an answer is about, where it states them."""
    return {name: answer[name] for name in ("instances_used",) if name in answer}


def _from_events(meeting: str, seen: Mapping[str, Any]) -> Found:
    people = list(seen["participants"])
    note = _ONE_PERSON if len(people) == 1 else _TOO_EARLY
    return _listed(FROM_EVENTS, meeting, people, settled=False, note=note, **_used(seen))


def _listed(
    source: str, meeting: str, people: list[Any], *, settled: bool, note: str | None = None, **more: Any
) -> Found:
    about: Found = {"source": source, "settled": settled, "meeting_id": meeting}
    if note is not None:
        about["note"] = note
    counted = {"page_size": len(people), "total_records": len(people), "next_page_token": ""}
    return {**about, **counted, **more, "participants": people}
