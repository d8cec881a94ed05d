"""Faults on demand."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from zoom_simulator.asgi import ConnectionLost
from zoom_simulator.faults import Faults, numbers
from zoom_simulator.testing import Zoom


def add(zoom: Zoom, **rule: Any) -> str:
    """Put a fault in force; its id."""
    response = zoom.post("/_sim/faults", rule)
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("429", 429, 429), ("500", 500, 500), ("503", 503, 503), ("expired_token", 401, 124)],
)
def test_presets_answer_as_zoom_does(zoom: Zoom, fault: str, status: int, code: int) -> None:
    """A preset answers with Zoom's status and body."""
    add(zoom, fault=fault)
    response = zoom.get("/v2/users/me")
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_fault_strikes_its_target_only_and_as_often_as_said(zoom: Zoom) -> None:
    """Then it is spent."""
    add(zoom, fault="500", target="meetings.create", count=2)
    assert zoom.get("/v2/users/me").status_code == 200
    codes = [zoom.post("/v2/users/me/meetings").status_code for _ in range(3)]
    assert codes == [500, 500, 201]


def test_a_fault_can_be_meant_for_one_person(zoom: Zoom) -> None:
    """By id or e-mail address: in REST calls, refreshes, exchanges and revokes, and nobody else's count."""
    jill, owner = zoom.connect(), zoom.connect("owner@zoom.example")
    user = next(each for each in zoom.get("/_sim/users").json()["users"] if each["email"] == "jill@zoom.example")
    for who in (user["id"], user["email"]):
        zoom.delete("/_sim/faults")
        add(zoom, fault="503", user=who)
        asked = {
            name: [
                zoom.get("/v2/users/me", headers={"Authorization": f"Bearer {pair['access_token']}"}).status_code,
                zoom.token_request(grant_type="refresh_token", refresh_token=pair["refresh_token"]).status_code,
            ]
            for name, pair in (("jill", jill), ("owner", owner))
        }
        assert asked["jill"] == [503, 503]
        assert 503 not in asked["owner"]
        assert zoom.token_request(grant_type="authorization_code", code=zoom.code(user["email"])).status_code == 503
        assert zoom.get("/_sim/faults").json()["faults"][0]["seen"] == 3
    assert zoom.post("/_sim/faults", {"fault": "duplicate", "user": user["id"]}).status_code == 400


def test_a_fault_can_let_some_pass_first(zoom: Zoom) -> None:
    """`skip` counts them."""
    add(zoom, fault="500", target="users.*", skip=2, count=1)
    assert [zoom.get("/v2/users/me").status_code for _ in range(4)] == [200, 200, 500, 200]


