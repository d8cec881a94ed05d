"""How many of the layer's files one warm call passes: what somebody has to read to follow it from handler to Zoom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.events import api_event
from tests.counts.test_bytecode import counter

# Files whose functions run. Each is a file to open for whoever follows the call.
MOST_FILES = 35


def test_a_read_passes_few_files(functions: Any, tmp_path: Path) -> None:
    """One warm `GET /v2/users/me/meetings` runs functions of at most 35 of the layer's files, from handler to Zoom."""
    found = counter(functions, "zoom_api", "files", api_event("GET", "/v2/users/me/meetings"), tmp_path)
    assert found["status"] == 200
    assert {"edge/request.py", "gateway/service.py", "ratelimit/slots.py", "transport.py"} <= set(found["files"])
    assert len(found["files"]) <= MOST_FILES, "\n".join(found["files"])
