"""Webinars and their panel over REST."""

from __future__ import annotations

from zoom_simulator.testing import Zoom


def test_create_get_update_list_delete(zoom: Zoom) -> None:
    """Each step of a webinar's life sends its event."""
    webinar = zoom.webinar(start_time="2026-11-20T10:00:00Z")["id"]
    path = f"/v2/webinars/{webinar}"
    assert zoom.patch(path, {"topic": "New"}).status_code == 204
    assert zoom.get(path).json()["topic"] == "New"
    listed = zoom.get("/v2/users/me/webinars").json()
    assert [each["id"] for each in listed["webinars"]] == [webinar]
    assert zoom.delete(path).status_code == 204
    assert zoom.get(path).json() == {"code": 3001, "message": f"Webinar does not exist: {webinar}."}
    assert zoom.deliver().names() == ["webinar.created", "webinar.updated", "webinar.deleted"]


def test_series_and_upcoming(zoom: Zoom) -> None:
    """Type 9 has dates, and the list of upcoming ones shows each."""
    zoom.webinar(type=9, start_time="2026-11-20T10:00:00Z", recurrence={"type": 1, "end_times": 3})
    assert len(zoom.get("/v2/users/me/webinars?type=upcoming").json()["webinars"]) == 3
    assert len(zoom.get("/v2/users/me/webinars").json()["webinars"]) == 1


def test_without_the_plan_there_are_none(zoom: Zoom) -> None:
    """400, 200: the code that permission has as well."""
    zoom.patch("/_sim/accounts/simulated-account", {"webinars": False})
    for refused in (zoom.post("/v2/users/me/webinars"), zoom.get("/v2/users/me/webinars"), zoom.get("/v2/webinars/1")):
        assert (refused.status_code, refused.json()["code"]) == (400, 200)
        assert refused.json()["message"].startswith("Webinar plan is missing.")


def test_ending_answers_200_without_a_body(zoom: Zoom) -> None:
    """Ending a webinar is a 200 without a body, where a meeting's is a 204."""
    webinar = zoom.webinar()["id"]
    zoom.act(webinar, "start")
    response = zoom.put(f"/v2/webinars/{webinar}/status", {"action": "end"})
    assert (response.status_code, response.content) == (200, b"")


def test_the_panel(zoom: Zoom) -> None:
    """Add, list, remove one, remove all; nobody is on it twice."""
    path = f"/v2/webinars/{zoom.webinar()['id']}/panelists"
    pat, kim = {"email": "pat@x.example", "name": "Pat"}, {"email": "kim@x.example", "name": "Kim"}
    assert zoom.post(path, {"panelists": [pat, kim, pat]}).status_code == 201
    listed = zoom.get(path).json()
    assert (listed["total_records"], [each["name"] for each in listed["panelists"]]) == (2, ["Pat", "Kim"])
    assert zoom.delete(f"{path}/{listed['panelists'][0]['id']}").status_code == 204
    assert zoom.delete(f"{path}/nobody").json()["code"] == 300
    assert zoom.delete(path).status_code == 204
    assert zoom.get(path).json()["panelists"] == []
    assert zoom.post(path, {"panelists": [{"name": "x"}]}).json()["errors"][0]["field"] == "panelists[0].email"
    assert zoom.post(path, {}).json()["code"] == 300
