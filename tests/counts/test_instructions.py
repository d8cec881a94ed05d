"""Work that a start does, counted in instructions: the same on every machine of one kind, however busy it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import builds

# Of the no-op's, which is the interpreter and Lambda's own client. A new import shows here before it shows in a clock.
# Found: 1.51, 2.67 and 7.38.
_AT_MOST = {"webhook": 1.6, "authorizer": 2.8, "meetings": 7.8}

pytestmark = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")


def instructions(functions: Any, folder: Path, name: str) -> int:
    """Instructions until the handler is imported, by cachegrind."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    result = subprocess.run(
        [*command, functions.python, "-c", "import awslambdaric.bootstrap, handler"],
        cwd=folder,
        env=functions.environment(name) | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"I +refs: +([\d,]+)", result.stderr)
    assert found, result.stderr
    return int(found[1].replace(",", ""))


@pytest.fixture(scope="session")
def floor(functions: Any) -> int:
    """What an empty handler costs."""
    return instructions(functions, builds.noop(), "noop")


@pytest.mark.parametrize("name", _AT_MOST)
def test_a_start_takes_few_instructions(functions: Any, floor: int, name: str) -> None:
    """Importing a function stays within a fixed multiple of what an empty handler costs."""
    assert instructions(functions, functions.build.functions / name, name) <= _AT_MOST[name] * floor
