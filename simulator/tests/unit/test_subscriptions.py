"""Event subscriptions by API, and the log of deliveries."""

from __future__ import annotations

import base64

import pytest

from zoom_simulator.testing import Json, Zoom
from zoom_simulator.webhooks.sender import Answer

PATH = "/v2/marketplace/app/event_subscription"
LOGS = "/v2/marketplace/apps/client/webhook_logs"
WANTED: Json = {
    "event_webhook_url": "https://two.example",
    "event_subscription_name": "two",
    "events": ["user.signed_in"],
    "subscription_scope": "account",
}


@pytest.fixture
def app(zoom: Zoom) -> Zoom:
    """The app itself calls."""
    zoom.token = zoom.token_request(grant_type="client_credentials").json()["access_token"]
    return zoom


def create(app: Zoom, **changes: object) -> str:
    """The id of a new subscription."""
    created = app.post(PATH, {**WANTED, **changes})
    assert created.status_code == 201, created.text
    return str(created.json()["event_subscription_id"])


def test_an_app_manages_its_subscriptions(app: Zoom) -> None:
    """Create (with a challenge), list, change, delete."""
    found = create(app)
    assert [each.url for each in app.deliver().posted] == ["https://two.example"]
    first, second = app.get(PATH).json()["event_subscriptions"]
    assert (first["event_subscription_name"], first["created_source"]) == ("command line", "default")
    assert (second["event_subscription_id"], second["created_source"]) == (found, "openapi")
    assert (second["subscription_scope"], second["events"]) == ("account", ["user.signed_in"])
    change = {"event_subscription_id": found, "events": ["user.signed_out"], "event_webhook_url": "https://x.example"}
    assert app.patch(PATH, change).status_code == 204
    changed = app.get(PATH).json()["event_subscriptions"][1]
    assert (changed["events"], changed["event_webhook_url"]) == (["user.signed_out"], "https://x.example")
    assert app.delete(f"{PATH}/{found}").status_code == 204
    assert app.delete(f"{PATH}/{found}").json()["code"] == 1601


def test_a_server_to_server_app_uses_its_account_token(zoom: Zoom) -> None:
    """General apps ask with client_credentials, these with account_credentials."""
    zoom.connect_account()
    assert create(zoom)


def test_those_of_the_build_flow_cannot_be_touched(app: Zoom) -> None:
    """They are listed, no more."""
    (only,) = app.get(PATH).json()["event_subscriptions"]
    assert app.delete(f"{PATH}/{only['event_subscription_id']}").status_code == 404


def test_people_cannot(zoom: Zoom) -> None:
    """The scope is the app's alone."""
    assert zoom.get(PATH).json()["code"] == 4711


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"events": []}, 400, 1500),
        ({"event_webhook_url": ""}, 400, 1500),
        ({"event_webhook_url": "nowhere"}, 404, 1701),
        ({"subscription_scope": "world"}, 400, 1500),
        ({"user_ids": ["nobody"]}, 404, 1001),
        ({"custom_header": {"custom_header_type": 1, "username": "u"}}, 400, 1500),
        (
            {"custom_header": {"custom_header_type": 3, "custom_header_key": "a b"}},
            400,
            1500,
        ),
        ({"custom_header": {"custom_header_type": 2}}, 404, 1801),
    ],
)
def test_what_is_refused(app: Zoom, changes: Json, status: int, code: int) -> None:
    """Refusals have the Marketplace's codes."""
    response = app.post(PATH, {**WANTED, **changes})
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_only_events_that_scopes_cover() -> None:
    """The event is not allowed for the app."""
    zoom = Zoom(scopes=("user:read:user",))
    zoom.sim.app.account_scopes = []
    zoom.token = zoom.token_request(grant_type="client_credentials").json()["access_token"]
    response = zoom.post(PATH, {**WANTED, "events": ["meeting.started"]})
    assert response.json() == {"code": 1602, "message": "The event is not allowed for the app: meeting.started"}


