"""Who is or was in a meeting, and where that is known from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from tests.fakes.connection_stores import Memory
from tests.fakes.event_stores import Projections
from tests.fakes.meeting_stories import START, Story, delivered, iso, person
from zoom_common.access.principal import Principal
from zoom_common.errors import NotFound, Unavailable, ZoomRefused, ZoomScopesMissing
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.gateway.participants import EventRoster, Participants
from zoom_common.gateway.service import Answer
from zoom_common.zoom.events import parse
from zoom_common.zoom.operations.table import encoded_twice

CALLER = Principal("acme", "key:1", frozenset({"*"}))
JILL = {"id": "u1", "name": "Jill", "duration": 60}
NO_SCOPES = ZoomScopesMissing(["report:read:list_meeting_participants:admin"])
PAST = "/v2/past_meetings/85746065/participants"
REPORT = "/v2/report/meetings/85746065/participants"
LAST = "/v2/past_meetings/85746065"
UUID = "4444AAAiAAAAAiAiAiiAii=="


def unknown() -> ZoomRefused:
    return ZoomRefused(404, b'{"code":3001}', zoom_code=3001, reason="unknown_meeting")


@dataclass
class Events:
    """What events told of one meeting."""

    status: str | None = None
    people: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    def state(self, principal: Principal, number: str) -> dict[str, Any]:  # noqa: ARG002 - the seam's signature
        if self.down:
            raise Unavailable(reason="events_unavailable")
        if self.status is None:
            raise NotFound
        return {"status": self.status, "participants": self.people if self.status == "live" else []}

    def attendance(self, principal: Principal, number: str) -> dict[str, Any]:  # noqa: ARG002 - as above
        return {"participants": self.people}


@dataclass
class Zoom:
    """Zoom's answers by path; a path it does not have fails the test."""

    answers: dict[str, dict[str, Any] | Exception]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def ask(self, path: str, query: str) -> Answer:
        self.asked.append((path, dict(parse_qsl(query))))
        found = self.answers.get(path, unknown()) if path == LAST else self.answers[path]
        if isinstance(found, Exception):
            raise found
        return Answer(200, {"etag": 'W/"1"', "x-zoom-budget-left": "7"}, json.dumps(found).encode())


def found(events: Events, zoom: Zoom, query: str = "", meeting: str = "85746065") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(Participants(events).answer(CALLER, meeting, query, zoom.ask).body)
    return answer


def test_while_it_runs_the_events_tell_who_is_there() -> None:
    """Zoom is not asked."""
    zoom = Zoom({})
    answer = found(Events("live", [JILL]), zoom)
    assert (answer["source"], answer["participants"], zoom.asked) == ("live", [JILL], [])


def test_the_answer_says_how_the_budget_stands() -> None:
    """As the last call that it took said; nothing of it is about the bytes of Zoom's answer."""
    zoom = Zoom({REPORT: {"participants": [JILL]}})
    answer = Participants(Events("ended", [JILL])).answer(CALLER, "85746065", "", zoom.ask)
    assert answer.headers == {"x-zoom-budget-left": "7", "content-type": "application/json"}


@pytest.mark.parametrize("page", [[], {"participants": 5}, {"participants": ["Ada"]}])
def test_what_is_no_list_is_none(page: Any) -> None:
    """An answer that is not a list gives no participants, and is no fault of ours."""
    with pytest.raises(Unavailable) as none:
        found(Events("ended"), Zoom({REPORT: page}))
    assert none.value.reason == "zoom_gave_no_list"


def test_after_it_the_report_has_most() -> None:
    """Where the connection and the caller may read it."""
    zoom = Zoom({REPORT: {"participants": [JILL, JILL], "total_records": 2, "next_page_token": ""}})
    answer = found(Events("ended", [JILL]), zoom, "page_size=10")
    assert (answer["source"], answer["settled"], answer["total_records"]) == ("report", True, 2)
    assert zoom.asked == [(LAST, {}), (REPORT, {"page_size": "10", "include_fields": "registrant_id"})]


@pytest.mark.parametrize("refusal", [NO_SCOPES, unknown()])
def test_without_the_report_there_is_the_list_for_everyone(refusal: Exception) -> None:
    """`past_meetings` works with a user's scopes."""
    zoom = Zoom({REPORT: refusal, PAST: {"participants": [JILL], "page_size": 30, "next_page_token": ""}})
    answer = found(Events(), zoom)
    assert (answer["source"], answer["page_size"]) == ("past_meetings", 30)


def test_pages_stay_with_their_source() -> None:
    """The token names it."""
    zoom = Zoom({REPORT: NO_SCOPES, PAST: {"participants": [JILL], "next_page_token": "a.b+c="}})
    token = found(Events(), zoom)["next_page_token"]
    assert token == "past_meetings.a.b+c="
    found(Events("live", [JILL]), zoom, "next_page_token=past_meetings.a.b%2Bc%3D")
    assert zoom.asked[-1] == (PAST, {"next_page_token": "a.b+c="})


def test_zooms_lists_name_the_instance_that_they_are_of() -> None:
    """Zoom says by a number which instance was the last; all pages are of that one."""
    one, another = quote(quote(UUID, safe=""), safe=""), {"participants": [JILL], "next_page_token": "t"}
    path = f"/v2/report/meetings/{one}/participants"
    zoom = Zoom({LAST: {"uuid": UUID}, path: another})
    first = found(Events(), zoom)
    assert (first["meeting_id"], first["instances_used"]) == ("85746065", [UUID])
    again = found(Events(), zoom, f"next_page_token={quote(first['next_page_token'])}")
    assert again["instances_used"] == [UUID]
    assert [asked for asked, _ in zoom.asked] == [LAST, path, path]


