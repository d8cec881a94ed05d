"""From a path on the wire to an operation and its ids."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from zoom_simulator.rest import table
from zoom_simulator.rest.operations import Routes, path_id
from zoom_simulator.testing import Zoom

ROUTES = Routes(table.rows())


def once(text: str) -> str:
    """Encoded once."""
    return quote(text, safe="")


@pytest.mark.parametrize("uuid", ["abc==", "a/b+c==", "+a+b=="])
def test_ordinary_uuids_work_encoded_once_or_twice(uuid: str) -> None:
    """A slash in the middle needs encoding, no more."""
    assert path_id(once(uuid)) == uuid
    assert path_id(once(once(uuid))) == uuid


@pytest.mark.parametrize("uuid", ["/abc==", "a//b=="])
def test_uuids_with_leading_or_double_slashes_have_to_be_encoded_twice(uuid: str) -> None:
    """Encoded once, such a UUID is split at its slashes."""
    assert path_id(once(once(uuid))) == uuid
    assert path_id(once(uuid)) != uuid


def test_fixed_words_go_before_parameters() -> None:
    """`/users/me/zak` is not a user's anything, `registrants/status` is no registrant."""
    found = ROUTES.match("GET", "/users/me/zak")
    assert found is not None
    assert found[0].name == "users.zak"
    found = ROUTES.match("PUT", "/meetings/1/registrants/status")
    assert found is not None
    assert found[0].name == "meetings.registrants.status"


@pytest.mark.parametrize("path", ["/nope", "/meetings", "/meetings/1/participants", "/meetings/a/b/c/d"])
def test_unknown_paths(path: str) -> None:
    """Nothing matches."""
    assert ROUTES.match("GET", path) is None


@pytest.mark.parametrize("status", [400, 404])
def test_unknown_endpoints_are_2300(status: int) -> None:
    """Among them the participants of a meeting, which Zoom does not have."""
    zoom = Zoom(unknown_endpoint_status=status)
    zoom.connect()
    response = zoom.get("/v2/meetings/1/participants")
    assert (response.status_code, response.json()["code"]) == (status, 2300)


def test_awkward_uuids_end_to_end() -> None:
    """A past meeting is found under a doubly encoded UUID only."""
    zoom = Zoom(awkward_uuids=True)
    zoom.connect()
    meeting = zoom.meeting()
    zoom.hold(meeting["id"])
    assert meeting["uuid"].startswith("/")
    assert zoom.get(f"/v2/past_meetings/{once(once(meeting['uuid']))}").status_code == 200
    refused = zoom.get(f"/v2/past_meetings/{once(meeting['uuid'])}")
    assert (refused.status_code, refused.json()["code"]) == (404, 3001)


def test_names_are_unique() -> None:
    """Faults and logs name operations."""
    names = [row.name for row in table.rows()]
    assert len(names) == len(set(names))
