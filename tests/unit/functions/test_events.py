"""The events function: what the projections answer, to whom."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

from tests.fakes.connection_stores import Memory
from tests.fakes.connections import connection
from tests.fakes.event_stores import Projections
from tests.fakes.handlers import load
from tests.fakes.meeting_life import HOST, NUMBER, Life
from tests.fakes.meeting_stories import START, Story, delivered, iso, person
from zoom_common.access.principal import Principal
from zoom_common.errors import NotFound
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.webhook.status import AppStatus
from zoom_common.zoom.events import parse

HANDLER = Path(__file__).parents[3] / "functions" / "events" / "handler.py"
LESSON = "/lesson//With+Slash0=="
ADA = {"participant_user_id": "", "user_name": "Ada", "registrant_id": "r-1", "email": "ada@guest.example"}


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler's module with one meeting that is on."""
    module = load("events")
    life, projections = Life(), Projections()
    life.plan("meeting.created", topic="Stand-up", occurrences=[{"occurrence_id": "1", "status": "available"}])
    life.start("u/1==")
    life.join("s-1", ADA)
    life.pass_by(90)
    life.leave("s-1", ADA)
    life.join("s-2", ADA)
    life.join("s-3", {"participant_user_id": HOST, "user_name": "Host"})
    life.pass_by(30)
    registrant = {
        "id": "r-1",
        "email": "ada@guest.example",
        "status": "pending",
        "join_url": "https://zoom.example/w/1?tk=s",
    }
    life.plan("meeting.registration_created", registrant=registrant)
    life.pass_by(1)
    life.plan("meeting.registration_approved", registrant={"id": "r-1", "email": "ada@guest.example"})
    life.recorded("f-1")
    life.send("user.updated", {"object": {"id": HOST, "first_name": "Jill"}})
    for at, body in enumerate(life.deliveries):
        event = parse(body)
        projections.apply("acme", changes(event), (event.true_since_ms or 0, str(at)), "con_1")
    reader = MeetingReader(projections)
    monkeypatch.setattr(module, "meetings", lambda: reader)
    monkeypatch.setattr(module, "connections", lambda: None)
    return module


@pytest.fixture
def get(function: ModuleType) -> Callable[..., tuple[int, Any]]:
    """GET a path as a principal: status and JSON."""

    def call(path: str, query: str = "", **principal: Any) -> tuple[int, Any]:
        given = {"tenant": "acme", "subject": "key:k", "scopes": frozenset({"events:read"}), **principal}
        context = {"authorizer": {"lambda": Principal(**given).to_context()}, "http": {"method": "GET"}}
        answer = function.handler({"rawPath": path, "rawQueryString": query, "requestContext": context}, None)
        return answer["statusCode"], json.loads(answer["body"])

    return call


def test_state_has_the_live_roster(get: Callable[..., tuple[int, Any]]) -> None:
    """With the names Zoom's REST API uses for participants, and no personal data Zoom only leaked."""
    status, state = get(f"/meetings/{NUMBER}/state")
    assert status == 200
    assert (state["id"], state["kind"], state["status"], state["topic"]) == (str(NUMBER), "meeting", "live", "Stand-up")
    assert state["instance"] == {
        "uuid": "u/1==",
        "status": "live",
        "start_time": "2026-09-21T14:13:20Z",
        "end_time": None,
    }
    assert [(each["name"], each["user_id"], each["status"]) for each in state["participants"]] == [
        ("Ada", "s-2", "in_meeting"),
        ("Host", "s-3", "in_meeting"),
    ]
    assert state["participants_count"] == 2
    assert state["definition"]["occurrences"] == [{"occurrence_id": "1", "status": "available"}]


def test_attendance_adds_up_sessions_by_person(get: Callable[..., tuple[int, Any]]) -> None:
    """A guest who came back is one person; who is there still has no leave time."""
    status, seen = get(f"/meetings/{NUMBER}/attendance", "uuid=u%2F1%3D%3D")
    assert status == 200
    ada, host = seen["participants"]
    assert (ada["name"], ada["guest"], ada["present"], ada["duration"], ada["minutes"]) == ("Ada", True, True, 90, 1.5)
    assert [(each["user_id"], each["duration"]) for each in ada["sessions"]] == [("s-1", 90), ("s-2", None)]
    assert (host["id"], host["guest"], host["leave_time"]) == (HOST, False, None)


