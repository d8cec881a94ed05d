"""Where links lead."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from zoom_simulator.testing import Json, Zoom

FORM = {"content-type": "application/x-www-form-urlencoded"}


def path(url: str) -> str:
    """Without the host."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def action(zoom: Zoom, link: str) -> str:
    """Where the form behind a link posts to."""
    found = re.search(r'action="([^"]+)"', zoom.get(path(link)).text)
    assert found
    return found[1]


def test_the_join_link_lets_somebody_in_and_the_start_link_the_host(zoom: Zoom) -> None:
    """By name; the host needs none, and starts the meeting."""
    meeting = zoom.meeting(topic="Behind <b>")
    assert "Behind &lt;b&gt;" in zoom.get(path(meeting["join_url"])).text
    zoom.form(action(zoom, meeting["start_url"]), {"host": "1"}, headers=FORM)
    zoom.form(action(zoom, meeting["join_url"]), {"name": "Ann"}, headers=FORM)
    people = zoom.get(f"/_sim/meetings/{meeting['id']}").json()["participants"]
    assert [each["name"] for each in people] == ["Jill Chill", "Ann"]


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_people_register_on_the_registration_page(zoom: Zoom, kind: str) -> None:
    """With the event of somebody who registered; without registration there is no page."""
    make = zoom.meeting if kind == "meeting" else zoom.webinar
    made: Json = make(settings={"approval_type": 0})
    person = {"email": "ann@guest.example", "first_name": "Ann", "last_name": "Guest"}
    zoom.form(action(zoom, made["registration_url"]), person, headers=FORM)
    assert zoom.deliver().names()[-1] == f"{kind}.registration_created"
    zoom.patch(f"/v2/{kind}s/{made['id']}", {"settings": {"approval_type": 2}})
    assert zoom.get(path(made["registration_url"])).status_code == 404


@pytest.mark.parametrize("link", ["/j/123", "/s/123", "/w/nonsense", "/meeting/register/none"])
def test_links_that_lead_nowhere(zoom: Zoom, link: str) -> None:
    """A page that says so."""
    assert zoom.get(link).status_code == 404
