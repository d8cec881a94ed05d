"""Meetings over REST."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_simulator.testing import Json, Zoom

START = "2026-11-20T10:00:00Z"
SERIES: Json = {"type": 2, "weekly_days": "6", "end_times": 3, "repeat_interval": 1}  # Fridays


def series(zoom: Zoom) -> Json:
    """A recurring meeting with three dates."""
    return zoom.meeting(type=8, start_time=START, duration=30, recurrence=SERIES)


def payloads(zoom: Zoom, event: str) -> list[Json]:
    """The payloads of one event's deliveries."""
    return [each.json["payload"] for each in zoom.deliver().events(event)]


@pytest.mark.parametrize("kind", [1, 2, 3, 8, 10])
def test_all_types_can_be_created(zoom: Zoom, kind: int) -> None:
    """201, with links, passcode and what the type needs."""
    meeting = zoom.meeting(type=kind)
    assert meeting["type"] == kind
    assert meeting["id"] > 2**32
    assert meeting["join_url"].startswith(f"http://zoom.test/j/{meeting['id']}?pwd=")
    assert f"/s/{meeting['id']}?zak=" in meeting["start_url"]
    assert ("start_time" in meeting) == (kind in (2, 8, 10))
    assert ("occurrences" in meeting) == (kind == 8)
    assert meeting["status"] == "waiting"


def test_create_get_update_list_delete(zoom: Zoom) -> None:
    """Each step of a meeting's life sends its event."""
    meeting = zoom.meeting(start_time=START, timezone="Europe/Berlin", duration=45, agenda="All")
    path = f"/v2/meetings/{meeting['id']}"
    assert zoom.get(path).json()["topic"] == "Weekly"
    assert zoom.patch(path, {"topic": "New", "settings": {"mute_upon_entry": True}}).status_code == 204
    shown = zoom.get(path).json()
    assert (shown["topic"], shown["settings"]["mute_upon_entry"], shown["agenda"]) == ("New", True, "All")
    (listed,) = zoom.get("/v2/users/me/meetings").json()["meetings"]
    assert (listed["id"], listed["topic"], listed["start_time"]) == (meeting["id"], "New", START)
    assert zoom.delete(path).status_code == 204
    assert zoom.get(path).json() == {"code": 3001, "message": f"Meeting does not exist: {meeting['id']}."}
    assert zoom.get("/v2/users/me/meetings").json()["meetings"] == []
    assert zoom.deliver().names() == ["meeting.created", "meeting.updated", "meeting.deleted"]


def test_local_times_and_past_ones(zoom: Zoom) -> None:
    """Without Z a start is local; one in the past becomes now."""
    local = zoom.meeting(start_time="2026-11-20T10:00:00", timezone="America/Los_Angeles")
    assert local["start_time"] == "2026-11-20T18:00:00Z"
    assert zoom.meeting(start_time="2020-01-01T10:00:00Z")["start_time"] == "2026-11-18T11:06:40Z"


def test_creating_twice_makes_two(zoom: Zoom) -> None:
    """There is no idempotency at Zoom."""
    assert zoom.meeting()["id"] != zoom.meeting()["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": 4}, "type"), ({"topic": "x" * 201}, "topic"), ({"agenda": "x" * 2001}, "agenda"),
        ({"duration": -1}, "duration"), ({"duration": 1441}, "duration"), ({"start_time": "tomorrow"}, "start_time"),
        ({"timezone": "Mars"}, "timezone"), ({"password": "x" * 11}, "password"), ({"settings": 1}, "settings"),
        ({"settings": {"waiting_room": "yes"}}, "settings.waiting_room"),
        ({"type": 8, "recurrence": {"type": 9}}, "recurrence.type"), ({"type": "7"}, "type"),
    ],
)  # fmt: skip
def test_bad_fields_are_named(zoom: Zoom, body: Json, field: str) -> None:
    """Bad fields are a 400 with code 300 on create and on update."""
    created = zoom.post("/v2/users/me/meetings", body)
    updated = zoom.patch(f"/v2/meetings/{zoom.meeting()['id']}", body)
    for refused in (created, updated):
        assert refused.status_code == 400
        assert (refused.json()["code"], refused.json()["message"]) == (300, "Validation Failed.")
        assert [each["field"] for each in refused.json()["errors"]] == [field]


