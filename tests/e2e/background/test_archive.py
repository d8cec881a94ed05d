"""The archive on the deployed stack: what a meeting recorded is kept in S3, read by links, and deleted again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from botocore.config import Config

from dev.emulator import client_of
from dev.newcomer import Newcomer, newcomer
from dev.waiting import PATIENCE, wait_until
from tests.e2e.conftest import Gateway, kill_workers
from tests.fakes.waiting import CALL_SECONDS

pytestmark = pytest.mark.e2e

# A function that starts cold on a busy machine answers late, and is asked once.
PATIENT = Config(read_timeout=CALL_SECONDS, retries={"total_max_attempts": 1})

MIB = 1024 * 1024
# Two parts of 32 MiB and a piece: an upload, not one request.
FILM = 70 * MIB
# The message of a killed worker is hidden for six minutes.
RETURNS_SECONDS = 900.0


@pytest.fixture(scope="module")
def who(gateway: Any) -> Newcomer:
    """A tenant of its own, with one person connected."""
    return newcomer(gateway.stack, "archive")


@pytest.fixture
def program(who: Newcomer) -> Iterator[httpx.Client]:
    """The tenant's program."""
    with who.program() as client:
        yield client


@pytest.fixture
def zoom(who: Newcomer) -> Iterator[httpx.Client]:
    """The simulated Zoom's controls; its switches are back as they were afterwards."""
    with httpx.Client(base_url=f"{who.stack['zoom_url']}/_sim", timeout=CALL_SECONDS) as client:
        before = client.get("/behaviour").json()
        yield client
        client.delete("/faults")
        kept = {name: before[name] for name in ("recording_bytes", "transcripts", "processing_seconds")}
        client.patch("/behaviour", json=kept)


def recorded(program: httpx.Client, zoom: httpx.Client, topic: str) -> int:
    """A meeting that was recorded, and is over."""
    wanted = {"topic": topic, "start_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "duration": 30}
    number = int(program.post("/v2/users/me/meetings", json=wanted).json()["id"])
    for action, more in (("start", {}), ("join", {"host": True}), ("record", {}), ("end", {})):
        answer = zoom.post(f"/meetings/{number}/{action}", json=more)
        assert answer.status_code == 200, answer.text
    return number


def listed(program: httpx.Client, number: int) -> list[dict[str, Any]]:
    answer = program.get("/archive/recordings", params={"meeting": number})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["recordings"]
    return found


def wait_until_kept(program: httpx.Client, number: int, files: int, *, patience: float = PATIENCE) -> dict[str, Any]:
    """The recording, when so many files of it are kept."""

    def look() -> dict[str, Any]:
        found = listed(program, number)
        one: dict[str, Any] = program.get(f"/archive/recordings/{found[0]['id']}").json() if found else {}
        return one

    def kept(one: dict[str, Any]) -> bool:
        states = [each["state"] for each in one.get("files", [])]
        return len(states) == files and set(states) == {"kept"}

    return wait_until("the recording to be kept", look, kept, patience=patience)


def digest(url: str) -> tuple[int, str]:
    """Size and digest of what a link leads to."""
    sha, size = hashlib.sha256(), 0
    with httpx.stream("GET", url, timeout=CALL_SECONDS) as answer:
        assert answer.status_code == 200, url
        for part in answer.iter_bytes():
            sha.update(part)
            size += len(part)
    return size, sha.hexdigest()


def at_zoom(program: httpx.Client, uuid: str) -> dict[str, tuple[int, str]]:
    """Size and digest of every file as Zoom serves it, by its id."""
    path = f"/v2/meetings/{uuid.replace('/', '%252F')}/recordings"
    row = program.get(path, params={"include_fields": "download_access_token"}).json()
    found = {}
    for file in row["recording_files"]:
        token = {"Authorization": f"Bearer {row['download_access_token']}"}
        link = httpx.get(file["download_url"], headers=token, timeout=CALL_SECONDS).headers["location"]
        name = f"TIMELINE@{file['recording_start']}" if file["file_type"] == "TIMELINE" else file["id"]
        found[name] = digest(link)
    return found


def test_a_recording_is_kept_byte_for_byte_and_deleted_again(
    who: Newcomer, program: httpx.Client, zoom: httpx.Client
) -> None:
    """A recording survives cuts, an expired link and an HTML page, with its transcript, its event and its links."""
    assert program.get("/archive/policy").json()["enabled"] is False
    assert program.put("/archive/policy", json={}).status_code == 200
    zoom.patch("/behaviour", json={"recording_bytes": FILM, "transcripts": True, "processing_seconds": 0.1})
    for fault in (
        {"fault": "cut", "bytes": 20 * MIB, "count": 1},
        {"fault": "link_ended", "count": 1, "skip": 1},
        {"fault": "sign_in_page", "count": 1, "skip": 3},
    ):
        assert zoom.post("/faults", json=fault).status_code == 200
    number = recorded(program, zoom, "Kept for ever")
    one = wait_until_kept(program, number, files=4)
    assert one["topic"] == "Kept for ever"
    assert one["state"] == "kept"
    stored = {each["id"]: digest(each["url"]) for each in one["files"]}
    assert stored == at_zoom(program, one["uuid"])
    assert max(size for size, _ in stored.values()) == FILM
    transcript = program.get(f"/archive/recordings/{one['id']}/transcript").json()
    assert transcript["transcripts"][0]["turns"][0]["speaker"] == "Jill Chill"
    text = program.get(f"/archive/recordings/{one['id']}/transcript", headers={"accept": "text/plain"}).text
    assert text == "[00:00:00] Jill Chill: Welcome, everybody.\n"
    bucket = next(
        each["PhysicalResourceId"]
        for each in client_of(who.stack, "cloudformation", config=PATIENT).describe_stack_resources(
            StackName=who.stack["stack_name"]
        )["StackResources"]
        if each["LogicalResourceId"] == "ArchiveBucket"
    )
    s3 = client_of(who.stack, "s3", config=PATIENT)
    prefix = f"{who.tenant}/"
    assert len(s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]) == 4
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    assert program.delete(f"/archive/recordings/{one['id']}").status_code == 204
    assert listed(program, number) == []
    left = s3.list_object_versions(Bucket=bucket, Prefix=prefix)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")


