"""Deliveries: signed, retried, and as faulty as wished."""

from __future__ import annotations

import json

import pytest

from zoom_simulator.testing import NOW, SECRET, WEBHOOK_URL, Endpoint, Posted, Zoom
from zoom_simulator.webhooks.sender import Answer
from zoom_simulator.webhooks.signing import sign

MINUTE = 60


def genuine(posted: Posted) -> bool:
    """Whether the signature fits."""
    stamp = posted.headers["x-zm-request-timestamp"]
    return posted.headers["x-zm-signature"] == sign(SECRET, stamp, posted.body.decode())


def started(zoom: Zoom) -> Endpoint:
    """Start a meeting and deliver."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    return zoom.deliver()


def states(zoom: Zoom) -> list[str]:
    """What became of the deliveries, the oldest first."""
    return [each.state for each in zoom.sim.state.deliveries.values()]


def test_a_delivery_is_signed_and_stamped(zoom: Zoom) -> None:
    """A delivery has Zoom's headers, with a signature and a timestamp."""
    (posted,) = started(zoom).events("meeting.started")
    assert genuine(posted)
    assert posted.url == WEBHOOK_URL
    assert posted.headers["x-zm-request-timestamp"] == str(int(NOW))
    assert posted.headers["user-agent"] == "Zoom Marketplace/1.0a"
    assert posted.headers["content-type"] == "application/json; charset=utf-8"
    assert posted.headers["clientid"] == "client"
    assert len(posted.headers["x-zm-request-id"].split("_")) == 5


@pytest.mark.parametrize("failure", [Answer(500), Answer(503), Answer(None, error="timeout")])
def test_retries_after_5_20_and_60_minutes(zoom: Zoom, failure: Answer) -> None:
    """The same body and request id, a new timestamp and signature each time; then it is given up."""
    zoom.meeting()
    zoom.endpoint.answers = [failure] * 10
    zoom.deliver()
    for minutes in (5, 20, 60):
        before = len(zoom.endpoint.posted)
        zoom.advance(minutes * MINUTE - 1)
        assert len(zoom.endpoint.posted) == before
        zoom.advance(1)
        assert len(zoom.endpoint.posted) == before + 1
    zoom.advance(1000 * MINUTE)
    posted = zoom.endpoint.events("meeting.created")
    assert len(posted) == 4
    assert all(genuine(each) for each in posted)
    assert len({each.body for each in posted}) == len({each.headers["x-zm-request-id"] for each in posted}) == 1
    assert len({each.headers["x-zm-signature"] for each in posted}) == 4
    assert states(zoom) == ["failed"]


def test_a_retry_that_succeeds_is_the_last(zoom: Zoom) -> None:
    """After a successful retry the delivery's state is delivered."""
    zoom.meeting()
    zoom.endpoint.answers = [Answer(500)]
    zoom.deliver()
    zoom.advance(5 * MINUTE)
    zoom.advance(100 * MINUTE)
    assert len(zoom.endpoint.events("meeting.created")) == 2
    assert states(zoom) == ["delivered"]


def test_retries_can_be_scaled(zoom: Zoom) -> None:
    """A scale turns the minutes between retries into seconds."""
    zoom.sim.behaviour.retry_scale = 1 / 60
    zoom.meeting()
    zoom.endpoint.answers = [Answer(500)]
    zoom.deliver()
    zoom.advance(5)
    assert states(zoom) == ["delivered"]


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 429])
def test_redirects_and_refusals_are_never_retried(zoom: Zoom, status: int) -> None:
    """The event is lost."""
    zoom.meeting()
    zoom.endpoint.answers = [Answer(status)]
    zoom.deliver()
    zoom.advance(100 * MINUTE)
    assert len(zoom.endpoint.events("meeting.created")) == 1
    assert states(zoom) == ["refused"]


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_a_success(zoom: Zoom, status: int) -> None:
    """Every 2xx is a success, also 204."""
    zoom.meeting()
    zoom.endpoint.answers = [Answer(status)]
    zoom.deliver()
    assert states(zoom) == ["delivered"]


def fault(zoom: Zoom, name: str, **more: object) -> None:
    """Harm one delivery."""
    zoom.sim.faults.add({"fault": name, "count": 1, **more})


def test_duplicates(zoom: Zoom) -> None:
    """A duplicate has the same body and the same request id."""
    fault(zoom, "duplicate", target="webhooks.meeting.started")
    posted = started(zoom).events("meeting.started")
    assert len(posted) == 2
    assert posted[0].body == posted[1].body
    assert posted[0].headers["x-zm-request-id"] == posted[1].headers["x-zm-request-id"]