def test_breakout_rooms_need_the_hosts_own_setting(zoom: Zoom) -> None:
    """Without it they are dropped silently, with it they stay."""
    rooms = {"enable": True, "rooms": [{"name": "Kitchen", "participants": []}]}
    assert "breakout_room" not in zoom.meeting(settings={"breakout_room": rooms})["settings"]
    zoom.patch("/v2/users/me/settings", {"in_meeting": {"breakout_room": True}})
    assert zoom.meeting(settings={"breakout_room": rooms})["settings"]["breakout_room"] == rooms


def test_unknown_settings_are_dropped_silently(zoom: Zoom) -> None:
    """Unknown settings cause no error and are not stored."""
    assert "jetpack" not in zoom.meeting(settings={"jetpack": True})["settings"]


def test_for_somebody_else(zoom: Zoom) -> None:
    """`schedule_for` makes a colleague the host, strangers and instant meetings are refused."""
    meeting = zoom.meeting(schedule_for="owner@zoom.example")
    assert meeting["host_email"] == "owner@zoom.example"
    stranger = zoom.post("/v2/users/me/meetings", {"schedule_for": "x@elsewhere.example"})
    assert stranger.json()["code"] == 300
    instant = zoom.post("/v2/users/me/meetings", {"type": 1, "schedule_for": "owner@zoom.example"})
    assert instant.json()["code"] == 3000


def test_who_may_not_host(zoom: Zoom) -> None:
    """A user without a licence is refused with 3161."""
    user = zoom.sim.world.user("jill@zoom.example")
    assert user is not None
    meeting = zoom.meeting()["id"]
    user.type = 99
    assert zoom.post("/v2/users/me/meetings").json()["code"] == 3161
    assert zoom.get("/v2/users/me/meetings").json()["code"] == 3161
    assert zoom.get(f"/v2/meetings/{meeting}").json()["code"] == 3161


def test_other_peoples_meetings_can_be_kept_from_view(zoom: Zoom) -> None:
    """403/2306 where the account does not show meetings scheduled for others."""
    zoom.patch("/_sim/accounts/simulated-account", {"shows_meetings_for_others": False})
    zoom.sim.app.scopes.append("meeting:read:list_meetings:admin")
    zoom.connect("owner@zoom.example")
    path = f"/v2/users/{zoom.user_id()}/meetings"
    assert (zoom.get(path).status_code, zoom.get(path).json()["code"]) == (403, 2306)
    assert zoom.get("/v2/users/me/meetings").status_code == 200
    zoom.connect_account()
    assert zoom.get(path).status_code == 200


def test_updates_tell_only_what_changed(zoom: Zoom) -> None:
    """`object` has the new values, `old_object` beside it the old ones of the same keys."""
    meeting = zoom.meeting(settings={"waiting_room": False, "mute_upon_entry": True})["id"]
    changes = {"topic": "New", "settings": {"waiting_room": True, "mute_upon_entry": True}}
    zoom.patch(f"/v2/meetings/{meeting}", changes)
    (payload,) = payloads(zoom, "meeting.updated")
    assert payload["operator"] == "jill@zoom.example"
    assert (payload["scope"], payload["time_stamp"]) == ("single", 1_795_000_000_000)
    assert payload["object"]["topic"] == "New"
    assert payload["object"]["settings"] == {"waiting_room": True}
    assert set(payload["object"]) == {"id", "uuid", "topic", "settings"}
    assert payload["old_object"] == {"id": meeting, "topic": "Weekly", "settings": {"waiting_room": False}}


def test_updates_can_carry_the_host(zoom: Zoom) -> None:
    """As the documentation's examples do."""
    zoom.sim.behaviour.updated_host_id = True
    zoom.patch(f"/v2/meetings/{zoom.meeting()['id']}", {"topic": "New"})
    (payload,) = payloads(zoom, "meeting.updated")
    assert payload["object"]["host_id"] == zoom.user_id()


def test_updates_that_change_nothing_are_silent(zoom: Zoom) -> None:
    """Such an update is a 204 and sends no event."""
    meeting = zoom.meeting()["id"]
    zoom.patch(f"/v2/meetings/{meeting}", {"topic": "Weekly"})
    assert payloads(zoom, "meeting.updated") == []


def test_a_series_is_expanded(zoom: Zoom) -> None:
    """Occurrence ids are the starts in milliseconds."""
    shown = series(zoom)
    starts = [each["start_time"] for each in shown["occurrences"]]
    assert starts == ["2026-11-20T10:00:00Z", "2026-11-27T10:00:00Z", "2026-12-04T10:00:00Z"]
    assert shown["occurrences"][0]["occurrence_id"] == "1795168800000"
    assert shown["recurrence"] == SERIES


