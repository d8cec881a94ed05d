"""The headers of a request to an endpoint."""

from __future__ import annotations

import re

from zoom_simulator.testing import SECRET, Posted, Zoom
from zoom_simulator.webhooks.signing import sign


def delivered(zoom: Zoom, event: str) -> Posted:
    """The one delivery of an event."""
    (found,) = zoom.deliver().events(event)
    return found


def test_a_delivery_looks_like_a_real_one(zoom: Zoom) -> None:
    """Every header that was seen on real deliveries is there, in its form."""
    zoom.meeting()
    found = delivered(zoom, "meeting.created")
    assert found.headers["user-agent"] == "Zoom Marketplace/1.0a"
    assert found.headers["content-type"] == "application/json; charset=utf-8"
    assert re.fullmatch(r"v0=[0-9a-f]{64}", found.headers["x-zm-signature"])
    assert re.fullmatch(r"\d{10}", found.headers["x-zm-request-timestamp"])
    assert re.fullmatch(r"[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}", found.headers["x-zm-request-id"])
    assert re.fullmatch(r"v=2\.0;clid=us02;rid=WEB_[0-9a-f]{32}", found.headers["x-zm-trackingid"])
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", found.headers["traceparent"])
    assert found.headers["zm-trace-upstream"] == "Meeting_Web_marketplace-consumer"


def test_some_come_from_the_event_service(zoom: Zoom) -> None:
    """The tracking id has a second form."""
    zoom.post("/_sim/users/jill@zoom.example/sign-in")
    found = delivered(zoom, "user.signed_in").headers["x-zm-trackingid"]
    assert re.fullmatch(r"EventService_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}_3", found)


def test_a_challenge_is_a_delivery_like_any_other(zoom: Zoom) -> None:
    """It carries the same headers and a signature over its own body."""
    zoom.meeting()
    subscription = next(iter(zoom.sim.state.subscriptions))
    zoom.post(f"/_sim/subscriptions/{subscription}/challenge")
    zoom.deliver()
    event = next(each for each in zoom.endpoint.posted if each.event == "meeting.created")
    challenge = next(each for each in zoom.endpoint.posted if each.event == "endpoint.url_validation")
    assert set(challenge.headers) == set(event.headers)
    stamp = challenge.headers["x-zm-request-timestamp"]
    assert challenge.headers["x-zm-signature"] == sign(SECRET, stamp, challenge.body.decode())
