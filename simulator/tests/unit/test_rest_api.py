"""What every request passes: token, scopes, bodies."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Zoom


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic abc", "token"])
def test_without_a_good_token_it_is_401_124(zoom: Zoom, header: str) -> None:
    """Anything but a valid token is answered with 401 and code 124."""
    response = zoom.get("/v2/users/me", token="", headers={"Authorization": header} if header else {})
    assert (response.status_code, response.json()) == (401, {"code": 124, "message": "Invalid access token."})


def test_tokens_in_the_query_are_refused(zoom: Zoom) -> None:
    """A token in the query is refused with Zoom's text."""
    response = zoom.get(f"/v2/users/me?access_token={zoom.token}", token="")
    assert response.status_code == 401
    assert response.json()["message"] == (
        "Invalid access token, this access token is not supported as query parameter string."
    )


def test_the_status_that_the_contract_prints() -> None:
    """`GET /users` has 400 for a bad token there."""
    zoom = Zoom(invalid_token_status=400)
    assert zoom.get("/v2/users", token="bad").status_code == 400
    assert zoom.get("/v2/users/me", token="bad").status_code == 401


def test_missing_scopes_are_named() -> None:
    """A missing scope is a 400 with code 4711 and both forms of the scope."""
    zoom = Zoom(scopes=("user:read:user",))
    zoom.connect()
    response = zoom.delete("/v2/meetings/1")
    assert response.status_code == 400
    assert response.json() == {
        "code": 4711,
        "message": "Invalid access token, does not contain scopes:[meeting:delete:meeting, "
        "meeting:delete:meeting:admin].",
    }
    assert zoom.get("/v2/users/me").status_code == 200


@pytest.mark.parametrize("scope", ["meeting:write", "meeting:write:admin", "meeting:delete:meeting:admin"])
def test_classic_and_admin_scopes_open_as_well(scope: str) -> None:
    """Older apps keep working."""
    zoom = Zoom(scopes=(scope, "meeting:write:meeting"))
    zoom.connect("owner@zoom.example")
    meeting = zoom.meeting()
    assert zoom.delete(f"/v2/meetings/{meeting['id']}").status_code == 204


def test_scopes_can_be_left_unenforced() -> None:
    """A switch turns the check of scopes off."""
    zoom = Zoom(scopes=("user:read:user",), enforce_scopes=False)
    zoom.connect()
    assert zoom.get("/v2/users/me/meetings").status_code == 200


def test_user_level_apps_say_me(zoom: Zoom) -> None:
    """Their own id is refused unless switched on, somebody else's is forbidden, a stranger's does not exist."""
    own = zoom.user_id()
    assert zoom.get(f"/v2/users/{own}").json()["code"] == 124
    other = zoom.get("/v2/users/owner@zoom.example")
    assert other.status_code == 403
    assert "not permitted access to the targeted resource" in other.json()["message"]
    nobody = zoom.get("/v2/users/nobody@zoom.example")
    assert (nobody.status_code, nobody.json()["code"]) == (404, 1001)
    zoom.sim.behaviour.own_id_for_me = "accept"
    assert zoom.get(f"/v2/users/{own}").status_code == 200


def test_account_apps_do_not_say_me(zoom: Zoom) -> None:
    """Unless switched on; ids and addresses work."""
    zoom.connect_account()
    assert zoom.get("/v2/users/me").status_code == 401
    assert zoom.get("/v2/users/jill@zoom.example").status_code == 200
    zoom.sim.behaviour.me_for_account_apps = "accept"
    assert zoom.get("/v2/users/me").json()["role_name"] == "Owner"


def test_other_peoples_meetings_do_not_exist(zoom: Zoom) -> None:
    """A colleague's meeting is a 404, unless the scopes cover the account."""
    meeting = zoom.meeting()["id"]
    zoom.connect("basil@zoom.example")
    assert zoom.get(f"/v2/meetings/{meeting}").json() == {
        "code": 3001,
        "message": f"Meeting does not exist: {meeting}.",
    }
    zoom.connect_account()
    assert zoom.get(f"/v2/meetings/{meeting}").status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b"\xff"])
def test_bodies_have_to_be_objects(zoom: Zoom, body: bytes) -> None:
    """Anything else is 400, 300."""
    headers = {"content-type": "application/json"}
    response = zoom.request("POST", "/v2/users/me/meetings", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json() == {"code": 300, "message": "Request Body should be a valid JSON object."}


def test_bodies_have_to_be_json(zoom: Zoom) -> None:
    """A body with another content type than JSON is refused."""
    response = zoom.request("POST", "/v2/users/me/meetings", content=b"{}", headers={"content-type": "text/plain"})
    assert response.status_code == 415


def test_answers_without_a_body_have_none(zoom: Zoom) -> None:
    """A 204 carries neither content nor its type."""
    meeting = zoom.meeting()["id"]
    response = zoom.patch(f"/v2/meetings/{meeting}", {"topic": "New"})
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers
    assert "content-length" not in response.headers