def test_reordered_deliveries_come_after_the_next(zoom: Zoom) -> None:
    """The held delivery arrives after the next one."""
    fault(zoom, "reorder", target="webhooks.meeting.created")
    assert started(zoom).names() == ["meeting.started", "meeting.created"]


def test_what_is_held_back_comes_in_the_end(zoom: Zoom) -> None:
    """Even when nothing follows."""
    fault(zoom, "reorder")
    zoom.meeting()
    assert zoom.deliver().names() == []
    zoom.advance(5)
    assert zoom.endpoint.names() == ["meeting.created"]


def test_late_deliveries(zoom: Zoom) -> None:
    """A late delivery has the event's time in its body, and the time of sending in its header."""
    fault(zoom, "late", seconds=90)
    zoom.meeting()
    zoom.advance(89)
    assert zoom.endpoint.names() == []
    zoom.advance(1)
    (posted,) = zoom.endpoint.events("meeting.created")
    assert posted.json["event_ts"] == int(NOW * 1000)
    assert posted.headers["x-zm-request-timestamp"] == str(int(NOW + 90))


def test_forged_deliveries_come_beside_the_genuine_one(zoom: Zoom) -> None:
    """A tampered body under a signature that does not fit; a refusal of it costs nothing."""
    fault(zoom, "forge", target="webhooks.meeting.started")
    posted = started(zoom).events("meeting.started")
    assert sorted(genuine(each) for each in posted) == [False, True]
    assert len({each.json["payload"]["account_id"] for each in posted}) == 2


def test_stale_deliveries_carry_an_old_but_valid_signature(zoom: Zoom) -> None:
    """The copy has a valid signature of two hours ago."""
    fault(zoom, "stale", target="webhooks.meeting.started")
    posted = started(zoom).events("meeting.started")
    assert all(genuine(each) for each in posted)
    ages = sorted(int(NOW) - int(each.headers["x-zm-request-timestamp"]) for each in posted)
    assert ages == [0, 7200]


def test_dropped_deliveries_never_come(zoom: Zoom) -> None:
    """And are listed as dropped."""
    fault(zoom, "drop")
    zoom.meeting()
    assert zoom.deliver().names() == []
    assert states(zoom) == ["dropped"]


def test_redelivery(zoom: Zoom) -> None:
    """A delivery can be sent again by hand any number of times."""
    zoom.meeting()
    zoom.deliver()
    (delivery,) = zoom.get("/_sim/deliveries").json()["deliveries"]
    zoom.post(f"/_sim/deliveries/{delivery['id']}/redeliver")
    assert zoom.deliver().names() == ["meeting.created"] * 2
    assert zoom.post("/_sim/deliveries/none/redeliver").status_code == 404


def test_the_history_shows_attempts_and_answers(zoom: Zoom) -> None:
    """Status, error, time, and what was answered; the body on request."""
    zoom.meeting()
    zoom.endpoint.answers = [Answer(503, b"busy", milliseconds=12.5), Answer(200, b"fine")]
    zoom.deliver()
    zoom.advance(5 * MINUTE)
    (delivery,) = zoom.get("/_sim/deliveries?event=meeting.created&bodies=1").json()["deliveries"]
    assert [(each["status"], each["answer"]) for each in delivery["attempts"]] == [(503, "busy"), (200, "fine")]
    assert json.loads(delivery["body"])["event"] == "meeting.created"
    assert zoom.get("/_sim/deliveries?state=failed").json()["total"] == 0


def test_history_is_bounded(zoom: Zoom) -> None:
    """The oldest finished ones go; what is still to be retried stays."""
    zoom.sim.behaviour.keep_deliveries = 3
    zoom.meeting(topic="retried")
    zoom.endpoint.answers = [Answer(500)]
    zoom.deliver()
    for _ in range(6):
        zoom.meeting()
        zoom.deliver()
    assert len(zoom.sim.state.deliveries) == 3
    assert states(zoom)[0] == "retrying"


def test_stamps_can_follow_the_simulated_clock(zoom: Zoom) -> None:
    """By default they follow the wall, so that a receiver's freshness check holds when time is moved."""
    zoom.sim.clock.advance(1000)
    zoom.meeting()
    zoom.sim.behaviour.stamp = "simulated"
    zoom.meeting()
    first, second = zoom.deliver().events("meeting.created")
    # both are stamped when they are sent
    assert {first.headers["x-zm-request-timestamp"], second.headers["x-zm-request-timestamp"]} == {str(int(NOW + 1000))}
    zoom.sim.behaviour.stamp = "wall"
    zoom.meeting()
    assert zoom.deliver().events()[-1].headers["x-zm-request-timestamp"] == str(int(NOW))