def test_a_backfill_archives_what_no_event_reported(program: httpx.Client, zoom: httpx.Client) -> None:
    """Zoom's events about the recording are lost; the job finds it in Zoom's list, and a second one nothing new."""
    assert program.put("/archive/policy", json={}).status_code == 200
    zoom.patch("/behaviour", json={"recording_bytes": 65_536, "transcripts": False, "processing_seconds": 0.1})
    assert zoom.post("/faults", json={"target": "webhooks.*recording.completed", "effect": "drop"}).status_code == 200
    number = recorded(program, zoom, "Told by nobody")
    wait_until("Zoom to list the recording", partial(at_zoom_listed, program, number))
    said = [backfilled(program)["message"] for _ in range(2)]
    one = wait_until_kept(program, number, files=3)
    assert {each["id"]: digest(each["url"]) for each in one["files"]} == at_zoom(program, one["uuid"])
    assert "3 files are new in the archive" in said[0]
    assert "0 files are new in the archive" in said[1]


def at_zoom_listed(program: httpx.Client, number: int) -> list[Any]:
    """What Zoom lists of a meeting's recordings since yesterday."""
    found = program.get("/v2/users/me/recordings", params={"from": yesterday()}).json()
    return [each for each in found.get("meetings", []) if str(each["id"]) == str(number)]


def yesterday() -> str:
    """The day before this one in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))


def backfilled(program: httpx.Client) -> dict[str, Any]:
    """The first row of a backfill of yesterday and today that is done."""
    made = program.post("/jobs", json={"operation": "backfill", "from": yesterday()})
    assert made.status_code == 202, made.text
    path = f"/jobs/{made.json()['id']}"

    def look() -> dict[str, Any]:
        found: dict[str, Any] = program.get(path).json()
        found.pop("forecast")
        return found

    done = wait_until("the backfill", look, lambda found: found["state"] in {"done", "failed"})
    assert (done["state"], done["progress"]["failed"]) == ("done", 0), done
    first: dict[str, Any] = json.loads(program.get(f"{path}/results?format=jsonl").text.splitlines()[0])
    return first


def test_bad_policies_change_nothing(program: httpx.Client) -> None:
    """Each fault is named in Zoom's shape."""
    before = program.get("/archive/policy").json()
    answer = program.put("/archive/policy", json={"kinds": ["film"], "retention_days": 0, "colour": 1})
    assert answer.status_code == 400
    assert {each["field"] for each in answer.json()["errors"]} == {"kinds", "retention_days", "colour"}
    assert program.get("/archive/policy").json() == before


@pytest.mark.soak
def test_a_gigabyte_and_fifty_at_once(gateway: Gateway, program: httpx.Client, zoom: httpx.Client) -> None:
    """A film of 1 GiB with cuts, fifty small recordings at the same time, and workers killed: every byte is there."""
    assert program.put("/archive/policy", json={}).status_code == 200
    zoom.patch("/behaviour", json={"recording_bytes": 1024 * MIB, "transcripts": False, "processing_seconds": 0.1})
    zoom.post("/faults", json={"fault": "cut", "bytes": 20 * MIB, "count": 6, "probability": 0.2, "seed": 7})
    film = recorded(program, zoom, "A long film")
    wait_until("a part of the film to be moved", partial(moved, program, film), lambda found: found > 0)
    zoom.patch("/behaviour", json={"recording_bytes": 65_536})
    numbers = [recorded(program, zoom, f"Small {at}") for at in range(50)]
    assert kill_workers(gateway, "ArchiveWorkerFunction")
    one = wait_until_kept(program, film, files=3, patience=RETURNS_SECONDS)
    for number in numbers:
        small = wait_until_kept(program, number, files=3, patience=RETURNS_SECONDS)
        assert {each["id"]: digest(each["url"]) for each in small["files"]} == at_zoom(program, small["uuid"])
    assert {each["id"]: digest(each["url"]) for each in one["files"]} == at_zoom(program, one["uuid"])


def moved(program: httpx.Client, number: int) -> int:
    """How many bytes of a recording have been moved."""
    found = listed(program, number)
    one = program.get(f"/archive/recordings/{found[0]['id']}").json() if found else {}
    return sum(each["moved"] or 0 for each in one.get("files", []))


def test_the_sweep_answers(who: Newcomer) -> None:
    """By hand, as the schedule starts it."""
    client = client_of(who.stack, "lambda", config=PATIENT)
    names = [each["FunctionName"] for each in client.list_functions()["Functions"]]
    name = next(each for each in names if "ArchiveFunction" in each)
    answer = client.invoke(FunctionName=name, Payload=b'{"action":"sweep"}')
    assert set(json.loads(answer["Payload"].read())) == {"duties", "uploads_ended"}
