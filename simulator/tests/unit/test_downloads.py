"""Recording files that download."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from zoom_simulator.testing import Json, Zoom


@pytest.fixture
def recorded() -> tuple[Zoom, Json]:
    """A Zoom with a recording, and the event that announced it."""
    zoom = Zoom(recording_bytes=100_000)
    zoom.connect()
    zoom.hold(zoom.meeting(settings={"auto_recording": "cloud"})["id"])
    return zoom, zoom.endpoint.events("recording.completed")[0].json


def fetch(zoom: Zoom, url: str, token: str = "", **headers: str) -> httpx.Response:
    """GET a link."""
    return zoom.get(url.removeprefix("http://zoom.test"), token=token, headers=headers)


def video(event: Json) -> Json:
    """The first file."""
    found: Json = event["payload"]["object"]["recording_files"][0]
    return found


def place(zoom: Zoom, event: Json) -> str:
    """Where the first file really lies."""
    redirect = fetch(zoom, video(event)["download_url"], event["download_token"])
    assert redirect.status_code == 302
    parts = urlsplit(redirect.headers["location"])
    return f"{parts.path}?{parts.query}"


def test_the_token_of_the_event_opens_the_file(recorded: tuple[Zoom, Json]) -> None:
    """By way of a redirect; the size is the one announced, the bytes are always the same."""
    zoom, event = recorded
    first, second = (fetch(zoom, place(zoom, event)) for _ in range(2))
    assert first.status_code == 200
    assert first.headers["content-type"] == "video/mp4"
    assert len(first.content) == video(event)["file_size"] == 100_000
    assert first.content[4:8] == b"ftyp"
    assert first.content == second.content


def test_a_film_plays_and_its_boxes_add_up(recorded: tuple[Zoom, Json]) -> None:
    """What a player needs comes first; the noise after it lies in a box that is skipped."""
    zoom, event = recorded
    content = fetch(zoom, place(zoom, event)).content
    kinds, at = [], 0
    while at < len(content):
        kinds.append(content[at + 4 : at + 8])
        at += int.from_bytes(content[at : at + 4])
    assert at == len(content)
    assert kinds == [b"ftyp", b"moov", b"free", b"mdat", b"free"]


def test_the_redirect_crosses_hosts() -> None:
    """Localhost sends to 127.0.0.1, so that a client that drags the header along shows it."""
    zoom = Zoom(download_host="files.example")
    zoom.connect()
    zoom.hold(zoom.meeting(settings={"auto_recording": "cloud"})["id"])
    event = zoom.endpoint.events("recording.completed")[0].json
    redirect = fetch(zoom, video(event)["download_url"], event["download_token"])
    assert urlsplit(redirect.headers["location"]).netloc == "files.example"


def test_the_storage_refuses_a_bearer(recorded: tuple[Zoom, Json]) -> None:
    """It takes one kind of proof at a time."""
    zoom, event = recorded
    assert fetch(zoom, place(zoom, event), event["download_token"]).status_code == 400


def test_links_are_sealed_and_expire(recorded: tuple[Zoom, Json]) -> None:
    """A made-up or expired link is a 403."""
    zoom, event = recorded
    link = place(zoom, event)
    assert fetch(zoom, link + "0").status_code == 403
    assert fetch(zoom, link.partition("?")[0]).status_code == 403
    zoom.wall.now += 3601
    assert fetch(zoom, link).status_code == 403


def test_other_tokens_that_open_it(recorded: tuple[Zoom, Json]) -> None:
    """The host's own, the account's, and one asked for; a colleague's does not."""
    zoom, event = recorded
    url, meeting = video(event)["download_url"], event["payload"]["object"]["id"]
    host = zoom.token
    asked = zoom.get(f"/v2/meetings/{meeting}/recordings?include_fields=download_access_token&ttl=60").json()
    colleague = zoom.connect("basil@zoom.example")["access_token"]
    account = zoom.connect_account()["access_token"]
    good = (host, asked["download_access_token"], account)
    assert [fetch(zoom, url, token).status_code for token in good] == [302, 302, 302]
    assert [fetch(zoom, url, token).status_code for token in (colleague, "nonsense", "")] == [401, 401, 401]
    zoom.wall.now += 60
    assert fetch(zoom, url, asked["download_access_token"]).status_code == 401


@pytest.mark.parametrize("style", ["401", "html", "json"])
def test_forbidden_looks_like_this(recorded: tuple[Zoom, Json], style: str) -> None:
    """The refusal is JSON of another shape, or an HTML page with the file's status."""
    zoom, event = recorded
    zoom.sim.behaviour.change({"forbidden_download": style})
    refused = fetch(zoom, video(event)["download_url"], "wrong")
    if style == "html":
        assert (refused.status_code, refused.headers["content-type"]) == (200, "text/html;charset=utf-8")
    else:
        assert refused.status_code == (200 if style == "json" else 401)
        assert refused.json() == {"status": False, "errorCode": 124, "errorMessage": "Forbidden"}


@pytest.mark.parametrize(
    ("span", "status", "length"),
    [("bytes=0-9", 206, 10), ("bytes=99990-", 206, 10), ("bytes=-10", 206, 10), ("bytes=x", 200, 100_000)],
)
def test_ranges(recorded: tuple[Zoom, Json], span: str, status: int, length: int) -> None:
    """Parts are the parts of the whole."""
    zoom, event = recorded
    link = place(zoom, event)
    part = fetch(zoom, link, Range=span)
    assert (part.status_code, len(part.content)) == (status, length)
    assert part.content in fetch(zoom, link).content


def test_trashed_files_are_gone(recorded: tuple[Zoom, Json]) -> None:
    """A trashed file is a 404."""
    zoom, event = recorded
    zoom.delete(f"/v2/meetings/{event['payload']['object']['id']}/recordings")
    assert fetch(zoom, video(event)["download_url"], event["download_token"]).status_code == 404
    assert fetch(zoom, "/rec/download/nothing", event["download_token"]).status_code == 404


def test_every_kind_of_file_looks_like_one(recorded: tuple[Zoom, Json]) -> None:
    """A timeline is JSON, padding included."""
    zoom, event = recorded
    timeline = event["payload"]["object"]["recording_files"][2]
    redirect = fetch(zoom, timeline["download_url"], event["download_token"])
    parts = urlsplit(redirect.headers["location"])
    assert fetch(zoom, f"{parts.path}?{parts.query}").json() == {"timeline": [{"ts": "00:00:00.000", "users": []}]}


def test_downloads_can_fail(recorded: tuple[Zoom, Json]) -> None:
    """By the name `recordings.download`."""
    zoom, event = recorded
    zoom.post("/_sim/faults", {"fault": "503", "target": "recordings.download", "count": 1})
    assert fetch(zoom, video(event)["download_url"], event["download_token"]).status_code == 503
