"""Reports."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Zoom

NOVEMBER = "from=2026-11-01&to=2026-11-20"


@pytest.fixture
def held(zoom: Zoom) -> tuple[Zoom, int]:
    """A meeting of two and a meeting of one were held; the caller is Server-to-Server."""
    meeting = zoom.meeting(tracking_fields=[{"field": "Team", "value": "A"}], settings={"auto_recording": "cloud"})[
        "id"
    ]
    zoom.hold(meeting, lambda: zoom.act(meeting, "share", participant="Guest"))
    lonely = zoom.meeting(topic="alone")["id"]
    zoom.act(lonely, "start")
    zoom.act(lonely, "join", host=True)
    zoom.act(lonely, "end")
    zoom.connect_account()
    return zoom, meeting


def test_people_cannot_read_reports(zoom: Zoom) -> None:
    """Reports need `:admin` scopes, so a person's token is refused."""
    refused = zoom.get("/v2/report/daily").json()
    assert refused["code"] == 4711
    assert refused["message"].endswith("scopes:[report:read:daily_usage:admin].")


def test_daily(held: tuple[Zoom, int]) -> None:
    """The report has a row for every day of a month within the last six months."""
    zoom, _ = held
    report = zoom.get("/v2/report/daily?year=2026&month=11").json()
    assert len(report["dates"]) == 30
    today = report["dates"][17]
    assert (today["date"], today["meetings"], today["participants"], today["new_users"]) == ("2026-11-18", 2, 3, 3)
    assert today["meeting_minutes"] == 20
    assert zoom.get("/v2/report/daily?year=2026&month=4").json()["code"] == 300
    assert zoom.get("/v2/report/daily?year=2027&month=1").json()["code"] == 300
    assert zoom.get("/v2/report/daily?year=34481").json()["code"] == 300


def test_hosts(held: tuple[Zoom, int]) -> None:
    """The report lists active or inactive hosts."""
    zoom, _ = held
    active = zoom.get(f"/v2/report/users?{NOVEMBER}").json()
    assert [each["email"] for each in active["users"]] == ["jill@zoom.example"]
    assert (active["total_meetings"], active["from"], active["to"]) == (2, "2026-11-01", "2026-11-20")
    inactive = zoom.get(f"/v2/report/users?type=inactive&{NOVEMBER}").json()
    assert len(inactive["users"]) == 2


@pytest.mark.parametrize(
    "query", ["", "from=2026-11-01", "from=2026-11-02&to=2026-11-01", "from=2026-02-01&to=2026-02-02"]
)
def test_periods(held: tuple[Zoom, int], query: str) -> None:
    """Both ends, a month at most, within six months."""
    assert held[0].get(f"/v2/report/users?{query}").json()["code"] == 300


@pytest.mark.parametrize(
    ("kind", "topics"), [("past", ["Weekly"]), ("pastOne", ["alone"]), ("pastJoined", ["Weekly", "alone"])]
)
def test_a_users_meetings(held: tuple[Zoom, int], kind: str, topics: list[str]) -> None:
    """The report lists meetings of two or more people, of one, or those the user joined."""
    zoom, _ = held
    found = zoom.get(f"/v2/report/users/{zoom.user_id()}/meetings?type={kind}&{NOVEMBER}").json()
    assert [each["topic"] for each in found["meetings"]] == topics
    if kind == "past":
        row = found["meetings"][0]
        assert (row["has_recording"], row["has_screen_share"], row["participants_count_my_account"]) == (True, True, 1)


def test_a_meeting_and_its_participants(held: tuple[Zoom, int]) -> None:
    """The report has tracking fields and customer keys, and registrant ids on request."""
    zoom, meeting = held
    report = zoom.get(f"/v2/report/meetings/{meeting}").json()
    assert (report["participants_count"], report["tracking_fields"]) == (2, [{"field": "Team", "value": "A"}])
    rows = zoom.get(f"/v2/report/meetings/{meeting}/participants").json()["participants"]
    assert [each["customer_key"] for each in rows] == ["", "k1"]
    assert "registrant_id" not in rows[0]
    rows = zoom.get(f"/v2/report/meetings/{meeting}/participants?include_fields=registrant_id").json()["participants"]
    assert "registrant_id" in rows[0]


def test_what_has_no_report(held: tuple[Zoom, int]) -> None:
    """An unknown or running meeting, one of a single person, or a webinar is 3001; one older than a year is 12702."""
    zoom, meeting = held
    lonely = next(each.id for each in zoom.sim.state.meetings.values() if each.topic == "alone")
    for path in ("/v2/report/meetings/1", f"/v2/report/meetings/{lonely}", f"/v2/report/webinars/{meeting}"):
        assert zoom.get(path).json()["code"] == 3001
    zoom.advance(366 * 86_400)
    zoom.connect_account()
    assert zoom.get(f"/v2/report/meetings/{meeting}").json()["code"] == 12702


def test_webinars_have_reports(zoom: Zoom) -> None:
    """Reports about webinars have the same form."""
    webinar = zoom.webinar()["id"]
    zoom.hold(webinar)
    zoom.connect_account()
    assert zoom.get(f"/v2/report/webinars/{webinar}").json()["participants_count"] == 2
    assert len(zoom.get(f"/v2/report/webinars/{webinar}/participants").json()["participants"]) == 2


def test_storage(held: tuple[Zoom, int]) -> None:
    """The report has a row for each day."""
    zoom, _ = held
    rows = zoom.get(f"/v2/report/cloud_recording?{NOVEMBER}").json()["cloud_recording_storage"]
    assert len(rows) == 20
    assert rows[0]["usage"] == "0.00 GB"
