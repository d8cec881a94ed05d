"""Users."""

from __future__ import annotations

import base64
import json

import pytest

from zoom_simulator.testing import Json, Zoom

NEW: Json = {"email": "new@zoom.example", "type": 2, "first_name": "New", "last_name": "User"}


@pytest.fixture
def admin(zoom: Zoom) -> Zoom:
    """Server-to-Server."""
    zoom.connect_account()
    return zoom


def test_me(zoom: Zoom) -> None:
    """`/users/me` is the user who authorised."""
    me = zoom.get("/v2/users/me").json()
    assert (me["email"], me["account_id"], me["role_name"]) == ("jill@zoom.example", "simulated-account", "Member")


def test_the_list_by_status_and_role(admin: Zoom) -> None:
    """Pending ones have no id."""
    admin.post("/v2/users", {"action": "create", "user_info": NEW})
    assert admin.get("/v2/users").json()["total_records"] == 3
    (pending,) = admin.get("/v2/users?status=pending").json()["users"]
    assert "id" not in pending
    assert len(admin.get("/v2/users?role_id=0").json()["users"]) == 1
    assert "host_key" in admin.get("/v2/users?include_fields=host_key").json()["users"][0]
    assert admin.get("/v2/users?status=asleep").json()["code"] == 300


@pytest.mark.parametrize("action", ["create", "custCreate", "ssoCreate"])
def test_creating(admin: Zoom, action: str) -> None:
    """A user is invited or provisioned, and an event is sent."""
    response = admin.post("/v2/users", {"action": action, "user_info": NEW})
    assert response.status_code == 201
    assert set(response.json()) == {"id", "email", "first_name", "last_name", "type"}
    user = admin.sim.world.user("new@zoom.example")
    assert user is not None
    assert user.status == ("pending" if action == "create" else "active")
    (event,) = admin.deliver().events("user.created")
    assert event.json["payload"]["creation_type"] == action


def test_bad_creations(admin: Zoom) -> None:
    """In use 409/1005, without what it takes 300."""
    taken = admin.post("/v2/users", {"action": "create", "user_info": {**NEW, "email": "JILL@zoom.example"}})
    assert (taken.status_code, taken.json()["code"]) == (409, 1005)
    assert taken.json()["message"] == 'Email "JILL@zoom.example" has already been used.'
    assert admin.post("/v2/users", {"action": "clone", "user_info": NEW}).json()["code"] == 300
    assert admin.post("/v2/users", {"action": "create", "user_info": {"email": "x"}}).json()["code"] == 300
    assert admin.post("/v2/users", {"action": "autoCreate", "user_info": NEW}).json()["code"] == 300


def test_a_plan_allows_so_many_new_users_a_day() -> None:
    """A free plan allows fifty new users a day."""
    zoom = Zoom(plan="free", enforce_limits=True)
    zoom.connect_account()
    codes = []
    for number in range(51):
        zoom.wall.now += 1
        info = {"email": f"u{number}@zoom.example", "type": 1}
        codes.append(zoom.post("/v2/users", {"action": "create", "user_info": info}).status_code)
    assert codes == [201] * 50 + [429]


def test_updating(zoom: Zoom) -> None:
    """The event tells what changed, old and new."""
    assert (
        zoom.patch("/v2/users/me", {"first_name": "Jillian", "dept": "Food", "pmi": 2_345_678_901}).status_code == 204
    )
    me = zoom.get("/v2/users/me").json()
    assert (me["first_name"], me["dept"], me["pmi"]) == ("Jillian", "Food", 2_345_678_901)
    (event,) = zoom.deliver().events("user.updated")
    assert event.json["payload"]["old_object"]["first_name"] == "Jill"
    assert event.json["payload"]["object"]["dept"] == "Food"
    zoom.patch("/v2/users/me", {"first_name": "Jillian"})
    assert len(zoom.deliver().events("user.updated")) == 1


def test_a_pmi_belongs_to_one(zoom: Zoom) -> None:
    """Another user's personal meeting id, or one of the wrong length, is refused with 300."""
    owner = zoom.sim.world.user("owner@zoom.example")
    assert owner is not None
    assert zoom.patch("/v2/users/me", {"pmi": owner.pmi}).json()["code"] == 300
    assert zoom.patch("/v2/users/me", {"pmi": 1}).json()["code"] == 300


def test_deleting_hands_over(admin: Zoom) -> None:
    """Meetings go to the heir, grants end, the address becomes free."""
    admin.connect()
    meeting = admin.meeting()["id"]
    person = admin.token
    admin.connect_account()
    path = "/v2/users/jill@zoom.example?transfer_email=owner@zoom.example&transfer_meeting=true"
    assert admin.delete(path).status_code == 204
    assert admin.get(f"/v2/meetings/{meeting}").json()["host_email"] == "owner@zoom.example"
    assert admin.get("/v2/users/jill@zoom.example").json()["code"] == 1001
    assert admin.get("/v2/users/me", token=person).status_code == 401
    assert len(admin.deliver().events("user.disassociated")) == 1


def test_deleting_that_is_refused(admin: Zoom) -> None:
    """The owner cannot be deleted, nor can meetings be transferred to the same or an unknown user."""
    assert admin.delete("/v2/users/owner@zoom.example").json()["code"] == 200
    assert admin.delete("/v2/users/jill@zoom.example?transfer_email=jill@zoom.example").json()["code"] == 300
    assert admin.delete("/v2/users/jill@zoom.example?transfer_email=x@x.example").json()["code"] == 1001


