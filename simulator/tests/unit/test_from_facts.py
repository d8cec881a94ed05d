"""Operations that are served from facts: they answer in the form of the contract, and store what is created."""

from __future__ import annotations

import pytest

from zoom_simulator.rest import table
from zoom_simulator.testing import Zoom


@pytest.fixture
def owner(zoom: Zoom) -> Zoom:
    """The account's owner, who may administer it."""
    zoom.connect("owner@zoom.example")
    return zoom


def test_what_is_made_is_listed_read_changed_and_deleted(owner: Zoom) -> None:
    """With the members that were sent; a deleted thing does not exist."""
    made = owner.post("/v2/groups", {"name": "Ours"})
    assert (made.status_code, made.json()["name"]) == (201, "Ours")
    at = f"/v2/groups/{made.json()['id']}"
    assert [each["name"] for each in owner.get("/v2/groups").json()["groups"]] == ["Ours"]
    assert owner.patch(at, {"name": "Theirs"}).status_code == 204
    assert owner.get(at).json()["name"] == "Theirs"
    assert owner.delete(at).status_code == 204
    assert owner.get(at).status_code == owner.delete(at).status_code == owner.patch(at, {}).status_code == 404
    assert owner.get("/v2/groups").json()["groups"] == []


def test_people_that_are_added_at_once_are_listed_one_by_one(owner: Zoom) -> None:
    """People who are added together are listed one by one, and removed by id or all at once."""
    people = {"assistants": [{"id": "a1", "email": "a@zoom.example"}, {"id": "a2", "email": "b@zoom.example"}]}
    assert owner.post("/v2/users/me/assistants", people).status_code == 201
    same = "/v2/users/me/assistants"
    assert [each["id"] for each in owner.get(same).json()["assistants"]] == ["a1", "a2"]
    assert owner.delete(f"{same}/a1").status_code == 204
    assert len(owner.get(same).json()["assistants"]) == 1
    assert owner.delete(same).status_code == 204
    assert owner.get(same).json()["assistants"] == []


def test_lists_have_pages(owner: Zoom) -> None:
    """Like every other list of Zoom's."""
    for number in range(3):
        owner.post("/v2/groups", {"name": f"G{number}"})
    first = owner.get("/v2/groups?page_size=2").json()
    rest = owner.get(f"/v2/groups?page_size=2&next_page_token={first['next_page_token']}").json()
    assert [each["name"] for each in first["groups"] + rest["groups"]] == ["G0", "G1", "G2"]
    assert rest["next_page_token"] == ""


def test_settings_of_a_path_are_remembered(owner: Zoom) -> None:
    """Until they are deleted."""
    webinar = f"/v2/webinars/{owner.webinar(start_time='2026-11-20T10:00:00Z')['id']}"
    assert owner.patch(f"{webinar}/survey", {"show_in_the_browser": False}).status_code == 204
    assert owner.get(f"{webinar}/survey").json()["show_in_the_browser"] is False
    assert owner.delete(f"{webinar}/survey").status_code == 204
    assert owner.get(f"{webinar}/survey").json()["show_in_the_browser"] is True


def test_what_is_required_is_asked_for(owner: Zoom) -> None:
    """In the body and in the query, with the field's name; and the path has to begin with somebody who exists."""
    refused = owner.put("/v2/users/me/password", {})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "password")
    assert owner.get("/v2/users/email").json()["errors"][0]["field"] == "email"
    assert owner.get("/v2/users/nobody@zoom.example/permissions").status_code == 404
    assert owner.get("/v2/meetings/1/survey").json()["code"] == 3001


def test_uploads_are_multipart(owner: Zoom) -> None:
    """JSON is an unsupported type there."""
    assert owner.request("POST", "/v2/users/me/picture", files={"pic_file": ("a.png", b"x")}).status_code == 201
    assert owner.request("POST", "/v2/users/me/picture", files={"other": ("a.png", b"x")}).status_code == 400
    assert owner.post("/v2/users/me/picture", {"pic_file": "x"}).status_code == 415


def test_scopes_of_the_contract_are_asked_for() -> None:
    """Those of the form that the contract prints; where it prints no granular ones, any will do."""
    zoom = Zoom(scopes=("user:read:user",))
    zoom.connect("owner@zoom.example")
    refused = zoom.get("/v2/groups").json()
    assert (refused["code"], "group:read:list_groups:admin" in refused["message"]) == (4711, True)
    assert zoom.get("/v2/devices").status_code == 200


def test_each_operation_is_served_once() -> None:
    """Each of the 255 operations has code of its own or is served from facts; those on subscriptions come on top."""
    own = [row for row in table.rows() if not row.name.startswith("subscriptions.")]
    assert len(own) + len(table.served_from_facts()) == 255
