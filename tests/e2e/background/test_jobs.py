"""Work in bulk on the deployed stack: killed, paused, by rows and by a file; every row once."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from dev.demo import Story
from dev.waiting import wait_until
from tests.e2e.conftest import Gateway, kill_workers

pytestmark = pytest.mark.e2e

ROWS = 50
ENDED = {"done", "failed", "cancelled"}


@pytest.fixture
def connected(stack: dict[str, Any]) -> str:
    """A connected person whose day at Zoom has not begun."""
    with Story(stack) as story:
        connection = story.connect()
    httpx.post(f"{stack['zoom_url']}/_sim/limits/reset").raise_for_status()
    return connection


def until(api: httpx.Client, job: str, done: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The job once it is as it is waited for."""

    def look() -> dict[str, Any]:
        answer = api.get(f"/jobs/{job}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        found.pop("forecast")
        return found

    return wait_until("the job", look, done)


def test_fifty_rows_through_a_kill_and_a_pause(gateway: Gateway, api: httpx.Client, connected: str) -> None:
    """The job goes on after both, each row has made one meeting, and the results are in the order of the rows."""
    run = str(time.time_ns())
    rows = [{"topic": f"{run} {at}", "type": 2, "start_time": "2031-01-31T09:30:00Z"} for at in range(ROWS)]
    body = {"operation": "meetings.create", "rows": rows, "connection": connected}
    answer = api.post("/jobs", json=body, headers={"Idempotency-Key": run})
    assert answer.status_code == 202, answer.text
    job = answer.json()["id"]
    assert answer.json()["forecast"]["seconds_left"] > 0
    assert api.post("/jobs", json=body, headers={"Idempotency-Key": run}).json()["id"] == job

    until(api, job, lambda found: found["progress"]["succeeded"] > 5)
    kill_workers(gateway, "JobSliceFunction")
    before = until(api, job, lambda found: found["progress"]["succeeded"] > 15 or found["state"] in ENDED)
    paused = api.post(f"/jobs/{job}/pause")
    assert paused.status_code == 200 or before["state"] in ENDED, paused.text
    if paused.status_code == 200:
        assert api.post(f"/jobs/{job}/resume").status_code == 200
    done = until(api, job, lambda found: found["state"] in ENDED)
    assert (done["state"], done["progress"]) == (
        "done",
        {"rows": ROWS, "succeeded": ROWS, "failed": 0, "left": 0},
    )

    listed = list(csv.DictReader(io.StringIO(api.get(f"/jobs/{job}/results").content.decode("utf-8-sig"))))
    assert [int(each["row"]) for each in listed] == list(range(1, ROWS + 1))
    assert len({each["id"] for each in listed}) == ROWS
    headers, found, token = {"X-Zoom-Connection": connected}, list[str](), ""
    while True:
        page = api.get(f"/v2/users/me/meetings?page_size=300&next_page_token={token}", headers=headers).json()
        found += [each["topic"] for each in page["meetings"] if each["topic"].startswith(run)]
        token = page["next_page_token"]
        if not token:
            break
    assert sorted(found) == sorted(str(each["topic"]) for each in rows)

    undo = api.get(f"/jobs/{job}/undo").json()
    assert (undo["operation"], len(undo["rows"])) == ("meetings.delete", ROWS)
    undone = api.post("/jobs", json=undo).json()["id"]
    assert until(api, undone, lambda found: found["state"] in ENDED)["progress"]["succeeded"] == ROWS


def has_come_to(part: int, found: dict[str, Any]) -> bool:
    """Whether so many rows have succeeded."""
    return bool(found["progress"]["succeeded"] > part)


@pytest.mark.soak
def test_three_thousand_rows_through_kills_and_a_pause(
    stack: dict[str, Any], gateway: Gateway, api: httpx.Client, connected: str
) -> None:
    """Each registers one person for one meeting; in the end everybody is registered once, and Zoom refused nothing.

    Every other row says more of its person than a batch takes, so that rows go out alone and thirty at a time.
    """
    headers = {"X-Zoom-Connection": connected}
    behaviour = f"{stack['zoom_url']}/_sim/behaviour"
    capacity = httpx.get(behaviour).json()["registrant_capacity"]
    httpx.patch(behaviour, json={"registrant_capacity": 3_000}).raise_for_status()
    meeting = {"topic": "Soak", "type": 2, "settings": {"approval_type": 0}}
    number = api.post("/v2/users/me/meetings", json=meeting, headers=headers).json()["id"]
    lines = [f"p{at}@acme.example,P{at},{'Poet' if at % 2 else ''}" for at in range(3_000)]
    body = {
        "operation": "meetings.registrants.add",
        "file": {},
        "connection": connected,
        "mapping": {
            "columns": {"email": "email", "first_name": "first_name", "job_title": "job_title"},
            "defaults": {"meetingId": str(number)},
        },
    }
    made = api.post("/jobs", json=body).json()
    content = "email,first_name,job_title\n" + "\n".join(lines)
    httpx.put(made["upload"]["url"], content=content.encode()).raise_for_status()
    for part in (300, 1_000, 2_000):
        until(api, made["id"], partial(has_come_to, part))
        kill_workers(gateway, "JobSliceFunction")
    assert api.post(f"/jobs/{made['id']}/pause").status_code == 200
    assert api.post(f"/jobs/{made['id']}/resume").status_code == 200
    done = until(api, made["id"], lambda found: found["state"] in ENDED)
    httpx.patch(behaviour, json={"registrant_capacity": capacity}).raise_for_status()
    assert done["progress"] == {"rows": 3_000, "succeeded": 3_000, "failed": 0, "left": 0}
    listed = list(csv.DictReader(io.StringIO(api.get(f"/jobs/{made['id']}/results").content.decode("utf-8-sig"))))
    assert len({each["registrant_id"] for each in listed}) == 3_000
    assert httpx.get(f"{stack['zoom_url']}/_sim/state").json()["refused_by_limits"] == 0


def test_a_file_is_sent_to_its_address_and_becomes_rows(api: httpx.Client, connected: str) -> None:
    """Semicolons, CP1252, a German date and a row that does not fit: its column and the fix are in the results."""
    text = "Thema;Beginn;Dauer\r\nGespräch;31.01.2031 09:30;30\r\n;;\r\nZweites;31.01.2031 10:30;lang\r\n"
    mapping = {
        "columns": {"Thema": "topic", "Beginn": "start_time", "Dauer": "duration"},
        "defaults": {"type": 2, "timezone": "Europe/Berlin"},
        "locale": "de-DE",
    }
    body = {"operation": "meetings.create", "file": {}, "mapping": mapping, "connection": connected}
    answer = api.post("/jobs", json=body).json()
    assert answer["state"] == "waiting"
    httpx.put(answer["upload"]["url"], content=text.encode("cp1252")).raise_for_status()
    done = until(api, answer["id"], lambda found: found["state"] in ENDED)
    assert done["progress"] == {"rows": 2, "succeeded": 1, "failed": 1, "left": 0}
    first, second = api.get(f"/jobs/{answer['id']}/results?format=jsonl").text.splitlines()
    assert '"state": "succeeded"' in first
    assert "Row 4, column Dauer: Must be a whole number." in second