def test_one_occurrence_can_be_moved(zoom: Zoom) -> None:
    """The others stay; it keeps its id; its own view shows it."""
    meeting = series(zoom)
    second = meeting["occurrences"][1]["occurrence_id"]
    path = f"/v2/meetings/{meeting['id']}"
    zoom.patch(f"{path}?occurrence_id={second}", {"start_time": "2026-11-28T08:00:00Z", "duration": 90, "agenda": "B"})
    shown = zoom.get(path).json()["occurrences"]
    assert [each["start_time"][:13] for each in shown] == ["2026-11-20T10", "2026-11-28T08", "2026-12-04T10"]
    assert shown[1]["occurrence_id"] == second
    one = zoom.get(f"{path}?occurrence_id={second}").json()
    assert (one["start_time"], one["duration"], one["agenda"]) == ("2026-11-28T08:00:00Z", 90, "B")
    payload = payloads(zoom, "meeting.updated")[0]
    assert payload["scope"] == "single"
    assert (payload["object"]["agenda"], payload["old_object"]["agenda"]) == ("B", "")
    assert [each["occurrence_id"] for each in payload["object"]["occurrences"]] == [second]


def test_one_occurrence_can_be_deleted(zoom: Zoom) -> None:
    """It stays listed as deleted, cannot be deleted or changed again, and is the only one in the event."""
    meeting = series(zoom)
    second = meeting["occurrences"][1]
    path = f"/v2/meetings/{meeting['id']}"
    assert zoom.delete(f"{path}?occurrence_id={second['occurrence_id']}").status_code == 204
    assert [each["status"] for each in zoom.get(path).json()["occurrences"]] == ["available", "deleted", "available"]
    assert zoom.delete(f"{path}?occurrence_id={second['occurrence_id']}").json()["code"] == 300
    assert zoom.patch(f"{path}?occurrence_id=1", {"topic": "x"}).json()["code"] == 300
    (payload,) = payloads(zoom, "meeting.deleted")
    assert payload["operation"] == "single"
    assert [each["occurrence_id"] for each in payload["object"]["occurrences"]] == [second["occurrence_id"]]


def test_deleting_a_series_deletes_all_of_it(zoom: Zoom) -> None:
    """The event has the operation `all` and every date."""
    meeting = series(zoom)
    zoom.delete(f"/v2/meetings/{meeting['id']}")
    (payload,) = payloads(zoom, "meeting.deleted")
    assert (payload["operation"], len(payload["object"]["occurrences"])) == ("all", 3)


def test_past_occurrences_show_on_request(zoom: Zoom) -> None:
    """And the next one gives the series its start."""
    meeting = series(zoom)
    zoom.advance(3 * 86_400)
    zoom.connect()
    path = f"/v2/meetings/{meeting['id']}"
    shown = zoom.get(path).json()
    assert (len(shown["occurrences"]), shown["start_time"]) == (2, "2026-11-27T10:00:00Z")
    assert len(zoom.get(f"{path}?show_previous_occurrences=true").json()["occurrences"]) == 3


def test_another_rule_lays_the_series_out_anew(zoom: Zoom) -> None:
    """And an ordinary meeting can become a series, and back."""
    meeting = zoom.meeting(start_time=START)["id"]
    path = f"/v2/meetings/{meeting}"
    zoom.patch(path, {"type": 8, "recurrence": {"type": 1, "end_times": 5}})
    assert len(zoom.get(path).json()["occurrences"]) == 5
    zoom.patch(path, {"recurrence": {"type": 1, "end_times": 2}})
    assert len(zoom.get(path).json()["occurrences"]) == 2
    zoom.patch(path, {"type": 2})
    assert "occurrences" not in zoom.get(path).json()


def topics(zoom: Zoom, kind: str) -> list[str]:
    """What a list shows."""
    return [each["topic"] for each in zoom.get(f"/v2/users/me/meetings?type={kind}").json()["meetings"]]


