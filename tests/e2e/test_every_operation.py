"""Every row of the operations table, through the deployed stack, against the simulated Zoom."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from dev.demo import Story
from dev.waiting import wait_until
from tests.contract.valid_requests import valid_request
from tests.fakes.waiting import CALL_SECONDS
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import match, operations

pytestmark = pytest.mark.e2e

OWNER = "owner@zoom.example"
ROWS = {each.name: each for each in operations()}


class Caller:
    """A program that calls operations by name, and keeps which ones it has called."""

    def __init__(self, program: httpx.Client, zoom: httpx.Client) -> None:
        self.program, self.zoom = program, zoom
        self.called: set[str] = set()

    def __call__(self, name: str, path: str, *, status: int | None = None, **more: Any) -> Any:
        """The answer's JSON; the path is below `/v2`."""
        operation = ROWS[name]
        answer = self.program.request(operation.method, f"/v2{path}", **more)
        assert answer.status_code == (status or operation.success), (name, answer.status_code, answer.text[:500])
        if status is None:
            # What was called is what the table says was called.
            assert match(operation.method, f"/v2{path}".partition("?")[0])[0].name == name
            self.called.add(name)
        return answer.json() if answer.content else None

    def life(self, meeting: str, act: str, **body: Any) -> Any:
        """Let something happen in a meeting, in the simulated Zoom."""
        answer = self.zoom.post(f"/_sim/meetings/{quote(quote(meeting, safe=''), safe='')}/{act}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def behave(self, **switches: Any) -> None:
        """Change how the simulated Zoom behaves."""
        assert self.zoom.patch("/_sim/behaviour", json=switches).status_code == 200


@pytest.fixture(scope="module")
def caller(gateway: Any) -> Iterator[Caller]:
    """A program of the account's owner, who may do everything."""
    stack = gateway.stack
    with pytest.MonkeyPatch.context() as patch, Story(stack) as story, httpx.Client(base_url=stack["zoom_url"]) as zoom:
        patch.setattr("dev.demo.PERSON", OWNER)
        zoom.patch("/_sim/behaviour", json={"enforce_limits": False, "transcripts": True})
        (app,) = zoom.get("/_sim/state").json()["apps"]
        scopes = sorted({scope for each in operations() for scope in each.scopes.granular})
        assert zoom.patch(f"/_sim/apps/{app['client_id']}", json={"scopes": scopes}).status_code == 200
        story.program.headers["X-Zoom-Connection"] = story.connect()
        yield Caller(story.program, zoom)
        zoom.patch("/_sim/behaviour", json={"enforce_limits": True, "transcripts": False, "awkward_uuids": False})
        # Else later events come from a future in which nobody else lives, and no erasure forgets those.
        zoom.post("/_sim/clock", json={"set": datetime.now(UTC).isoformat()})


def test_every_row_works(caller: Caller) -> None:
    """Method, path, query, body and success status of all of them; none is left out."""
    _users(caller)
    _meetings(caller)
    _registrants(caller)
    _webinars(caller)
    _what_was(caller)
    _everything_else(caller)
    assert caller.called == set(ROWS)


def _users(call: Caller) -> None:
    info = {"email": f"zoe{time.time_ns()}@zoom.example", "type": 1, "first_name": "Zoë", "last_name": "Müller"}
    user = call("users.create", "/users", json={"action": "create", "user_info": info})["id"]
    call("users.list", "/users", params={"status": "pending", "page_size": 300})
    me = call("users.get", "/users/me")
    assert me["email"] == OWNER
    call.zoom.post(f"/_sim/users/{user}/accept")
    call("users.update", f"/users/{user}", json={"last_name": "Ångström"})
    assert call("users.get", f"/users/{user}")["last_name"] == "Ångström"
    assert call("users.settings", "/users/me/settings")
    call("users.settings_update", "/users/me/settings", json={"schedule_meeting": {"host_video": True}})
    assert call("users.schedulers", "/users/me/schedulers") == {"schedulers": []}
    call("users.status", f"/users/{user}/status", json={"action": "deactivate"})
    assert call("users.zak", "/users/me/zak")["token"]
    assert call("users.token", "/users/me/token", params={"type": "zak"})["token"]
    call("users.delete", f"/users/{user}", params={"action": "delete"})


def _meetings(call: Caller) -> None:
    body = {
        "topic": "Alle Tage — 毎日",
        "type": 2,
        "start_time": "2030-01-07T10:00:00Z",
        "agenda": "x",
        "new_one": 2**60,
    }
    meeting = call("meetings.create", "/users/me/meetings", json=body)["id"]
    assert call("meetings.get", f"/meetings/{meeting}")["topic"] == body["topic"]
    listed = call("meetings.list", "/users/me/meetings", params={"type": "scheduled", "page_size": 300})
    assert meeting in {each["id"] for each in listed["meetings"]}
    call("meetings.update", f"/meetings/{meeting}", json={"topic": "Weekly"})
    assert "Weekly" in call("meetings.invitation", f"/meetings/{meeting}/invitation")["invitation"]
    links = call("meetings.invite_links", f"/meetings/{meeting}/invite_links", json={"attendees": [{"name": "Ada"}]})
    assert links["attendees"][0]["join_url"]
    assert call("meetings.sip_dialing", f"/meetings/{meeting}/sip_dialing", json={"passcode": "123456"})
    stream = {"stream_url": "rtmp://live.example/app", "stream_key": "key", "page_url": "https://live.example/1"}
    call("meetings.livestream_update", f"/meetings/{meeting}/livestream", json=stream)
    assert call("meetings.livestream", f"/meetings/{meeting}/livestream")["stream_url"] == stream["stream_url"]
    assert call("meetings.polls", f"/meetings/{meeting}/polls")["polls"] == []
    token = "meetings.local_recording_token"
    assert call(token, f"/meetings/{meeting}/jointoken/local_recording", params={"bypass_waiting_room": "true"})[
        "token"
    ]
    call.life(str(meeting), "start")
    call.life(str(meeting), "join", host=True)
    start = {"action": "start", "settings": {"display_name": "Live"}}
    call("meetings.livestream_status", f"/meetings/{meeting}/livestream/status", json=start)
    call("meetings.status", f"/meetings/{meeting}/status", json={"action": "end"})
    call("meetings.delete", f"/meetings/{meeting}")
    call("meetings.get", f"/meetings/{meeting}", status=404)


def _registrants(call: Caller) -> None:
    for kind, made in (("meetings", 2), ("webinars", 5)):
        settings = {"approval_type": 1, "registration_type": 1}
        body = {"topic": "By invitation", "type": made, "start_time": "2030-01-07T10:00:00Z", "settings": settings}
        number = call(f"{kind}.create", f"/users/me/{kind}", json=body)["id"]
        at = f"/{kind}/{number}/registrants"
        questions = {"custom_questions": [{"title": "Why?", "type": "short", "required": False}]}
        call(f"{kind}.registrants.questions_update", f"{at}/questions", json=questions)
        assert call(f"{kind}.registrants.questions", f"{at}/questions")["custom_questions"][0]["title"] == "Why?"
        person = {
            "email": "ada@example.com",
            "first_name": "Ada",
            "custom_questions": [{"title": "Why?", "value": "Neugier — 好奇心"}],
        }
        registrant = call(f"{kind}.registrants.add", at, json=person)["registrant_id"]
        decided = {"action": "approve", "registrants": [{"id": registrant, "email": "ada@example.com"}]}
        call(f"{kind}.registrants.status", f"{at}/status", json=decided)
        assert call(f"{kind}.registrants.get", f"{at}/{registrant}")["email"] == "ada@example.com"
        listed = call(f"{kind}.registrants.list", at, params={"status": "approved"})
        assert [each["email"] for each in listed["registrants"]] == ["ada@example.com"]
        many = {"registrants": [{"email": "grace@example.com", "first_name": "Grace"}], "auto_approve": True}
        call(f"{kind}.registrants.batch", f"/{kind}/{number}/batch_registrants", json=many)
        call(f"{kind}.registrants.delete", f"{at}/{registrant}")


def _webinars(call: Caller) -> None:
    settings: dict[str, Any] = {"practice_session": True, "hd_video": True}
    body = {"topic": "Webinar", "type": 5, "start_time": "2030-01-07T10:00:00Z", "settings": settings}
    webinar = call("webinars.create", "/users/me/webinars", json=body)["id"]
    call("webinars.list", "/users/me/webinars", params={"page_size": 300})
    assert call("webinars.get", f"/webinars/{webinar}")["settings"]["practice_session"] is True
    call("webinars.update", f"/webinars/{webinar}", json={"topic": "Webinar 2"})
    at = f"/webinars/{webinar}"
    call("webinars.panelists.add", f"{at}/panelists", json={"panelists": [{"name": "P", "email": "p@example.com"}]})
    panelist = call("webinars.panelists.list", f"{at}/panelists")["panelists"][0]["id"]
    call("webinars.panelists.delete", f"{at}/panelists/{panelist}")
    call("webinars.panelists.clear", f"{at}/panelists")
    call("webinars.invite_links", f"{at}/invite_links", json={"attendees": [{"name": "Ada"}], "ttl": 7200})
    call("webinars.sip_dialing", f"{at}/sip_dialing", json={"passcode": "123456"})
    stream = {"stream_url": "rtmp://live.example/app", "stream_key": "key", "page_url": "https://live.example/1"}
    call("webinars.livestream_update", f"{at}/livestream", json=stream)
    call("webinars.livestream", f"{at}/livestream")
    call.life(str(webinar), "start")
    call.life(str(webinar), "join", host=True)
    call("webinars.livestream_status", f"{at}/livestream/status", json={"action": "start"})
    call.life(str(webinar), "join", name="Guest")
    call("webinars.status", f"{at}/status", json={"action": "end"})
    call("past_webinars.instances", f"/past_webinars/{webinar}/instances")
    call("past_webinars.participants", f"/past_webinars/{webinar}/participants", params={"page_size": 300})
    call("reports.webinar", f"/report/webinars/{webinar}")
    call("reports.webinar_participants", f"/report/webinars/{webinar}/participants")
    settings = {"approval_type": 0, "registration_type": 1}
    body = {"topic": "Empty chairs", "type": 5, "start_time": "2030-01-07T10:00:00Z", "settings": settings}
    other = call("webinars.create", "/users/me/webinars", json=body)["id"]
    call(
        "webinars.registrants.add", f"/webinars/{other}/registrants", json={"email": "a@example.com", "first_name": "A"}
    )
    call.life(str(other), "start")
    call.life(str(other), "join", host=True)
    call.life(str(other), "end")
    absent = call("past_webinars.absentees", f"/past_webinars/{other}/absentees")
    assert [each["email"] for each in absent["registrants"]] == ["a@example.com"]
    call("webinars.delete", f"/webinars/{other}")


def _what_was(call: Caller) -> None:
    meeting, uuid = held_meeting(call)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    span = {"from": today, "to": today}
    assert call("past_meetings.get", f"/past_meetings/{meeting}")["uuid"] == uuid
    call("past_meetings.instances", f"/past_meetings/{meeting}/instances")
    people = call("past_meetings.participants", f"/past_meetings/{meeting}/participants")["participants"]
    assert {each["name"] for each in people} >= {"Ada"}
    _until(call, meeting, lambda reply: reply["source"] == "report")
    call("meetings.participants", f"/meetings/{meeting}/participants")
    call("reports.daily", "/report/daily", params={"year": today[:4], "month": str(int(today[5:7]))})
    call("reports.users", "/report/users", params={"type": "active", **span})
    call("reports.user_meetings", "/report/users/me/meetings", params=span)
    call("reports.meeting", f"/report/meetings/{meeting}")
    call("reports.meeting_participants", f"/report/meetings/{meeting}/participants")
    call("reports.cloud_recording", "/report/cloud_recording", params=span)
    listed = call("recordings.list", "/users/me/recordings", params=span)
    assert uuid in {each["uuid"] for each in listed["meetings"]}
    at = f"/meetings/{quote(quote(uuid, safe=''), safe='')}"
    files = call("recordings.get", f"{at}/recordings", params={"include_fields": "download_access_token", "ttl": 60})
    call("recordings.settings", f"{at}/recordings/settings")
    call("recordings.settings_update", f"{at}/recordings/settings", json={"viewer_download": False})
    call("recordings.transcript", f"{at}/transcript")
    call("recordings.delete_transcript", f"{at}/transcript")
    file = next(each["id"] for each in files["recording_files"] if each.get("id") and each["file_type"] == "MP4")
    call("recordings.delete", f"{at}/recordings/{file}", params={"action": "trash"})
    call("recordings.recover", f"{at}/recordings/{file}/status", json={"action": "recover"})
    call("recordings.delete_all", f"{at}/recordings", params={"action": "trash"})
    call("recordings.recover_all", f"{at}/recordings/status", json={"action": "recover"})


def _everything_else(call: Caller) -> None:
    """Call what has no story, each with a request that the contract allows; what its path names is made first."""
    body = {"topic": "All of it", "type": 2, "start_time": "2030-01-07T10:00:00Z"}
    kinds = {"meeting": 2, "webinar": 5}
    made = {"/users": "me"} | {
        f"/{kind}s": str(call(f"{kind}s.create", f"/users/me/{kind}s", json={**body, "type": number})["id"])
        for kind, number in kinds.items()
    }
    rest = [each for each in operations() if each.name not in call.called]
    for row in sorted(rest, key=lambda each: (each.method == "DELETE", -each.path.count("/"), each.method != "POST")):
        _call(call, row, made)
        if row.method == "DELETE":
            made.pop(row.path.rpartition("/")[0], None)


def _call(call: Caller, row: Operation, made: dict[str, str]) -> Any:
    ids: dict[str, str] = {}
    for found in re.finditer(r"/\{(\w+)\}", row.path):
        place = row.path[: found.start()]
        if place not in made:
            _make(call, place, found[1], made)
        ids |= {found[1]: made[place]} if place in made else {}
    request = valid_request(row.method, row.path, ids)
    return call(row.name, request.path, content=request.content, headers=dict(request.headers))


def _make(call: Caller, place: str, name: str, made: dict[str, str]) -> None:
    """Make what paths below `place` call `name`, where an operation does, and keep its id."""
    names = ("id", "ids", re.sub("(?=[A-Z])", "_", name).lower())
    rows = {each.method: each for each in operations() if each.path == place}
    if "POST" not in rows:
        return
    answers = [_call(call, rows["POST"], made)]
    if "GET" in rows:
        answers.append(_call(call, rows["GET"], made))
    things = [each for answer in answers if isinstance(answer, dict) for each in (answer, *_listed(answer))]
    made |= dict([(place, str(each[key]).partition(",")[0]) for each in things for key in names if key in each][:1])


def _listed(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for member in answer.values() if isinstance(member, list) for each in member if isinstance(each, dict)]


def held_meeting(call: Caller, *, recorded: bool = True) -> tuple[int, str]:
    """A meeting of two people that has ended, with its recordings and their transcript there; id and UUID."""
    settings = {"auto_recording": "cloud"} if recorded else {}
    body = {"topic": "Held", "type": 2, "start_time": "2030-01-07T10:00:00Z", "settings": settings}
    meeting = call("meetings.create", "/users/me/meetings", json=body)["id"]
    call.life(str(meeting), "start")
    call.life(str(meeting), "join", host=True)
    call.life(str(meeting), "join", name="Ada")
    call.zoom.post("/_sim/clock", json={"advance": 90})
    call.life(str(meeting), "end")
    for _ in ("recordings", "transcript"):  # which is begun when they are there
        call.zoom.post("/_sim/clock", json={"advance": 30})
        assert call.zoom.get("/_sim/idle?timeout=10", timeout=CALL_SECONDS).status_code == 200
    uuid = call.program.get(f"/v2/past_meetings/{meeting}").json()["uuid"]
    return meeting, str(uuid)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_uuids_reach_zoom_however_they_are_encoded(caller: Caller, times: int) -> None:
    """Plain, once or twice: with `/` in front, `//` within, `+` and `=`. Zoom takes nothing but what it asks for."""
    caller.behave(awkward_uuids=True)
    uuids = [held_meeting(caller, recorded=False)[1] for _ in range(3)]
    assert any(each.startswith("/") for each in uuids)
    assert any("//" in each for each in uuids)
    assert any("+" in each for each in uuids)
    for uuid in uuids:
        sent = uuid
        for _ in range(times):
            sent = quote(sent, safe="")
        # httpx would tidy a plain path; the URL goes out as it stands here.
        path = f"/v2/past_meetings/{sent}/participants"
        url = caller.program.base_url.copy_with(raw_path=path.encode())
        answer = caller.program.get(url)
        assert answer.status_code == 200, (uuid, sent, answer.text)
        assert {each["name"] for each in answer.json()["participants"]} >= {"Ada"}


def test_participants_are_reported_while_a_meeting_runs_and_at_once_after_it(caller: Caller) -> None:
    """Live from events; then, of one person or too early for Zoom, from events too, and the answer says so."""
    body = {"topic": "Live", "type": 2, "start_time": "2030-01-07T10:00:00Z"}
    meeting = caller("meetings.create", "/users/me/meetings", json=body)["id"]
    caller.life(str(meeting), "start")
    caller.life(str(meeting), "join", name="Ada")
    live = _until(caller, meeting, lambda reply: reply.get("source") == "live" and len(reply["participants"]) == 1)
    assert [each["name"] for each in live["participants"]] == ["Ada"]
    caller.zoom.post("/_sim/clock", json={"advance": 60})
    caller.life(str(meeting), "end")
    alone = _until(caller, meeting, lambda reply: reply.get("source") == "events")
    assert (alone["settled"], [each["name"] for each in alone["participants"]]) == (False, ["Ada"])
    assert "one person" in alone["note"]
    caller.behave(settle_seconds=600.0)
    early, _ = held_meeting(caller, recorded=False)
    # Both are known once both of their events are: they are processed in whatever order they come.
    reply = _until(caller, early, lambda reply: reply.get("source") == "events" and len(reply["participants"]) == 2)
    assert "not finished" in reply["note"]
    caller.behave(settle_seconds=0.0)
    _until(caller, early, lambda reply: reply["source"] == "report")


def _until(caller: Caller, meeting: int, right: Any) -> Any:
    def reply() -> tuple[int, Any]:
        answer = caller.program.get(f"/v2/meetings/{meeting}/participants")
        return answer.status_code, answer.json()

    return wait_until("participants", reply, lambda found: found[0] == 200 and right(found[1]))[1]


def test_whole_lists_and_long_spans_are_walked(caller: Caller) -> None:
    """`all=true` over several of Zoom's pages; months that Zoom would refuse together."""
    for number in range(5):
        body = {"topic": f"Page {number}", "type": 2, "start_time": "2030-01-07T10:00:00Z"}
        assert caller.program.post("/v2/users/me/meetings", json=body).status_code == 201
    small = caller.program.get("/v2/users/me/meetings", params={"page_size": 2}).json()
    assert small["next_page_token"]
    assert len(small["meetings"]) == 2
    whole = caller.program.get("/v2/users/me/meetings", params={"page_size": 2, "all": "true"}).json()
    assert len(whole["meetings"]) == small["total_records"] >= 5
    assert whole["next_page_token"] == ""
    year = time.gmtime().tm_year
    span = {"from": f"{year - 1}-12-01", "to": f"{year}-12-31", "all": "true"}
    listed = caller.program.get("/v2/users/me/recordings", params=span)
    assert listed.status_code == 200, listed.text
    assert (listed.json()["from"], listed.json()["to"]) == (span["from"], span["to"])
    largest = caller.program.get("/v2/users/me/meetings", params={"page_size": 1000})
    assert (largest.status_code, largest.json()["page_size"]) == (200, 300)


def test_what_zoom_refuses_says_what_it_means(caller: Caller) -> None:
    """Zoom's code and message, our reason, request id and hint; unknown routes and methods in the same shape."""
    for method, path, status, code, reason in (
        ("GET", "/v2/meetings/99999999999", 404, 3001, "unknown_meeting"),
        ("GET", "/v2/users/nobody@zoom.example", 404, 1001, "unknown_user"),
        ("GET", "/v2/meetings/99999999999/recordings", 404, 3301, "no_recording"),
        ("GET", "/v2/no/such/thing", 404, 404, "not_served_here"),
        ("GET", "/v2//meetings/99999999999/", 404, 3001, "unknown_meeting"),
        ("PUT", "/v2/meetings/1", 405, 2300, "method_not_allowed"),
    ):
        answer = caller.program.request(method, path)
        reply = answer.json()
        assert (answer.status_code, reply["code"], reply["reason"]) == (status, code, reason), answer.text
        assert reply["request_id"]
        assert reply["message"]


REFUSALS = [
    (404, 3301, "no_recording", "processing"),
    (400, 3161, "no_scheduling_rights", "licence"),
    (400, 200, "plan_or_permission", "plan"),
    (404, 1001, "unknown_user", "account"),
    (429, 429, "zoom_rate_limited", "Retry-After"),
]


@pytest.mark.parametrize(("status", "code", "reason", "word"), REFUSALS)
def test_codes_are_read_and_messages_are_not(caller: Caller, *, status: int, code: int, reason: str, word: str) -> None:
    """Whatever language Zoom's message is in: it comes back as it is, with what it means."""
    message = "Ha ocurrido algo — 何か"
    rule = {"effect": "status", "target": "users.get", "status": status, "code": code, "message": message, "count": 9}
    with fault(caller, rule):
        answer = caller.program.get("/v2/users/me")
    reply = answer.json()
    assert (answer.status_code, reply["code"], reply["message"], reply["reason"]) == (status, code, message, reason)
    assert word in reply["hint"]


def test_a_scope_that_zoom_misses_is_named_with_a_link(caller: Caller) -> None:
    """Zoom's own 4711, in Zoom's words, with the table's scopes."""
    rule = {"effect": "status", "target": "meetings.list", "status": 400, "code": 4711, "message": "Falta un permiso"}
    with fault(caller, {**rule, "count": 1}):
        reply = caller.program.get("/v2/users/me/meetings").json()
    assert reply["missing_scopes"] == ["meeting:read:list_meetings", "meeting:read:list_meetings:admin"]
    assert "/app/connect?connection=con_" in reply["reconnect_url"]  # a page, because a person opens it
    assert reply["message"] == "Falta un permiso"


def test_people_whose_answer_got_lost_are_found_by_address(caller: Caller) -> None:
    """A user, and a panel: with a key the caller does not notice."""
    email = f"lost{time.time_ns()}@zoom.example"
    body = {"topic": "Panel", "type": 5, "start_time": "2030-01-07T10:00:00Z"}
    webinar = caller("webinars.create", "/users/me/webinars", json=body)["id"]
    for target, path, wanted in (
        ("users.create", "/users", {"action": "create", "user_info": {"email": email, "type": 1}}),
        (
            "webinars.panelists.add",
            f"/webinars/{webinar}/panelists",
            {"panelists": [{"name": "P", "email": "p@example.com"}, {"name": "Q", "email": "q@example.com"}]},
        ),
    ):
        key = {"Idempotency-Key": f"{target}-{email}"}
        with fault(caller, {"effect": "lost_response", "target": target, "count": 1}):
            first = caller.program.post(f"/v2{path}", json=wanted, headers=key)
        again = caller.program.post(f"/v2{path}", json=wanted, headers=key)
        found = [(each.status_code, each.headers.get("idempotency-status")) for each in (first, again)]
        assert found == [(201, "adopted"), (201, "replayed")], first.text
        assert again.json() == first.json()
    panel = caller("webinars.panelists.list", f"/webinars/{webinar}/panelists")["panelists"]
    assert [each["email"] for each in panel] == ["p@example.com", "q@example.com"]


def test_what_the_guide_shows_works(caller: Caller) -> None:
    """A weekly meeting; the basic one and the webinar with a practice session are above."""
    recurrence = {"type": 2, "repeat_interval": 1, "weekly_days": "2,4", "end_times": 6}
    body = {"topic": "Weekly", "type": 8, "start_time": "2030-01-07T10:00:00", "timezone": "Europe/Berlin"}
    made = caller("meetings.create", "/users/me/meetings", json={**body, "recurrence": recurrence})
    assert len(made["occurrences"]) == 6
    one = made["occurrences"][2]["occurrence_id"]
    at = f"/meetings/{made['id']}"
    caller("meetings.update", at, params={"occurrence_id": one}, json={"agenda": "This one only"})
    caller("meetings.delete", at, params={"occurrence_id": one, "schedule_for_reminder": "false"})
    wrong = {**body, "recurrence": {"type": 2, "repeat_interval": 1, "weekly_days": "8", "end_times": 6}}
    refused = caller("meetings.create", "/users/me/meetings", json=wrong, status=400)
    assert refused["errors"][0]["field"] == "recurrence.weekly_days"


def test_programs_sign_in_as_at_zoom(caller: Caller, stack: dict[str, Any]) -> None:
    """Key id and secret in, a bearer out that works; a wrong secret gets Zoom's refusal."""
    _, key_id, secret = stack["api_key"].split("_", 2)
    form = {"grant_type": "account_credentials", "account_id": caller.program.headers["X-Zoom-Connection"]}
    url = f"{stack['api_url']}/oauth/token"
    token = httpx.post(url, data=form, auth=(key_id, secret), timeout=CALL_SECONDS).json()
    assert (token["token_type"], token["expires_in"], token["api_url"]) == ("bearer", 3600, stack["api_url"])
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert httpx.get(f"{stack['api_url']}/v2/users/me", headers=bearer, timeout=CALL_SECONDS).json()["email"] == OWNER
    refused = httpx.post(url, data=form, auth=(key_id, "x" * 43), timeout=CALL_SECONDS)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client")
    forged = {"Authorization": "Bearer zt_" + "x" * 43}
    assert httpx.get(f"{stack['api_url']}/v2/users/me", headers=forged, timeout=CALL_SECONDS).status_code == 401


def test_the_api_describes_itself(stack: dict[str, Any]) -> None:
    """The OpenAPI document and the page need no key."""
    described = httpx.get(f"{stack['api_url']}/openapi.json", timeout=CALL_SECONDS)
    assert (described.status_code, described.json()["openapi"]) == (200, "3.1.0")
    assert "/connections" in described.json()["paths"]
    page = httpx.get(f"{stack['api_url']}/docs", timeout=CALL_SECONDS)  # which says so where it is not built
    assert page.headers["content-type"].startswith("text/html")
    assert "API" in page.text


def test_what_only_administrators_can_do_says_so(stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway refuses it for a person without these rights before it asks Zoom."""
    monkeypatch.setattr("dev.demo.PERSON", "jill@zoom.example")
    with Story(stack) as story:
        story.program.headers["X-Zoom-Connection"] = story.connect()
        answer = story.program.get("/v2/report/daily")
        mine = story.program.get("/v2/users/me")
        others = story.program.get(f"/v2/users/{OWNER}")
    reply = answer.json()
    assert (answer.status_code, reply["code"]) == (400, 4711)
    assert reply["missing_scopes"] == ["report:read:daily_usage:admin"]
    assert "administrator" in reply["hint"]
    assert mine.status_code == 200
    assert (others.status_code, others.json()["reason"]) == (403, "not_shared_with_you")


@contextmanager
def fault(caller: Caller, rule: dict[str, Any]) -> Iterator[None]:
    """A fault of the simulated Zoom, for a while."""
    assert caller.zoom.post("/_sim/faults", json=rule).status_code < 300
    try:
        yield
    finally:
        caller.zoom.delete("/_sim/faults")
