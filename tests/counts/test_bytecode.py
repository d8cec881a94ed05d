"""Work that a start and a warm call do, counted in bytecode instructions: the same on every machine, without a tool.

The budget is what was counted when it was written. `make counts` writes it anew; the change is there to be reviewed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import builds
from benchmarks.events import event_for
from benchmarks.scenario import lambda_environment

_COUNTER = Path(__file__).with_name("counter.py")
_BUDGET = Path(__file__).with_name("budget.json")
# What a person, a program or Zoom waits for.
_WATCHED = ("authorizer", "event_processor", "events", "meetings", "webhook")
# Our own code and the layer's pinned libraries run the same instructions everywhere. Python's library differs a little
# between the patch releases of Python 3.13.
_TOLERANCE = {"ours": 0.03, "python": 0.10}


def counted(functions: Any, name: str, what: str, folder: Path) -> dict[str, int]:
    """What `counter.py` counts in the built function."""
    event = event_for(name)
    assert event is not None
    found: dict[str, int] = counter(functions, name, what, event(), folder)
    return found


def counter(functions: Any, name: str, what: str, event: bytes, folder: Path) -> Any:
    """What `counter.py` prints for an event of the built function. `folder` keeps the event."""
    environment = lambda_environment(name, functions.servers, packages=functions.build.packages)
    del environment["AWS_LAMBDA_INITIALIZATION_TYPE"]
    path = folder / "event.json"
    path.write_bytes(event)
    result = subprocess.run(
        [functions.python, _COUNTER, what],
        cwd=functions.build.functions / name,
        env=environment | {"PYTHONHASHSEED": "0", "COUNTED_EVENT": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def wrong(found: dict[str, int], budget: dict[str, int]) -> dict[str, str]:
    """Which counts are not within the tolerance of their budget, and by how much."""
    return {
        whose: f"{number} instructions, {number / budget[whose] - 1:+.1%} of the budget"
        for whose, number in found.items()
        if abs(number - budget[whose]) > budget[whose] * _TOLERANCE[whose]
    }


@pytest.mark.parametrize("what", ["start", "call"])
@pytest.mark.parametrize("name", _WATCHED)
def test_work_stays_within_its_budget(functions: Any, name: str, what: str, tmp_path: Path) -> None:
    """A start and a warm call run as many instructions as when the budget was written; fewer is written down too."""
    found = counted(functions, name, what, tmp_path)
    if os.environ.get("UPDATE_COUNTS") == "1":
        record(f"{name} {what}", found)
    assert wrong(found, json.loads(_BUDGET.read_text())[f"{name} {what}"]) == {}, "if this is right: make counts"


def record(name: str, found: dict[str, int]) -> None:
    """Write one count into the budget."""
    budget = json.loads(_BUDGET.read_text()) if _BUDGET.exists() else {}
    budget[name] = found
    _BUDGET.write_text(json.dumps(dict(sorted(budget.items())), indent=2) + "\n")


@pytest.mark.parametrize("name", _WATCHED)
def test_counting_twice_counts_the_same(functions: Any, name: str, tmp_path: Path) -> None:
    """A budget holds only where the count is no matter of chance."""
    first, second = (counted(functions, name, "start", tmp_path) for _ in range(2))
    assert first == second


def test_a_regression_of_a_twentieth_is_found() -> None:
    """Five percent more of our own instructions do not pass, and five percent fewer are to be written down."""
    budget = {"ours": 20_000, "python": 20_000}
    assert set(wrong({"ours": 21_000, "python": 20_000}, budget)) == {"ours"}
    assert set(wrong({"ours": 19_000, "python": 20_000}, budget)) == {"ours"}
    assert wrong({"ours": 20_500, "python": 21_500}, budget) == {}


def test_what_is_watched_is_built() -> None:
    """Every watched function exists, and the budget has nothing else."""
    assert set(_WATCHED) <= set(builds.function_names())
    assert set(json.loads(_BUDGET.read_text())) == {f"{name} {what}" for name in _WATCHED for what in ("start", "call")}