def test_the_five_lists(zoom: Zoom) -> None:
    """Instant meetings are never listed, series once or by date."""
    zoom.meeting(type=1, topic="instant")
    past = zoom.meeting(topic="past", start_time="2026-11-18T12:00:00Z", duration=10)
    live = zoom.meeting(topic="live", type=3)
    zoom.meeting(topic="series", type=8, start_time=START, recurrence=SERIES)
    zoom.act(live["id"], "start")
    zoom.advance(86_400)
    zoom.connect()
    assert topics(zoom, "scheduled") == ["live", "past", "series"]
    assert topics(zoom, "live") == ["live"]
    assert topics(zoom, "upcoming") == ["live", "series", "series", "series"]
    assert topics(zoom, "upcoming_meetings") == topics(zoom, "upcoming")
    assert topics(zoom, "previous_meetings") == ["past"]
    assert zoom.get("/v2/users/me/meetings?type=all").json()["code"] == 300
    assert past["id"]


def test_lists_can_be_narrowed_to_dates(zoom: Zoom) -> None:
    """`from` and `to` limit a list to these dates."""
    for number in (20, 22, 24):
        zoom.meeting(topic=str(number), start_time=f"2026-11-{number}T10:00:00Z")
    found = zoom.get("/v2/users/me/meetings?from=2026-11-21&to=2026-11-23").json()["meetings"]
    assert [each["topic"] for each in found] == ["22"]
    assert zoom.get("/v2/users/me/meetings?from=soon").json()["code"] == 300


def test_numbers_expire(zoom: Zoom) -> None:
    """Thirty days after the last use."""
    meeting = zoom.meeting(start_time=START)["id"]
    zoom.advance(31 * 86_400)
    zoom.connect()
    assert zoom.get(f"/v2/meetings/{meeting}").status_code == 200
    zoom.advance(3 * 86_400)
    zoom.connect()
    assert zoom.get(f"/v2/meetings/{meeting}").status_code == 404


def test_a_deleted_meeting_can_be_recovered(zoom: Zoom) -> None:
    """`action=recover` brings a deleted meeting back."""
    meeting = zoom.meeting()["id"]
    zoom.delete(f"/v2/meetings/{meeting}")
    assert zoom.put(f"/v2/meetings/{meeting}/status", {"action": "recover"}).status_code == 204
    assert zoom.get(f"/v2/meetings/{meeting}").status_code == 200
    assert zoom.put("/v2/meetings/1/status", {"action": "recover"}).status_code == 404


def test_what_is_on_cannot_be_deleted(zoom: Zoom) -> None:
    """Deleting a running meeting is refused with 3002."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    assert zoom.delete(f"/v2/meetings/{meeting}").json()["code"] == 3002


def test_webinar_ids_do_not_open_meetings(zoom: Zoom) -> None:
    """A webinar's id in place of a meeting's is refused with 3000, and the other way round with 300."""
    webinar, meeting = zoom.webinar()["id"], zoom.meeting()["id"]
    assert zoom.get(f"/v2/meetings/{webinar}").json() == {"code": 3000, "message": "Cannot access webinar info."}
    assert zoom.get(f"/v2/webinars/{meeting}").json()["code"] == 300


@pytest.mark.parametrize("body", [{"default_password": False}, {"password": "Abc123"}])
def test_passcodes(zoom: Zoom, body: dict[str, Any]) -> None:
    """None where none was wanted, the given one where one was."""
    meeting = zoom.meeting(**body)
    assert meeting.get("password", "") == body.get("password", "")
    assert ("pwd=" in meeting["join_url"]) == ("password" in body)


def test_the_invitation(zoom: Zoom) -> None:
    """The text says who invites, to what, when and where."""
    meeting = zoom.meeting(start_time=START, timezone="Europe/Berlin")
    text = zoom.get(f"/v2/meetings/{meeting['id']}/invitation").json()["invitation"]
    for part in ("Jill Chill is inviting you", "Weekly", "Nov 20, 2026 11:00 AM Europe, Berlin", meeting["join_url"]):
        assert part in text


def test_what_was_deleted_is_gone_for_good_after_thirty_days(zoom: Zoom) -> None:
    """With an event; what was recovered in time stays."""
    gone, kept = zoom.meeting(type=3)["id"], zoom.meeting(type=3)["id"]
    zoom.delete(f"/v2/meetings/{gone}")
    zoom.delete(f"/v2/meetings/{kept}")
    zoom.put(f"/v2/meetings/{kept}/status", {"action": "recover"})
    zoom.advance(31 * 86_400)
    zoom.connect()
    assert zoom.put(f"/v2/meetings/{gone}/status", {"action": "recover"}).status_code == 404
    assert zoom.get(f"/v2/meetings/{kept}").status_code == 200
    (payload,) = payloads(zoom, "meeting.permanently_deleted")
    assert payload["object"]["id"] == gone
