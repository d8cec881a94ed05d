"""The endpoint challenge."""

from __future__ import annotations

from zoom_simulator.testing import SECRET, Zoom
from zoom_simulator.webhooks.signing import sign

HOURS = 3600


def challenges(zoom: Zoom) -> int:
    """How many have been sent."""
    return sum(each.event == "endpoint.url_validation" for each in zoom.endpoint.posted)


def subscription(zoom: Zoom) -> dict[str, object]:
    """The subscription of the command line."""
    found: dict[str, object] = zoom.get("/_sim/subscriptions").json()["subscriptions"][0]
    return found


def test_the_challenge_is_signed_like_any_event(zoom: Zoom) -> None:
    """The challenge is signed, and has a plain token and `event_ts` but no `account_id`."""
    zoom.post(f"/_sim/subscriptions/{subscription(zoom)['id']}/challenge")
    (posted,) = zoom.endpoint.posted
    stamp = posted.headers["x-zm-request-timestamp"]
    assert posted.headers["x-zm-signature"] == sign(SECRET, stamp, posted.body.decode())
    assert set(posted.json) == {"payload", "event_ts", "event"}
    assert set(posted.json["payload"]) == {"plainToken"}
    assert subscription(zoom)["validated"] is True


def test_saving_a_subscription_challenges_its_endpoint(zoom: Zoom) -> None:
    """Unless switched off, as was seen in 2026."""
    body = {"url": "https://other.example", "secret": SECRET}
    assert zoom.post("/_sim/subscriptions", body).json()["validated"] is True
    zoom.sim.behaviour.challenge_on_save = False
    assert zoom.post("/_sim/subscriptions", body).json()["validated"] is False
    assert challenges(zoom) == 1


def test_every_72_hours_and_after_six_failures_disabled(zoom: Zoom) -> None:
    """Mail after two and four; a disabled subscription gets neither events nor challenges until it is enabled."""
    zoom.endpoint.answers_challenges = False
    for number in range(1, 7):
        assert subscription(zoom)["enabled"] is True
        zoom.advance(72 * HOURS)
        assert challenges(zoom) == number
    view = subscription(zoom)
    assert (view["enabled"], view["failed_challenges"]) == (False, 6)
    assert len(zoom.get("/_sim/subscriptions").json()["notices"]) == 3
    zoom.connect()
    zoom.meeting()
    zoom.advance(72 * HOURS)
    assert (challenges(zoom), zoom.endpoint.names()) == (6, [])
    zoom.endpoint.answers_challenges = True
    assert zoom.patch(f"/_sim/subscriptions/{view['id']}", {"enabled": True}).json()["failed_challenges"] == 0
    zoom.connect()
    zoom.meeting()
    assert zoom.deliver().names() == ["meeting.created"]


def test_a_good_answer_clears_the_failures(zoom: Zoom) -> None:
    """Only failures in a row count."""
    zoom.endpoint.answers_challenges = False
    for _ in range(5):
        zoom.advance(72 * HOURS)
    zoom.endpoint.answers_challenges = True
    zoom.advance(72 * HOURS)
    assert subscription(zoom)["failed_challenges"] == 0
    assert subscription(zoom)["enabled"] is True


def test_wrong_answers_fail(zoom: Zoom) -> None:
    """A token under another secret is no answer, and neither is an empty 200."""
    zoom.sim.state.subscriptions[str(subscription(zoom)["id"])].secret = "another"
    response = zoom.post(f"/_sim/subscriptions/{subscription(zoom)['id']}/challenge")
    assert response.json()["valid"] is False


def test_an_endpoint_that_is_still_starting_is_asked_again(zoom: Zoom) -> None:
    """Every ten seconds, and none of it counts as a failure."""
    zoom.endpoint.answers_challenges = False
    zoom.sim.resume()
    zoom.advance(0)
    zoom.advance(10)
    assert (challenges(zoom), subscription(zoom)["failed_challenges"]) == (2, 0)
    zoom.endpoint.answers_challenges = True
    zoom.advance(10)
    zoom.advance(60)
    assert (challenges(zoom), subscription(zoom)["validated"]) == (3, True)


def test_one_challenge_each_time_however_often_it_was_arranged(zoom: Zoom) -> None:
    """A start arranges for what a former one has arranged for already."""
    zoom.sim.behaviour.challenge_on_save = False
    zoom.sim.resume()
    zoom.advance(72 * HOURS)
    zoom.advance(72 * HOURS)
    assert challenges(zoom) == 2
