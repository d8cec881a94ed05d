"""Pages and their tokens."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Zoom

LIST = "/v2/users/me/meetings"


@pytest.fixture
def full(zoom: Zoom) -> Zoom:
    """Five meetings."""
    for number in range(5):
        zoom.meeting(topic=f"m{number}", start_time=f"2026-12-0{number + 1}T10:00:00Z")
    return zoom


def test_tokens_lead_through_all_pages(full: Zoom) -> None:
    """Every entry comes once, the last page has an empty token."""
    topics, token, pages = [], "", 0
    while True:
        page = full.get(f"{LIST}?page_size=2&next_page_token={token}").json()
        topics += [each["topic"] for each in page["meetings"]]
        token, pages = page["next_page_token"], pages + 1
        if not token:
            break
    assert (topics, pages) == (["m0", "m1", "m2", "m3", "m4"], 3)
    assert (page["page_count"], page["total_records"], page["page_size"], page["page_number"]) == (3, 5, 2, 3)


def test_page_numbers_work_too(full: Zoom) -> None:
    """The old way."""
    assert full.get(f"{LIST}?page_size=2&page_number=0").json() == full.get(f"{LIST}?page_size=2").json()
    page = full.get(f"{LIST}?page_size=2&page_number=2").json()
    assert [each["topic"] for each in page["meetings"]] == ["m2", "m3"]


def test_tokens_expire_after_fifteen_minutes(full: Zoom) -> None:
    """Then it is a 300."""
    token = full.get(f"{LIST}?page_size=2").json()["next_page_token"]
    full.wall.now += 899
    assert full.get(f"{LIST}?page_size=2&next_page_token={token}").status_code == 200
    full.wall.now += 1
    refused = full.get(f"{LIST}?page_size=2&next_page_token={token}")
    assert (refused.status_code, refused.json()["code"]) == (400, 300)
    assert refused.json()["message"] == "The next page token is invalid or expired."


@pytest.mark.parametrize("change", ["tampered", "other_query", "nonsense"])
def test_tokens_belong_to_their_query(full: Zoom, change: str) -> None:
    """Made up, altered, or carried over to another list they are invalid."""
    token = full.get(f"{LIST}?page_size=2").json()["next_page_token"]
    path = f"{LIST}?type=upcoming" if change == "other_query" else f"{LIST}?page_size=2"
    token = {"tampered": "A" + token[1:], "nonsense": "x"}.get(change, token)
    assert full.get(f"{path}&next_page_token={token}").status_code == 400


@pytest.mark.parametrize("size", ["many", "-1", "30.5"])
def test_page_sizes_have_limits(full: Zoom, size: str) -> None:
    """Neither text nor a negative number is one."""
    response = full.get(f"{LIST}?page_size={size}")
    assert response.json()["errors"][0]["field"] == "page_size"


@pytest.mark.parametrize(("asked", "size"), [("1000", 300), ("301", 300), ("0", 30), ("300", 300)])
def test_a_page_size_above_the_maximum_is_lowered(full: Zoom, asked: str, size: int) -> None:
    """The answer says which size it has; 0 means the default."""
    assert full.get(f"{LIST}?page_size={asked}").json()["page_size"] == size


def test_a_page_size_above_the_maximum_can_be_refused(full: Zoom) -> None:
    """With a switch, as the contract reads."""
    full.sim.behaviour.page_size_above_maximum = "refuse"
    assert full.get(f"{LIST}?page_size=301").json()["errors"][0]["field"] == "page_size"


@pytest.mark.parametrize("largest", [2000, 300])
def test_users_come_in_larger_pages(largest: int) -> None:
    """2000 in the contract, 300 in the guide."""
    zoom = Zoom(users_page_size_max=largest)
    zoom.connect_account()
    assert zoom.get("/v2/users?page_size=2000").json()["page_size"] == largest
