"""The operations table: what is declared, and which operation a request means."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from zoom_common.access.principal import SCOPES
from zoom_common.errors import MethodNotAllowed, NotFound
from zoom_common.zoom.operations.model import ZoomScopes
from zoom_common.zoom.operations.table import match, methods, named, operations, routes

LISTED = {
    f"{kind}.{verb}"
    for kind in ("users", "meetings", "webinars")
    for verb in ("list", "create", "get", "update", "delete")
} | {
    f"{kind}.registrants.{verb}"
    for kind in ("meetings", "webinars")
    for verb in ("list", "add", "get", "delete", "status", "batch")
}
# Whoever holds what these answer acts as the user: reading is not enough.
HAND_OUT_CREDENTIALS = {"users.zak", "users.token"} | {
    f"{kind}.{what}"
    for kind in ("meetings", "webinars")
    for what in ("local_recording_token", "local_archiving_token", "live_streaming_token", "token")
}
UUIDS = ["abcDEF0123456789ghijkl==", "/ajXp112QmuoKj4854875==", "a//b+cDEF0123456789ghij==", "ab/cd+efDEF01234567890=="]


def test_names_are_unique_and_the_table_is_whole() -> None:
    """Metrics, budgets and idempotency records are keyed by name."""
    names = [each.name for each in operations()]
    assert len(names) == len(set(names))
    assert set(names) >= LISTED


def test_no_two_rows_answer_to_the_same_request() -> None:
    """A request means one operation."""
    assert len({(each.method, each.path) for each in operations()}) == len(operations())


def test_only_reads_are_safe_to_retry_and_need_read_scopes() -> None:
    """Sending a change twice may mail people twice; what reads asks for no more than to read."""
    for each in operations():
        assert each.safe_to_retry == (each.method == "GET"), each.name
        assert each.gateway_scope in SCOPES, each.name
        reads = each.method == "GET" and each.name not in HAND_OUT_CREDENTIALS
        assert each.gateway_scope.endswith(":read") == reads, each.name


def test_creates_and_updates_count_against_the_users_hundred() -> None:
    """Zoom takes 100 creates and updates of meetings and webinars a day from one user."""
    counting = {each.name for each in operations() if each.counts_for_user}
    assert counting == {"meetings.create", "meetings.update", "webinars.create", "webinars.update"}


def test_each_function_knows_its_routes() -> None:
    """The template declares these, and nothing else reaches the function."""
    assert routes("meetings") == {
        "/v2/meetings/{proxy+}",
        "/v2/past_meetings/{proxy+}",
        "/v2/users/{userId}/meetings",
    }
    assert routes("webinars") == {
        "/v2/webinars/{proxy+}",
        "/v2/past_webinars/{proxy+}",
        "/v2/users/{userId}/webinars",
    }
    assert routes("zoom_api") == {
        "/v2/{proxy+}",
        "/v2/users",
        "/v2/users/{proxy+}",
        "/v2/report/{proxy+}",
        "/v2/users/{userId}/recordings",
        "/v2/meetings/{meetingId}/recordings",
        "/v2/meetings/{meetingId}/recordings/{proxy+}",
        "/v2/meetings/{meetingId}/transcript",
    }


@pytest.mark.parametrize("uuid", UUIDS)
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v2/meetings/{}/recordings", "recordings.get"),
        ("PUT", "/v2/meetings/{}/recordings/status", "recordings.recover_all"),
        ("DELETE", "/v2/meetings/{}/recordings/abc-1", "recordings.delete"),
        ("DELETE", "/v2/live_meetings/{}/chat/messages/ab/cd==", "live_meetings.chat_delete"),
        ("GET", "/v2/meetings/{}/polls/abc-1", "meetings.polls.get"),
        ("GET", "/v2/meetings/{}/transcript", "recordings.transcript"),
        ("GET", "/v2/past_meetings/{}/participants", "past_meetings.participants"),
        ("GET", "/v2/report/meetings/{}/participants", "reports.meeting_participants"),
        ("GET", "/v2/meetings/{}/registrants/fdgsfh2ey82fuh", "meetings.registrants.get"),
    ],
)
def test_what_hangs_below_a_uuid_is_found(uuid: str, method: str, path: str, name: str) -> None:
    """The fixed words are read from the right end."""
    operation, ids = match(method, path.format(uuid))
    assert operation.name == name
    assert uuid in ids.values()


def test_each_prefix_finds_its_rows() -> None:
    """A family needs its line in the table of modules, and every row is found by its own path."""
    for each in operations():
        path = re.sub(r"\{\w+\}", "7", each.path)
        assert match(each.method, f"/v2{path}")[0] is each


def test_a_row_is_found_by_its_name() -> None:
    """Look-ups name the reads that they need."""
    assert named("users.get").path == "/users/{userId}"
    with pytest.raises(LookupError):
        named("users.unheard_of")


def test_no_rows_are_loaded_before_somebody_asks() -> None:
    """A start does not pay for all of Zoom's operations, and a call pays for its own family only."""
    program = (
        "import sys; from zoom_common.zoom.operations.table import match; match('GET', '/v2/users/me');"
        "print(sorted(each for each in sys.modules if each.startswith('zoom_common.zoom.operations.')))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    words = ("model", "schedules", "table", "user_resources", "users")
    assert found.strip() == str([f"zoom_common.zoom.operations.{each}" for each in words])


def test_fixed_words_come_before_ids() -> None:
    """`me/zak` is no user's, `status` no registrant."""
    assert match("GET", "/v2/users/me/zak")[0].name == "users.zak"
    assert match("PUT", "/v2/meetings/1/registrants/status")[0].name == "meetings.registrants.status"
    assert match("GET", "/v2/users")[0].name == "users.list"


def test_what_to_ask_for_is_said_in_the_apps_own_kind() -> None:
    """A classic app is told of classic scopes, every other one of granular ones."""
    scopes = ZoomScopes.of("meeting:read:meeting", "meeting:read")
    assert scopes.lacking({"user:read:admin"}) == ("meeting:read", "meeting:read:admin")
    assert scopes.lacking({"user:read:user"}) == ("meeting:read:meeting", "meeting:read:meeting:admin")
    assert scopes.lacking(()) == scopes.granular


@pytest.mark.parametrize("uuid", UUIDS)
@pytest.mark.parametrize("encode", [0, 1, 2])
def test_uuids_arrive_plain_once_or_twice_encoded(uuid: str, encode: int) -> None:
    """API Gateway may have decoded one level before we see the path."""
    sent = uuid
    for _ in range(encode):
        sent = sent.replace("%", "%25").replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")
    operation, ids = match("GET", f"/v2/meetings/{sent}")
    assert operation.name == "meetings.get"
    assert ids == {"meetingId": uuid}


@pytest.mark.parametrize("user", ["me", "30R7kT7bTIKSNUFEuH_Qlg", "jchill+a@example.com"])
def test_users_are_found_in_the_middle_of_a_path(user: str) -> None:
    """A plus sign is a plus sign, not a space."""
    operation, ids = match("POST", f"/v2/users/{user}/webinars")
    assert (operation.name, ids) == ("webinars.create", {"userId": user})


def test_a_trailing_slash_changes_nothing() -> None:
    """Clients that join URLs by hand send one."""
    assert match("GET", "/v2/users/me/meetings/")[0].name == "meetings.list"


@pytest.mark.parametrize(
    "path",
    [
        "/v2/meetings",
        "/v2/meetings/",
        "/v2/meetings/123/unheard_of",
        "/v2/meetings/..",
        "/v2/meetings/%2e%2e",
        "/v2/users/../meetings",
        "/v2/users/a%2Fb/meetings",
        "/v2/meetings/%FF",
        "/meetings/123",
        "/v3/meetings/123",
        "/",
    ],
)
def test_what_has_no_row_is_not_served_here(path: str) -> None:
    """It does not say that Zoom lacks the path. No dots climb out of the path that was checked."""
    with pytest.raises(NotFound) as refusal:
        match("GET", path)
    assert (refusal.value.code, refusal.value.reason) == (404, "not_served_here")


def test_a_wrong_method_says_which_are_right() -> None:
    """405 comes with Allow."""
    with pytest.raises(MethodNotAllowed) as refusal:
        match("PUT", "/v2/meetings/123")
    assert refusal.value.allowed == ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH")


@pytest.mark.parametrize(
    ("path", "name", "ids"),
    [
        ("/v2/users/", "users.list", {}),
        ("/v2//users/me//meetings/", "meetings.list", {"userId": "me"}),
        ("//v2/meetings/123//", "meetings.get", {"meetingId": "123"}),
        ("/v2/past_meetings/a//b==/participants", "past_meetings.participants", {"meetingId": "a//b=="}),
        ("/v2/past_meetings//ab==/participants/", "past_meetings.participants", {"meetingId": "/ab=="}),
    ],
)
def test_slashes_that_people_type_do_not_count(path: str, name: str, ids: dict[str, str]) -> None:
    """At the end, at the start and in a row, unless a UUID needs them."""
    found, given = match("GET", path)
    assert (found.name, dict(given)) == (name, ids)


@pytest.mark.parametrize(
    "path", ["/v2/meetings/1/recordings/", "/v2/meetings/1/recordings//", "/v2/webinars/1/panelists/"]
)
def test_a_delete_without_its_id_deletes_nothing(path: str) -> None:
    """Not all of the list, of which a program meant one."""
    assert match("DELETE", path.rstrip("/"))[0].method == "DELETE"
    with pytest.raises(NotFound):
        match("DELETE", path)


def test_head_means_get() -> None:
    """Where there is a GET."""
    assert match("HEAD", "/v2/users/me")[0].name == "users.get"
    assert methods("/v2/users/me") == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"]
    with pytest.raises(MethodNotAllowed):
        match("HEAD", "/v2/meetings/1/status")


def test_any_form_of_a_scope_is_enough() -> None:
    """Granular or classic, the user's, the administrator's or the master account's."""
    scopes = ZoomScopes.of("meeting:read:meeting", "meeting:read")
    for held in ("meeting:read:meeting", "meeting:read:meeting:admin", "meeting:read", "meeting:read:admin"):
        assert scopes.allow({held, "user:read"})
    assert scopes.allow({"meeting:read:meeting:master"})
    assert not scopes.allow({"meeting:write", "meeting:read:list_meetings"})
    assert not scopes.allow(set())


def test_zoom_decides_where_no_scope_of_the_apps_kind_is_known() -> None:
    """Some operations have classic scopes only in Zoom's contract, and one has granular ones only."""
    classic = ZoomScopes.of_classic("device:read:admin")
    assert classic.allow({"user:read:user"})
    assert classic.allow({"device:read:admin"})
    assert not classic.allow({"user:read:admin"})
    assert classic.administrators_only
    assert not ZoomScopes.of_classic("user:read", "user:read:admin").administrators_only
    assert ZoomScopes.of("cloud_recording:read:recording_analytics_details").allow({"recording:read"})


def test_an_operation_for_administrators_has_no_user_form() -> None:
    """Reports, say."""
    scopes = ZoomScopes(None, "report:read:user:admin", ("report:read:admin",))
    assert scopes.granular == ("report:read:user:admin",)
    assert not scopes.allow({"report:read:user"})
