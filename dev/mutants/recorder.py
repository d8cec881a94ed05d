"""A pytest plugin that writes which lines of the layer each test runs: a JSON line per passed test.

`sys.monitoring` reports each line once per test, which costs a few percent; coverage.py's contexts trace every line.
https://docs.python.org/3.13/library/sys.monitoring.html
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = str(ROOT / "layers" / "zoom_common" / "zoom_common") + "/"
FOLDER = "MUTANTS_RECORD"
_TOOL = 4

_lines: dict[str, set[int]] = defaultdict(set)
_failed: set[str] = set()


def _on_line(code: CodeType, line: int) -> Any:
    if code.co_filename.startswith(LAYER):
        _lines[code.co_filename.removeprefix(LAYER)].add(line)
    return sys.monitoring.DISABLE


def pytest_sessionstart() -> None:
    """Report every line of this process from now on."""
    sys.monitoring.use_tool_id(_TOOL, "mutants")
    sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, _on_line)
    sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)


def pytest_sessionfinish() -> None:
    """Report nothing while this process ends."""
    sys.monitoring.set_events(_TOOL, sys.monitoring.events.NO_EVENTS)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record tests that did not pass, because they can kill no mutant."""
    if not report.passed:
        _failed.add(report.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Write a test's lines and its duration in seconds when it has passed."""
    _lines.clear()
    sys.monitoring.restart_events()
    started = time.monotonic()
    result = yield
    if item.nodeid not in _failed:
        record = {
            "test": item.nodeid,
            "seconds": round(time.monotonic() - started, 3),
            "lines": {name: sorted(lines) for name, lines in _lines.items()},
        }
        with (Path(os.environ[FOLDER]) / f"{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
    return result