def test_a_host_can_go_in_the_middle_of_a_meeting(admin: Zoom) -> None:
    """It ends; its report can still be read."""
    admin.connect()
    meeting = admin.meeting()["id"]
    for action, body in (("start", {}), ("join", {"host": True}), ("join", {"name": "G"})):
        admin.act(meeting, action, **body)
    admin.connect_account()
    assert admin.delete("/v2/users/jill@zoom.example?action=delete").status_code == 204
    assert "meeting.ended" in admin.deliver().names()
    assert admin.get(f"/v2/report/meetings/{meeting}").json()["user_name"] == "Deleted User"


def test_status(admin: Zoom) -> None:
    """A user can be deactivated and activated, unless they are an administrator."""
    path = "/v2/users/jill@zoom.example/status"
    assert admin.put(path, {"action": "deactivate"}).status_code == 204
    assert admin.get("/v2/users?status=inactive").json()["total_records"] == 1
    assert admin.put(path, {"action": "activate"}).status_code == 204
    assert admin.put("/v2/users/owner@zoom.example/status", {"action": "deactivate"}).json()["code"] == 200
    assert admin.deliver().names() == ["user.deactivated", "user.activated"]


def test_settings(zoom: Zoom) -> None:
    """Changed section by section; what does not exist is dropped; options show other views."""
    path = "/v2/users/me/settings"
    assert zoom.patch(path, {"in_meeting": {"chat": False}, "nonsense": {"a": 1}}).status_code == 204
    shown = zoom.get(path).json()
    assert (shown["in_meeting"]["chat"], shown["in_meeting"]["annotation"]) == (False, True)
    assert "nonsense" not in shown
    zoom.patch(path, {"meeting_security": {"waiting_room": True}})
    assert zoom.get(f"{path}?option=meeting_security").json()["meeting_security"]["waiting_room"] is True
    assert "authentication_options" in zoom.get(f"{path}?option=recording_authentication").json()
    assert zoom.get(f"{path}?option=other").json()["code"] == 300


def claims(token: str) -> Json:
    """What a JWT says."""
    part = token.split(".")[1]
    found: Json = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_tokens_that_speak_for_a_user(zoom: Zoom) -> None:
    """Plain, ZAK and OBF, with the life that was asked for."""
    meeting = zoom.meeting()["id"]
    path = "/v2/users/me/token"
    zak = claims(zoom.get(f"{path}?type=zak&ttl=60").json()["token"])
    assert (zak["stk"], zak["uid"], zak["exp"] - zak["iat"]) == ("zak", zoom.user_id(), 60)
    assert claims(zoom.get("/v2/users/me/zak").json()["token"])["stk"] == "zak"
    assert claims(zoom.get(f"{path}?type=onbehalf&meeting_id={meeting}").json()["token"])["mid"] == str(meeting)
    assert zoom.get(f"{path}?type=onbehalf&meeting_id=1").json()["code"] == 300
    assert claims(zoom.get(path).json()["token"])["stk"] == "token"


def test_removing_somebody_takes_a_while_where_that_is_switched_on(admin: Zoom) -> None:
    """Who asks again in the meantime gets a 429, and afterwards a 404."""
    admin.sim.behaviour.disassociation_seconds = 30
    path = f"/v2/users/{admin.user_id('basil@zoom.example')}"
    assert admin.delete(path).status_code == 204
    again = admin.delete(path)
    assert (again.status_code, again.json()["message"]) == (
        429,
        "Too many concurrent requests. A request to disassociate this user has already been made.",
    )
    assert admin.get(path).status_code == 200
    admin.advance(31)
    assert admin.delete(path).status_code == 404
    assert admin.deliver().names() == ["user.disassociated"]


def test_an_invitation_that_ran_out(admin: Zoom) -> None:
    """An invitation that is thirty days old is refused with 1120."""
    user = admin.post("/v2/users", {"action": "create", "user_info": NEW}).json()["id"]
    assert admin.get(f"/v2/users/{user}").status_code == 200
    admin.advance(31 * 86_400)
    admin.connect_account()
    assert (admin.get(f"/v2/users/{user}").status_code, admin.get(f"/v2/users/{user}").json()["code"]) == (400, 1120)


def test_changed_settings_are_reported(zoom: Zoom) -> None:
    """The event has only changed settings, with their old values. Without a change there is no event."""
    for _ in range(2):
        zoom.patch("/v2/users/me/settings", {"in_meeting": {"chat": False, "annotation": True}})
    (event,) = zoom.deliver().events("user.settings_updated")
    assert event.json["payload"]["object"]["settings"] == {"in_meeting": {"chat": False}}
    assert event.json["payload"]["old_object"]["settings"] == {"in_meeting": {"chat": True}}


@pytest.mark.parametrize(
    ("action", "operation"),
    [("change-password", "change_password"), ("sign-out-everywhere", "sign_out_from_all_devices")],
)
def test_updates_that_only_say_what_was_done(zoom: Zoom, action: str, operation: str) -> None:
    """Such an event names the operation and has no old object."""
    zoom.post(f"/_sim/users/jill@zoom.example/{action}")
    (event,) = zoom.deliver().events("user.updated")
    assert event.json["payload"]["operation"] == operation
    assert "old_object" not in event.json["payload"]
