"""The pages in a browser: a person clicks, and it happens. Skipped where there is no Chromium."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from zoom_simulator.testing import PATIENCE, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(url: str) -> httpx.Response:
    """The answer of a server that is starting."""

    def answer() -> httpx.Response | None:
        try:
            return httpx.get(url, timeout=PATIENCE)
        except httpx.TransportError:
            return None

    found = wait_until(url, answer, lambda response: response is not None)
    assert found is not None
    return found


class Browser:
    """One tab, driven over the DevTools protocol."""

    def __init__(self, tab: ClientConnection) -> None:
        self._socket = tab
        self._ids = itertools.count(1)
        self.send("Page.enable")

    def send(self, method: str, **params: Any) -> Any:
        """One command and its result."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(PATIENCE))
            if answer.get("id") == number:
                return answer.get("result", {})

    def run(self, script: str) -> Any:
        """What a script evaluates to; None while a page is on its way."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        return result.get("result", {}).get("value")

    def until(self, script: str) -> None:
        """Wait for a script to come true."""
        wait_until(script, lambda: self.run(script) is True, progress=lambda: self.run("document.body.innerText"))

    def open(self, url: str) -> None:
        """Go to a page."""
        self.send("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def click(self, text: str, then: str, *, first: str = "") -> None:
        """Click the first button of that text, and wait for what it brings about.

        `first` runs in one go with the click: the page refreshes itself, and would forget what was typed before.
        """
        find = f"[...document.querySelectorAll('button')].find(each => each.textContent.trim() === {json.dumps(text)})"
        self.until(f"!!{find}")
        self.run(f"{first};{find}.click()")
        self.until(then)


@pytest.fixture
def zoom() -> Iterator[str]:
    """A running simulator; its address."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "zoom_simulator", "--port", str(port), "--redirect-uri", f"{base}/_sim/health"]
    process = subprocess.Popen([*command, "--client-id", "page"], stdout=subprocess.DEVNULL)
    try:
        wait_for(f"{base}/_sim/health")
        yield base
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A headless Chromium."""
    port = free_port()
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={port}"]
    command = [str(CHROMIUM), *options, f"--user-data-dir={tmp_path / 'profile'}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        tabs = wait_for(f"http://127.0.0.1:{port}/json").json()
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        with connect(address, max_size=None) as tab:
            yield Browser(tab)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def shows(text: str) -> str:
    """A script that says whether the page shows a text."""
    return f"document.body.innerText.includes({json.dumps(text)})"


def test_a_meeting_by_clicks(zoom: str, browser: Browser) -> None:
    """Schedule, start, join, share, change rooms, end; the page refreshes itself when something else happens."""
    browser.open(zoom)
    browser.click("Schedule", shows("waiting"))
    browser.click("Start", "[...document.querySelectorAll('button')].some(each => each.textContent === 'End')")
    browser.click("Join", shows("Gus"), first="document.querySelector('input[name=name]').value = 'Gus'")
    browser.click("Share the screen", shows("shares"))
    browser.click("Go to a breakout room", shows("Room 1"))
    browser.click("Return from the room", f"!{shows('Room 1')}")
    browser.click("Make co-host", shows("co-host"))
    browser.click("End", shows("recording processing"))
    browser.until(shows("recording completed"))
    httpx.post(f"{zoom}/_sim/meetings", json={"topic": "Made elsewhere"})
    browser.until(shows("Made elsewhere"))


def test_consent_by_clicks(zoom: str, browser: Browser) -> None:
    """Allow comes back with a code, Deny with an error, both with the state."""
    asked = {"response_type": "code", "client_id": "page", "redirect_uri": f"{zoom}/_sim/health", "state": "s1"}
    browser.open(f"{zoom}/oauth/authorize?{urlencode(asked)}")
    browser.run("document.querySelectorAll('input[name=user]')[1].click()")
    browser.click("Allow", "location.search.includes('code=')")
    assert re.fullmatch(r"\?code=[\w-]+&state=s1", browser.run("location.search"))
    browser.open(f"{zoom}/oauth/authorize?{urlencode(asked)}")
    browser.click("Deny", "location.search.includes('error=')")
    assert browser.run("location.search") == "?error=access_denied&state=s1"
