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
_AT_MOST = 3.1

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


@pytest.mark.timeout(120)
def test_the_webhook_starts_on_few_instructions(functions: Any) -> None:
    """Importing the webhook stays within a fixed multiple of what an empty handler costs."""
    floor = instructions(functions, builds.noop(), "noop")
    assert instructions(functions, functions.build.functions / "webhook", "webhook") <= _AT_MOST * floor
