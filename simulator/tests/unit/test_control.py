"""The control API, where other tests have not driven it already."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import CLIENT, REDIRECT, Zoom


def test_health_and_state(zoom: Zoom) -> None:
    """Ready, and what there is; never a secret or a token."""
    assert zoom.get("/_sim/health").json()["status"] == "ok"
    zoom.meeting()
    text = zoom.get("/_sim/state").text + zoom.get("/_sim/grants").text + zoom.get("/_sim/subscriptions").text
    assert '"meetings":1' in text
    for secret in (zoom.token, "client-secret", "hook-secret"):
        assert secret not in text


def test_the_clock(zoom: Zoom) -> None:
    """Advance, set, run at a rate."""
    assert zoom.post("/_sim/clock", {"advance": 60}).json()["time"] == "2026-11-18T11:07:40Z"
    assert zoom.post("/_sim/clock", {"set": "2027-01-01T00:00:00"}).json()["time"] == "2027-01-01T00:00:00Z"
    assert zoom.post("/_sim/clock", {"rate": 0}).json()["rate"] == 0
    assert zoom.get("/_sim/clock").json()["time"] == "2027-01-01T00:00:00Z"
    for wrong in ({"set": "soon"}, {"rate": -1}, {"set": "9999-01-01T00:00:00"}, {"advance": "x"}):
        assert zoom.post("/_sim/clock", wrong).status_code == 400
    assert zoom.post("/_sim/crowds", {"steps_per_minute": 0}).status_code == 400


def test_behaviour(zoom: Zoom) -> None:
    """Shown, changed, and refused by name and type."""
    assert zoom.patch("/_sim/behaviour", {"twin_recordings": True}).json()["twin_recordings"] is True
    assert zoom.patch("/_sim/behaviour", {"retry_minutes": [1, 2]}).json()["retry_minutes"] == [1, 2]
    assert zoom.patch("/_sim/behaviour", {"retry_scale": 1}).json()["retry_scale"] == 1
    for wrong in ({"magic": 1}, {"twin_recordings": 1}, {"language": 5}, {"limit_window": "round"}):
        assert zoom.patch("/_sim/behaviour", wrong).status_code == 400


@pytest.mark.parametrize("action", ["revoke", "deauthorize"])
def test_grants_end_from_outside(zoom: Zoom, action: str) -> None:
    """Grants are ended with or without the event; an unknown user is refused."""
    zoom.connect()
    assert zoom.post(f"/_sim/users/jill@zoom.example/{action}").json() == {"grants_ended": 1}
    assert zoom.get("/v2/users/me").status_code == 401
    assert bool(zoom.deliver().events("app_deauthorized")) == (action == "deauthorize")
    assert zoom.post(f"/_sim/users/nobody/{action}").status_code == 404


def test_access_tokens_end_early(zoom: Zoom) -> None:
    """The bearer is refused as one that has expired; the refresh token brings another."""
    pair = zoom.connect()
    assert zoom.post("/_sim/users/jill@zoom.example/expire").json() == {"tokens_ended": 1}
    assert zoom.get("/v2/users/me").json() == {"code": 124, "message": "Access token is expired."}
    again = zoom.token_request(grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert again.status_code == 200


def test_people_come_sign_in_and_accept(zoom: Zoom) -> None:
    """Adding people, signing in and accepting an invitation each send their event."""
    added = zoom.post("/_sim/users", {"email": "kim@zoom.example", "first_name": "Kim", "role": "admin"}).json()
    assert (added["name"], added["role"]) == ("Kim User", "admin")
    assert zoom.post("/_sim/users", {"email": "kim@zoom.example"}).status_code == 400
    zoom.post("/_sim/users/kim@zoom.example/sign-in", {"client": "mac"})
    zoom.post("/_sim/users/kim@zoom.example/sign-out")
    assert zoom.post("/_sim/users/kim@zoom.example/accept").status_code == 409
    assert zoom.deliver().names() == ["user.created", "user.signed_in", "user.signed_out"]


def test_apps_and_accounts(zoom: Zoom) -> None:
    """Plans are checked, unknown ones do not exist."""
    assert zoom.patch("/_sim/apps/client", {"published": True}).json()["published"] is True
    assert zoom.patch("/_sim/apps/other", {}).status_code == 404
    assert zoom.patch("/_sim/apps/client", {"scopes": "all"}).status_code == 400
    assert zoom.patch("/_sim/accounts/simulated-account", {"plan": "business"}).json()["plan"] == "business"
    assert zoom.patch("/_sim/accounts/simulated-account", {"plan": "gold"}).status_code == 400
    assert zoom.patch("/_sim/accounts/other", {}).status_code == 404


def test_several_apps_and_accounts() -> None:
    """Each app has its secret, scopes and events; a published one can be installed elsewhere, others cannot."""
    zoom = Zoom()
    found = zoom.post("/_sim/accounts", {"email": "other@else.example", "plan": "business"}).json()
    added = zoom.post("/_sim/users", {"email": "kim@else.example", "account": found["id"]})
    assert added.status_code == 200
    other = {"client_id": "two", "client_secret": "s2", "redirect_uris": [REDIRECT]}
    assert zoom.post("/_sim/apps", other).json() == {"client_id": "two", "enabled": True, "published": False}
    assert zoom.post("/_sim/apps", other).status_code == 400
    hook = {"url": "https://two.example", "secret": "hook-secret", "client_id": "two", "events": ["meeting.*"]}
    zoom.post("/_sim/subscriptions", hook)
    assert "error=" in zoom.authorize("kim@else.example", client_id="two").headers["location"]
    zoom.patch("/_sim/apps/two", {"published": True})
    code = zoom.code("kim@else.example", client_id="two")
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    assert zoom.form("/oauth/token", fields, auth=CLIENT).status_code == 400
    zoom.token = zoom.form("/oauth/token", fields, auth=("two", "s2")).json()["access_token"]
    zoom.meeting()
    assert [each.url for each in zoom.deliver().events("meeting.created")] == ["https://two.example"]
    zoom.connect()
    assert zoom.get("/v2/users/kim@else.example").json()["code"] == 1001


def test_scheduling_in_the_web_portal(zoom: Zoom) -> None:
    """The meeting is the owner's unless another user is named, and the event has the portal as its source."""
    meeting = zoom.post("/_sim/meetings", {"topic": "Portal", "kind": "webinar"}).json()
    assert meeting["host_id"] == zoom.user_id("owner@zoom.example")
    assert zoom.post("/_sim/meetings", {"duration": -1}).json()["code"] == 300
    assert zoom.post("/_sim/meetings", {"user": "nobody"}).status_code == 404
    (event,) = zoom.deliver().events("webinar.created")
    assert event.json["payload"]["object"]["creation_source"] == "web_portal"
    assert zoom.get("/_sim/meetings").json()["total"] == 1


