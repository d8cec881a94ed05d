"""The page under /docs."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from dev.openapi import page
from ops.project import ROOT

SOURCE = ROOT / "web" / page.FILE


def asked(dist: Path, path: str, key: str = "zk_1_s") -> httpx.Response:
    """The answer to a browser that follows redirects."""
    transport = httpx.ASGITransport(Starlette(routes=page.routes(lambda: {"api_key": key}, dist)))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", follow_redirects=True
        ) as browser:
            return await browser.get(path)

    return asyncio.run(ask())


def test_the_front_door_starts_without_the_layer() -> None:
    """It is a process of the laptop's tools."""
    subprocess.run([sys.executable, "-c", "import dev.front_door"], cwd=ROOT, env={}, check=True, timeout=60)


def test_the_page_has_the_key_of_this_machine(tmp_path: Path) -> None:
    """The script of the page finds it in the head, as text; no browser and no proxy keeps the page."""
    (tmp_path / page.FILE).write_text(SOURCE.read_text())
    answer = asked(tmp_path, "/docs", 'zk_"><script>')
    assert answer.status_code == 200
    assert '<meta name="api-key" content="zk_&quot;&gt;&lt;script&gt;">' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_asks_no_other_host(tmp_path: Path) -> None:
    """Scripts, documents and tried calls are of the page's own origin; no script stands in the page."""
    (tmp_path / page.FILE).write_text(SOURCE.read_text())
    answer = asked(tmp_path, "/docs")
    policy = answer.headers["content-security-policy"]
    assert "https:" not in policy
    assert "unsafe-eval" not in policy
    assert re.search("script-src 'self';", policy)
    assert re.search("connect-src 'self';", policy)
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_without_a_build_the_page_says_what_to_do(tmp_path: Path, path: str) -> None:
    """It names the command, and what can be read meanwhile. A slash at the end does not matter."""
    answer = asked(tmp_path, path)
    assert answer.status_code == 503
    assert "make web" in answer.text
    assert "/openapi.json" in answer.text