@pytest.mark.parametrize("said", [unknown(), NO_SCOPES, {}, {"uuid": 5}])
def test_an_instance_that_nobody_names_is_null(said: dict[str, Any] | Exception) -> None:
    """The list is of the last one, by Zoom's word."""
    zoom = Zoom({LAST: said, REPORT: {"participants": [JILL]}})
    assert found(Events(), zoom)["instances_used"] is None


def test_a_meeting_of_one_person_is_answered_from_its_events() -> None:
    """Zoom leaves it out, as an empty list or as a 404."""
    lone: list[dict[str, Any] | Exception] = [{"participants": []}, unknown()]
    for answer in lone:
        reply = found(Events("ended", [JILL]), Zoom({REPORT: NO_SCOPES, PAST: answer}))
        assert (reply["source"], reply["settled"], reply["participants"]) == ("events", False, [JILL])
        assert "one person" in reply["note"]


def test_too_early_after_the_end_is_answered_from_its_events() -> None:
    """When Zoom lists nobody or only durations of zero, the answer is from the meeting's events."""
    for people in ([], [{"id": "u1", "duration": 0}]):
        reply = found(Events("ended", [JILL, JILL]), Zoom({REPORT: NO_SCOPES, PAST: {"participants": people}}))
        assert (reply["source"], len(reply["participants"])) == ("events", 2)
        assert "not finished" in reply["note"]


@pytest.mark.parametrize("events", [Events(), Events(down=True)])
def test_without_events_the_answer_says_what_is_not_known(events: Events) -> None:
    """An empty list is no proof of an empty meeting."""
    reply = found(events, Zoom({REPORT: NO_SCOPES, PAST: {"participants": []}}))
    assert (reply["participants"], reply["settled"]) == ([], False)
    assert "not ready" in reply["note"]
    zeros = found(events, Zoom({REPORT: NO_SCOPES, PAST: {"participants": [{"duration": 0}]}}))
    assert "Ask again" in zeros["note"]


def test_an_unknown_meeting_is_zooms_404_with_what_it_may_mean() -> None:
    """Four things look the same at Zoom."""
    with pytest.raises(ZoomRefused) as refusal:
        found(Events("scheduled"), Zoom({REPORT: NO_SCOPES, PAST: unknown()}))
    assert "not been held" in (refusal.value.hint or "")


def test_a_refusal_for_rate_is_no_reason_to_ask_elsewhere() -> None:
    """The other list would cost quota too."""
    limited = ZoomRefused(429, b"{}", zoom_code=429, reason="zoom_rate_limited", retryable=True)
    for zoom, asked in ((Zoom({LAST: limited}), [LAST]), (Zoom({LAST: {}, REPORT: limited}), [LAST, REPORT])):
        with pytest.raises(ZoomRefused):
            found(Events("ended"), zoom)
        assert [path for path, _ in zoom.asked] == asked


def test_a_uuid_with_slashes_reaches_zoom() -> None:
    """As a path of ours it is encoded twice."""
    path = "/v2/past_meetings/%252Fajb%252Bc%253D%253D/participants"
    zoom = Zoom({REPORT.replace("85746065", "%252Fajb%252Bc%253D%253D"): NO_SCOPES, path: {"participants": [JILL]}})
    assert found(Events(), zoom, meeting="/ajb+c==")["source"] == "past_meetings"


def roster_of(story: Story) -> EventRoster:
    """What the deliveries of a story tell a caller that reaches every connection."""
    projections = Projections()
    for at, body in enumerate(story.deliveries):
        event = parse(delivered(body))
        projections.apply("acme", changes(event), (event.true_since_ms or 0, str(at)))
    return EventRoster(MeetingReader(projections), Memory())


def test_a_uuid_names_its_instance_and_not_the_one_that_runs() -> None:
    """However it is encoded; and the answer says which instance it is of."""
    story = Story()
    for name in ("First", "Second"):
        story.start(f"/{name}//Of+Two".ljust(22, "0") + "==")
        story.join(person(story.user_id(), story.device(), name))
        story.now += 60
        if name == "First":
            first = story.uuid
            story.end()
    for uuid in (first, quote(first, safe=""), quote(quote(first, safe=""), safe="")):
        zoom = Zoom({each.replace("85746065", encoded_twice(first)): unknown() for each in (REPORT, PAST)})
        answer = json.loads(Participants(roster_of(story)).answer(CALLER, uuid, "", zoom.ask).body)
        assert (answer["source"], answer["instances_used"]) == ("events", [first])
        assert [each["name"] for each in answer["participants"]] == ["First"]
    live = json.loads(Participants(roster_of(story)).answer(CALLER, story.number, "", Zoom({}).ask).body)
    assert (live["source"], live["instances_used"]) == ("live", [story.uuid])


def test_a_series_between_two_meetings_shows_the_last_one() -> None:
    """Its state is `scheduled`, and it was held."""
    story = Story(number="85746065")
    weeks = [{"occurrence_id": str(at), "start_time": iso(START + at * 7 * 86_400)} for at in range(2)]
    story.plan(START, type=8, occurrences=weeks)
    story.start()
    story.join(person(story.user_id(), story.device(), "Lone"))
    story.now += 60
    story.end()
    roster = roster_of(story)
    assert roster.state(CALLER, story.number)["status"] == "scheduled"
    zoom = Zoom({each.replace("85746065", encoded_twice(story.uuid)): unknown() for each in (REPORT, PAST)})
    answer = json.loads(Participants(roster).answer(CALLER, story.number, "", zoom.ask).body)
    assert [each["name"] for each in answer["participants"]] == ["Lone"]