@pytest.fixture
def lesson(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """GET a path about a meeting that was planned and held: the whole answer of the function."""
    story = Story(number="77001")
    story.plan(START)
    story.start(LESSON)
    who = person(story.user_id(), story.device(), "=Sum(1)", email="sum@example.com")
    story.join(who)
    story.now += 1800
    story.leave(who)
    story.end()
    projections = Projections()
    for at, body in enumerate(story.deliveries):
        event = parse(delivered(body))
        projections.apply("acme", changes(event), (event.true_since_ms or 0, str(at)), "con_1")
    reader = MeetingReader(projections)
    monkeypatch.setattr(function, "meetings", lambda: reader)

    def get(path: str, query: str = "", accept: str = "") -> dict[str, Any]:
        principal = Principal(tenant="acme", subject="key:k", scopes=frozenset({"events:read"}))
        context = {"authorizer": {"lambda": principal.to_context()}, "http": {"method": "GET"}}
        about = {"rawPath": path, "rawQueryString": query, "requestContext": context, "headers": {"accept": accept}}
        answer: dict[str, Any] = function.handler(about, None)
        return answer

    return get


def test_attendance_is_read_by_planned_occurrence(lesson: Callable[..., dict[str, Any]]) -> None:
    """By the planned start, with a threshold."""
    answer = lesson("/meetings/77001/attendance", f"occurrence={iso(START)}&present_from=0.75")
    seen = json.loads(answer["body"])
    assert (answer["statusCode"], seen["occurrence"], seen["instances_used"]) == (200, iso(START), [LESSON])
    assert [(each["duration"], each["attended"]) for each in seen["participants"]] == [(1800, True)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("occurrence=yesterday", "occurrence"),
        ("present_from=2", "present_from"),
        ("present_from=nan", "present_from"),
        (f"occurrence={START}&uuid=u", "occurrence"),
        ("occurence=2026-09-21T14:00:00Z", "occurence"),
    ],
)
def test_wrong_fields_of_attendance_are_named(lesson: Callable[..., dict[str, Any]], query: str, field: str) -> None:
    """Nothing is guessed."""
    answer = lesson("/meetings/77001/attendance", query)
    assert (answer["statusCode"], json.loads(answer["body"])["errors"][0]["field"]) == (400, field)


def test_attendance_comes_as_rows(lesson: Callable[..., dict[str, Any]]) -> None:
    """By Accept, as CSV in which a name is never a formula, or as a line of JSON for each person; else as JSON."""
    path = "/meetings/77001/attendance"
    table = lesson(path, accept="text/csv, application/json;q=0.5")
    head, row = table["body"].splitlines()
    assert table["headers"]["content-type"] == "text/csv; charset=utf-8"
    assert table["headers"]["x-gateway-instances"]
    assert (head.split(",")[0], row.split(",")[0]) == ("name", "'=Sum(1)")
    lines = lesson(path, accept="application/x-ndjson")
    assert [json.loads(line)["name"] for line in lines["body"].splitlines()] == ["=Sum(1)"]
    assert lesson(path, accept="*/*")["headers"]["content-type"] == "application/json"


def test_a_series_is_a_matrix(lesson: Callable[..., dict[str, Any]]) -> None:
    """People by occurrences, as JSON, as CSV with a column of minutes for each occurrence, and as JSON lines."""
    path = "/meetings/77001/attendance/matrix"
    seen = json.loads(lesson(path, "present_from=0.5")["body"])
    assert [(each["occurrence"], each["instances_used"]) for each in seen["occurrences"]] == [(iso(START), [LESSON])]
    (person,) = seen["participants"]
    assert (person["duration"], person["occurrences_count"]) == (1800, 1)
    cell = {"occurrence": iso(START), "duration": 1800, "minutes": 30.0, "share": 1.0, "attended": True}
    assert person["occurrences"] == [cell]
    head, row = lesson(path, accept="text/csv")["body"].splitlines()
    assert (head.split(",")[-1], row.split(",")[-1]) == (iso(START), "30.0")
    assert json.loads(lesson(path, accept="application/x-ndjson")["body"])["occurrences_count"] == 1
    assert lesson(path, "form=yesterday")["statusCode"] == 400


@pytest.mark.parametrize("encodings", [0, 1, 2])
def test_a_uuid_is_taken_raw_and_encoded_once_and_twice(lesson: Callable[..., dict[str, Any]], encodings: int) -> None:
    """A UUID with slashes and plus signs is accepted in the path and as `uuid`."""
    name = LESSON
    for _ in range(encodings):
        name = quote(name, safe="")
    for path, query in ((f"/meetings/{name}/attendance", ""), ("/meetings/77001/attendance", f"uuid={name}")):
        answer = lesson(path, query)
        assert (answer["statusCode"], json.loads(answer["body"])["uuid"]) == (200, LESSON)
    state = json.loads(lesson(f"/meetings/{name}/state")["body"])
    assert (state["id"], state["status"]) == ("77001", "ended")


def test_registrations_recordings_and_users_are_read(get: Callable[..., tuple[int, Any]]) -> None:
    """The last word on each, without links that let their holder in."""
    registrations = get(f"/meetings/{NUMBER}/registrations")[1]
    (registrant,) = registrations["registrants"]
    assert registrations["instances_used"] == []
    assert registrant == {"id": "r-1", "email": "ada@guest.example", "status": "approved"}
    recordings = get(f"/meetings/{NUMBER}/recordings")[1]
    (recording,) = recordings["meetings"]
    assert recordings["instances_used"] == ["u/1=="]
    assert (recording["uuid"], recording["status"]) == ("u/1==", "available")
    assert [(file["id"], file["availability"]) for file in recording["recording_files"]] == [("f-1", "available")]
    assert get(f"/users/{HOST}")[1]["first_name"] == "Jill"


