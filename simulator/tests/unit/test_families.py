"""Families that are not simulated: answers repeat what arrived, and files redirect to another host."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

import pytest

from zoom_simulator.testing import Zoom


@pytest.mark.parametrize("path", ["/v2/phone/users", "/v2/roles", "/scim2/Users", "/v2/chat/a%2Fb"])
def test_what_arrives_is_reported(zoom: Zoom, path: str) -> None:
    """The answer has the method, raw path, query, content type and a digest of the body."""
    answer = zoom.post(f"{path}?a=%2F", token=zoom.token, content=b"a=1", headers={"content-type": "text/x"})
    assert answer.status_code == 201
    reported = answer.json()
    assert (reported["method"], reported["path"], reported["query"]) == ("POST", path, "a=%2F")
    assert (reported["content_type"], reported["bytes"], reported["bearer"]) == ("text/x", 3, True)
    assert reported["sha256"] == hashlib.sha256(b"a=1").hexdigest()
    assert answer.headers["x-ratelimit-category"] == "Medium"


def test_a_token_is_needed(zoom: Zoom) -> None:
    """A request without a token is refused as everywhere else."""
    assert zoom.get("/v2/phone/users", token="").json()["code"] == 124


def test_a_download_is_elsewhere(zoom: Zoom) -> None:
    """The storage takes note of a bearer that is dragged along."""
    found = zoom.get("/v2/phone/recording/download/1", token=zoom.token)
    assert found.status_code == 302
    place = urlsplit(found.headers["location"]).path
    assert zoom.get(place, token="").content.startswith(b"\x89PNG")
    assert [each["bearer"] for each in zoom.get("/_sim/families").json()["requests"]] == [True, False]


def test_an_image_is_no_text(zoom: Zoom) -> None:
    """For callers that would decode it."""
    found = zoom.get("/v2/rooms/1/image/2", token=zoom.token)
    assert (found.headers["content-type"], found.content[-1]) == ("image/png", 255)
