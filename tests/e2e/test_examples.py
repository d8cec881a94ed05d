"""The Python programs in `examples/` work with the running gateway, as they are."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from dev.demo import PERSON, Story
from dev.event_queue import event_queue
from dev.waiting import wait_until
from tests.e2e.conftest import free_port
from tests.fakes.waiting import CALL_SECONDS

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def settings(stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The environment of an example, with the gateway's own address as the program's: people may return there."""
    values = {
        "GATEWAY_URL": stack["api_url"],
        "GATEWAY_KEY": stack["api_key"],
        "APP_URL": stack["api_url"],
        "SESSION_SECRET": "only for this test",
        "AWS_ENDPOINT_URL": stack["aws_endpoint_url"],
        "AWS_DEFAULT_REGION": stack["aws_region"],
        "AWS_ACCESS_KEY_ID": stack["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": stack["aws_secret_access_key"],
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return stack


def load(path: str) -> ModuleType:
    """Run an example's module as a new one."""
    name = "example_" + path.replace("/", "_").removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def agree(link: str) -> str:
    """What a person's browser does from the program's link on; the path and query at which it returns."""
    with httpx.Client(timeout=CALL_SECONDS) as browser:
        page = browser.get(link).text
        ticket = page.partition('name="ticket" value="')[2].partition('"')[0]
        to_zoom = browser.post(link.partition("?")[0], data={"ticket": ticket}).headers["location"]
        asked = dict(parse_qsl(urlsplit(to_zoom).query))
        consent = {**asked, "decision": "allow", "user": PERSON}
        back = browser.post(to_zoom.partition("?")[0], data=consent).headers["location"]
        returned = urlsplit(browser.get(back).headers["location"])
    return f"{returned.path}?{returned.query}"


@pytest.fixture
def fastapi(settings: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """The address of the FastAPI backend, which reads a queue of its own."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "uvicorn", "app:app", f"--app-dir={EXAMPLES / 'fastapi'}", f"--port={port}"]
    with event_queue(settings, "fastapi") as queue, (tmp_path / "log").open("wb") as log:
        environment = {**os.environ, "QUEUE_URL": queue.url}
        program = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until("the backend", lambda: program.poll() is not None or _answers(f"{address}/events"))
            yield address
        finally:
            program.terminate()
            program.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def test_the_fastapi_backend(fastapi: str) -> None:
    """A person connects, the program creates a meeting and handles its event; a stranger's return is refused."""
    with (
        httpx.Client(base_url=fastapi, timeout=CALL_SECONDS) as browser,
        httpx.Client(base_url=fastapi, timeout=CALL_SECONDS) as stranger,
    ):
        assert browser.post("/meetings", json={"topic": "Too early"}).status_code == 409
        back = agree(browser.get("/zoom/connect").headers["location"])
        assert stranger.get(back).status_code == 403
        assert browser.get(back).json() == {"connected": True}
        made = browser.post("/meetings", json={"topic": "From FastAPI", "type": 2})
        assert (made.status_code, made.json()["topic"]) == (201, "From FastAPI")
        wait_until("the event", lambda: browser.get("/events").text, lambda seen: "zoom.meeting.created" in seen)


def test_the_django_backend(settings: dict[str, Any]) -> None:
    """The same story as with FastAPI, and Zoom's own error for a meeting that Zoom refuses."""
    assert settings
    load("django/app.py")
    client = importlib.import_module("django.test").Client
    browser, stranger = client(), client()
    early = browser.post("/meetings", {"topic": "Too early"}, content_type="application/json")
    assert early.status_code == 409
    back = agree(browser.get("/zoom/connect").headers["location"])
    assert stranger.get(back).status_code == 403
    assert browser.get(back).json() == {"connected": True}
    made = browser.post("/meetings", {"topic": "From Django", "type": 2}, content_type="application/json")
    assert (made.status_code, made.json()["topic"]) == (201, "From Django")
    refused = browser.post("/meetings", {"topic": "Impossible", "type": 77}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, 300)


@pytest.fixture
def held(settings: dict[str, Any]) -> Iterator[tuple[Story, int]]:
    """A meeting that was held and recorded."""
    with Story(settings) as story:
        story.program.headers["X-Zoom-Connection"] = story.connect()
        meeting = story.manage_meeting()
        story.hold_meeting(meeting)
        yield story, meeting


def test_the_python_consumer(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints each event of its queue and takes it off; one that it cannot handle stays."""
    with event_queue(settings, "consumer") as queue:
        monkeypatch.setenv("QUEUE_URL", queue.url)
        module = load("consumer_python/consume.py")
        with Story(settings) as story:
            story.program.headers["X-Zoom-Connection"] = story.connect()
            story.manage_meeting()
        wait_until("the first event to be handled", lambda: module.consume_once(wait=1))
        module.SQS.close()
        assert "evt_" in capsys.readouterr().out


def is_finished(answer: httpx.Response) -> bool:
    """Whether Zoom has the recording, and no file of it is still in its works."""
    files = answer.json()["recording_files"] if answer.is_success else []
    return bool(files) and all(file.get("status", "completed") == "completed" for file in files)


def test_recordings_are_downloaded_whole(
    held: tuple[Story, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file under its id, as long as Zoom says, and no half file beside them."""
    story, meeting = held
    monkeypatch.setenv("ZOOM_CONNECTION", story.program.headers["X-Zoom-Connection"])
    module = load("recordings/download.py")
    recordings = f"/v2/meetings/{meeting}/recordings"
    wait_until("the recording", lambda: story.program.get(recordings), is_finished)
    saved = module.download(str(meeting), tmp_path)
    assert saved
    assert sorted(saved) == sorted(tmp_path.iterdir())
    assert all(file.stat().st_size for file in saved)