def test_meetings_by_uuid() -> None:
    """Even by one that begins with a slash."""
    zoom = Zoom(awkward_uuids=True)
    zoom.connect()
    meeting = zoom.meeting()
    zoom.act(meeting["id"], "start")
    for encoded in ("%2F", "%252F"):
        assert zoom.act(meeting["uuid"].replace("/", encoded), "join", name="A")["participants"][0]["name"] == "A"


def test_unknown_meetings(zoom: Zoom) -> None:
    """An unknown meeting is a 404."""
    assert zoom.get("/_sim/meetings/1").status_code == 404
    assert zoom.post("/_sim/meetings/1/start").status_code == 404


def test_registration_by_people(zoom: Zoom) -> None:
    """Zoom's refusals come in Zoom's shape; the host decides."""
    closed = zoom.meeting()["id"]
    person = {"email": "a@b.example", "first_name": "A"}
    assert zoom.post(f"/_sim/meetings/{closed}/register", person).json()["code"] == 300
    asked = zoom.meeting(settings={"approval_type": 1})["id"]
    assert zoom.act(asked, "register", **person)["registrant"]["status"] == "pending"
    assert zoom.act(asked, "approve", registrant="a@b.example")["registrants"] == 1


def test_subscriptions_are_removed(zoom: Zoom) -> None:
    """And unknown ones do not exist."""
    (found,) = zoom.get("/_sim/subscriptions").json()["subscriptions"]
    assert zoom.patch(f"/_sim/subscriptions/{found['id']}", {"events": 5}).status_code == 400
    assert zoom.delete(f"/_sim/subscriptions/{found['id']}").status_code == 200
    assert zoom.delete(f"/_sim/subscriptions/{found['id']}").status_code == 404
    assert zoom.post("/_sim/subscriptions", {}).status_code == 400


def test_waiting_for_quiet(zoom: Zoom) -> None:
    """Says whether it is quiet."""
    zoom.meeting()
    assert zoom.get("/_sim/idle?timeout=0").json()["idle"] is False
    zoom.deliver()
    assert zoom.get("/_sim/idle").json() == {"idle": True, "sent": 1}


def test_bodies_have_to_be_json_objects(zoom: Zoom) -> None:
    """A body that is not a JSON object is a 400."""
    for body in (b"{", b"[1]"):
        assert zoom.request("POST", "/_sim/clock", content=body).status_code == 400