def test_only_people_who_authorised_the_app(app: Zoom) -> None:
    """A user who has not authorised the app is refused with 1300."""
    response = app.post(PATH, {**WANTED, "user_ids": [app.user_id("basil@zoom.example")]})
    assert response.json()["code"] == 1300


def test_twenty_at_most(app: Zoom) -> None:
    """The command line's is one of them."""
    codes = [app.post(PATH, WANTED).status_code for _ in range(20)]
    assert codes == [201] * 19 + [400]


def test_events_of_some_users_only(app: Zoom) -> None:
    """A subscription of scope `user` gets events of its users only, and users can be added and removed."""
    jill, basil = app.user_id(), app.user_id("basil@zoom.example")
    found = create(app, subscription_scope="user", user_ids=[jill])

    def heard() -> list[str]:
        app.endpoint.posted.clear()
        for each in (jill, basil):
            app.post(f"/_sim/users/{each}/sign-in")
        own = [each for each in app.deliver().events("user.signed_in") if each.url == "https://two.example"]
        return [each.json["payload"]["object"]["id"] for each in own]

    assert heard() == [jill]
    app.connect("basil@zoom.example")
    app.token = app.token_request(grant_type="client_credentials").json()["access_token"]
    change = {"account_id": "simulated-account", "user_ids": [basil]}
    assert app.patch(f"{PATH}/{found}", change).status_code == 204
    assert heard() == [jill, basil]
    assert app.delete(f"{PATH}?event_subscription_id={found}&user_ids={jill}").status_code == 204
    assert heard() == [basil]
    assert app.delete(f"{PATH}?event_subscription_id={found}").status_code == 204
    assert heard() == []


def test_deliveries_carry_the_custom_header(app: Zoom) -> None:
    """Deliveries have Basic authentication or the app's own header."""
    basic = {"custom_header_type": 1, "username": "u", "password": "p"}
    own = {"custom_header_type": 3, "custom_header_key": "X-Api-Key", "custom_header_value": "k"}
    create(app, custom_header=basic)
    create(app, custom_header=own, event_webhook_url="https://three.example")
    first, second = app.deliver().posted
    assert first.headers["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert second.headers["X-Api-Key"] == "k"


def test_what_became_of_deliveries(app: Zoom) -> None:
    """Failed attempts unless all are asked for; the request id stays the same on every try."""
    app.endpoint.answers = [Answer(503), Answer(None, error="timeout"), Answer(200, b"ok")]
    app.post("/_sim/meetings", {"topic": "x"})
    app.deliver()
    app.advance(300)
    app.advance(1200)
    last, first = app.get(LOGS).json()["webhook_logs"]
    assert (first["event"], first["status"], first["retry_num"]) == ("meeting.created", 503, 0)
    assert (last["status"], last["failed_reason_type"], last["retry_num"]) == (-1, 1, 1)
    everything = app.get(LOGS + "?type=1").json()["webhook_logs"]
    assert {each["request_id"] for each in everything} == {app.endpoint.events()[0].headers["x-zm-request-id"]}
    (good,) = app.get(LOGS + "?type=3").json()["webhook_logs"]
    assert (good["status"], good["response_body"], good["retry_num"]) == (200, "ok", 2)
    assert app.get(LOGS + "?type=1&event=meeting.deleted").json()["webhook_logs"] == []
    assert len(app.get(LOGS + "?type=1&retry_num=1").json()["webhook_logs"]) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?retry_num=4", 1506),
        ("?from=yesterday", 1503),
        ("?from=2020-01-01T00:00:00Z", 1502),
        ("?from=2026-11-18T00:00:00Z&to=2026-11-17T00:00:00Z", 1501),
    ],
)
def test_logs_that_cannot_be_asked_for(app: Zoom, query: str, code: int) -> None:
    """The last seven days, in Zoom's form of a time."""
    assert app.get(LOGS + query).json()["code"] == code


def test_logs_of_another_app(app: Zoom) -> None:
    """The log of another app's subscription is refused with 1401."""
    assert app.get(LOGS.replace("client", "other")).json()["code"] == 1401