@pytest.mark.parametrize("kind", ["state", "attendance", "attendance/matrix", "registrations", "recordings"])
def test_nobody_sees_anothers_meeting(get: Callable[..., tuple[int, Any]], kind: str) -> None:
    """Another tenant's is a 404, and so is another connection's to a key that is bound to one."""
    path = f"/meetings/{NUMBER}/{kind}"
    assert get(path)[0] == 200
    assert get(path, connection="con_1")[0] == 200
    for stranger in ({"tenant": "globex"}, {"connection": "con_2"}):
        status, body = get(path, **stranger)
        assert (status, body["code"]) == (404, 3001)
    assert get(path, scopes=frozenset({"meetings:read"}))[0] == 403


@pytest.mark.parametrize("number", ["0", "x", "1" * 40, "..", "1%23definition"])
def test_what_no_event_reported_is_unknown(get: Callable[..., tuple[int, Any]], number: str) -> None:
    """Any text in the place of the number that no event has reported is a 404."""
    assert get(f"/meetings/{number}/state")[0] == 404
    assert get(f"/meetings/{NUMBER}/attendance", "uuid=other")[0] == 404
    assert get("/users/other")[0] == 404


def test_a_person_sees_what_came_by_their_own_connections(function: ModuleType) -> None:
    """Reach is a set of connections; a meeting that came by another one is unknown."""
    with pytest.raises(NotFound):
        function.meetings().state("acme", str(NUMBER), frozenset({"con_2"}))
    assert function.meetings().state("acme", str(NUMBER), frozenset({"con_1"}))["status"] == "live"


@pytest.mark.parametrize("sample", ["events-meeting-state", "events-meeting-attendance"])
def test_the_samples_are_what_the_api_sends(function: ModuleType, sample: str) -> None:
    """Understood to the end: the sample's own tenant has no such meeting."""
    event = json.loads((HANDLER.parents[2] / "events" / f"{sample}.json").read_text())
    answer = function.handler(event, None)
    assert (answer["statusCode"], json.loads(answer["body"])["reason"]) == (404, "unknown_meeting")


class StatusNotes:
    """What is known of one app, and of who was refused."""

    def of_app(self, app: str) -> AppStatus:
        return AppStatus(challenged_at=1_000_000_000.0) if app == "app-1" else AppStatus()

    def rejections(self) -> dict[str, float]:
        return {"wrong_signature": 1_000_000_000.0}


@pytest.fixture
def webhooks(
    function: ModuleType, get: Callable[..., tuple[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, Any]]:
    """`GET /webhooks` of a tenant with two connections by two Zoom apps; another tenant has one too."""
    memory = Memory()
    for tenant, name, app, owner in (
        ("acme", "con_1", "app-1", "key:k"),
        ("acme", "con_2", "app-2", "oidc:jill"),
        ("globex", "con_3", "app-1", "key:k"),
    ):
        memory.put(connection(tenant=tenant, connection_id=name, client_id=app, owner=owner))
    monkeypatch.setattr(function, "connections", lambda: memory)
    monkeypatch.setattr(function, "webhook_status", StatusNotes)

    def call(query: str = "", **principal: Any) -> tuple[int, Any]:
        return get("/webhooks", query, **{"scopes": frozenset({"connections:read"}), **principal})

    return call


def test_webhooks_are_shown_for_each_connection(webhooks: Callable[..., tuple[int, Any]]) -> None:
    """Each with its own app's status, and a page at a time."""
    status, reply = webhooks()
    assert status == 200
    assert [(each["id"], each["challenge_overdue"]) for each in reply["connections"]] == [
        ("con_1", True),
        ("con_2", False),
    ]
    assert reply["rejections"][0]["reason"] == "wrong_signature"
    first = webhooks("page_size=1")[1]
    second = webhooks(f"page_size=1&next_page_token={first['next_page_token']}")[1]
    assert [each["connections"][0]["id"] for each in (first, second)] == ["con_1", "con_2"]
    assert second["next_page_token"] == ""


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ({"tenant": "globex"}, ["con_3"]),
        ({"connection": "con_2"}, ["con_2"]),
        ({"subject": "oidc:jill"}, ["con_2"]),
        ({"tenant": "nobody"}, []),
    ],
)
def test_webhooks_of_others_are_not_shown(
    webhooks: Callable[..., tuple[int, Any]], who: dict[str, Any], sees: list[str]
) -> None:
    """A tenant sees its own connections, a bound key its one, a person theirs."""
    assert [each["id"] for each in webhooks(**who)[1]["connections"]] == sees


def test_webhooks_take_a_scope_and_sense(webhooks: Callable[..., tuple[int, Any]]) -> None:
    """The routes need a scope and valid parameters, and refuse in Zoom's shape."""
    assert webhooks(scopes=frozenset({"events:read"}))[0] == 403
    assert webhooks("page_size=0")[0] == 400
    assert webhooks(connection="con_3")[0] == 404