def test_chance_repeats_from_its_seed() -> None:
    """The same seed affects the same requests."""

    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.add({"fault": "500", "probability": 0.5, "seed": seed})
        return [bool(faults.strike_request("users.get")) for _ in range(40)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 5 < sum(struck(1)) < 35


def test_before_any_effect(zoom: Zoom) -> None:
    """A refused, reset or HTML answered create makes no meeting."""
    add(zoom, fault="503", count=1)
    zoom.post("/v2/users/me/meetings")
    add(zoom, fault="502", count=1)
    page = zoom.post("/v2/users/me/meetings")
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    add(zoom, fault="reset", count=1)
    with pytest.raises(ConnectionLost):
        zoom.post("/v2/users/me/meetings")
    assert zoom.get("/v2/users/me/meetings").json()["total_records"] == 0


@pytest.mark.parametrize("fault", ["lost_response", "late_status", "not_json"])
def test_after_the_effect(zoom: Zoom, fault: str) -> None:
    """The meeting is there, whatever the caller got to see."""
    add(zoom, fault=fault, count=1)
    if fault == "lost_response":
        with pytest.raises(ConnectionLost):
            zoom.post("/v2/users/me/meetings")
    else:
        answer = zoom.post("/v2/users/me/meetings")
        assert answer.status_code == (500 if fault == "late_status" else 200)
    assert zoom.get("/v2/users/me/meetings").json()["total_records"] == 1


def test_truncated_answers_promise_more_than_they_bring(zoom: Zoom) -> None:
    """Half a body, then the connection is gone."""
    add(zoom, fault="truncate", count=1)
    with pytest.raises((ConnectionLost, httpx.HTTPError)):
        zoom.get("/v2/users/me")


def test_delays_pass(zoom: Zoom) -> None:
    """A delay of nothing changes nothing; what comes with it still strikes."""
    add(zoom, effect="delay", seconds=0)
    add(zoom, fault="500", count=1)
    assert zoom.get("/v2/users/me").status_code == 500
    assert zoom.get("/v2/users/me").status_code == 200


def test_hanging_ends_with_the_connection(zoom: Zoom) -> None:
    """A request that hangs ends when the connection is closed after the given seconds."""
    add(zoom, effect="hang", seconds=0)
    with pytest.raises(ConnectionLost):
        zoom.get("/v2/users/me")


def test_a_rotation_whose_answer_is_lost(zoom: Zoom) -> None:
    """The old refresh token is gone, and nobody has the new one."""
    first = zoom.connect()
    add(zoom, fault="lost_response", target="oauth.token.refresh", count=1)
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    with pytest.raises(ConnectionLost):
        zoom.token_request(**fields)
    assert zoom.token_request(**fields).json()["error"] == "invalid_grant"


def test_invalid_grant_leaves_the_grant_alone(zoom: Zoom) -> None:
    """A refusal that was not meant."""
    first = zoom.connect()
    add(zoom, fault="invalid_grant", count=1)
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    refused = zoom.token_request(**fields)
    assert (refused.status_code, refused.json()) == (400, {"reason": "Invalid Token!", "error": "invalid_grant"})
    assert zoom.token_request(**fields).status_code == 200


@pytest.mark.parametrize("target", ["oauth.token.code", "oauth.token.account", "oauth.revoke", "oauth.authorize"])
def test_every_leg_of_oauth_can_fail(target: str) -> None:
    """And the others do not."""
    zoom = Zoom()
    zoom.connect()
    add(zoom, fault="500", target=target)
    answers = {
        "oauth.token.code": zoom.token_request(grant_type="authorization_code", code="x"),
        "oauth.token.account": zoom.token_request(grant_type="account_credentials", account_id="x"),
        "oauth.revoke": zoom.form("/oauth/revoke", {"token": "x"}, auth=("client", "client-secret")),
        "oauth.authorize": zoom.authorize(),
    }
    assert {name for name, answer in answers.items() if answer.status_code == 500} == {target}


@pytest.mark.parametrize("effect", ["revoke", "deauthorize"])
def test_a_grant_can_end_in_the_middle_of_a_request(zoom: Zoom, effect: str) -> None:
    """The request is refused as Zoom would; removing the app tells the app."""
    first = zoom.connect()
    add(zoom, effect=effect, target="users.get", count=1)
    assert zoom.get("/v2/users/me").json() == {"code": 124, "message": "Invalid access token."}
    refused = zoom.token_request(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"
    assert bool(zoom.deliver().events("app_deauthorized")) == (effect == "deauthorize")


def test_a_refresh_can_find_its_grant_gone(zoom: Zoom) -> None:
    """The grant ends just before the refresh uses it."""
    first = zoom.connect()
    add(zoom, effect="revoke", target="oauth.token.refresh", count=1)
    refused = zoom.token_request(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"


def test_rules_are_listed_removed_and_cleared(zoom: Zoom) -> None:
    """The list of rules says how often each took effect."""
    first, second = add(zoom, fault="500", target="users.get"), add(zoom, fault="429", target="none")
    zoom.get("/v2/users/me")
    listed = {each["id"]: each for each in zoom.get("/_sim/faults").json()["faults"]}
    assert (listed[first]["fired"], listed[second]["fired"]) == (1, 0)
    zoom.delete(f"/_sim/faults/{first}")
    assert zoom.get("/v2/users/me").status_code == 200
    zoom.delete("/_sim/faults")
    assert zoom.get("/_sim/faults").json()["faults"] == []
    assert zoom.delete("/_sim/faults/99").status_code == 404


@pytest.mark.parametrize("rule", [{"fault": "gremlin"}, {"effect": "explode"}, {"fault": "500", "colour": "red"}])
def test_unknown_faults_are_refused(zoom: Zoom, rule: dict[str, Any]) -> None:
    """By name."""
    assert zoom.post("/_sim/faults", rule).status_code == 400


def test_numbers_from_forms() -> None:
    """Numbers as text are converted to the rule's types."""
    found = numbers({"count": "2", "seconds": "1.5", "target": "x", "status": 500})
    assert found == {"count": 2, "seconds": 1.5, "target": "x", "status": 500}
