"""Event subscriptions by API."""

from __future__ import annotations

import pytest

from tests.fakes.local_zoom import Json, Zoom

PATH = "/v2/marketplace/app/event_subscription"
WANTED: Json = {
    "event_webhook_url": "https://two.example",
    "event_subscription_name": "two",
    "events": ["meeting.started"],
}


@pytest.fixture
def app(zoom: Zoom) -> Zoom:
    """The app itself calls."""
    zoom.token = zoom.token_request(grant_type="client_credentials").json()["access_token"]
    return zoom


def test_an_app_manages_its_subscriptions(app: Zoom) -> None:
    """Create (with a challenge), list, change, delete."""
    created = app.post(PATH, WANTED)
    assert created.status_code == 201
    found = created.json()["event_subscription_id"]
    listed = app.get(PATH).json()["event_subscriptions"]
    assert [each["event_subscription_name"] for each in listed] == ["command line", "two"]
    assert app.patch(f"{PATH}/{found}", {"events": ["meeting.ended"]}).status_code == 204
    assert app.get(PATH).json()["event_subscriptions"][1]["events"] == ["meeting.ended"]
    assert app.delete(f"{PATH}/{found}").status_code == 204
    assert app.delete(f"{PATH}/{found}").status_code == 404


def test_people_cannot(zoom: Zoom) -> None:
    """The scope is the app's alone."""
    assert zoom.get(PATH).json()["code"] == 4711


def test_only_events_that_scopes_cover() -> None:
    """The event is not allowed for the app."""
    zoom = Zoom(scopes=("user:read:user",))
    zoom.sim.app.account_scopes = []
    zoom.token = zoom.token_request(grant_type="client_credentials").json()["access_token"]
    assert zoom.post(PATH, WANTED).json()["message"] == "The event is not allowed for the app."


def test_twenty_at_most(app: Zoom) -> None:
    """The command line's is one of them."""
    codes = [app.post(PATH, WANTED).status_code for _ in range(20)]
    assert codes == [201] * 19 + [400]


def test_what_became_of_deliveries(app: Zoom) -> None:
    """Every attempt is logged."""
    app.post("/_sim/meetings", {"topic": "x"})
    app.deliver()
    (row,) = app.get("/v2/marketplace/apps/client/webhook_logs").json()["webhook_logs"]
    assert (row["event"], row["http_status"], row["retry_num"]) == ("meeting.created", 200, 0)
