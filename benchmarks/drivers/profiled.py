"""Calls a function that is warm, and prints its processor time by package: `profiled.py CALLS`, in its folder.

The event is named by the environment. Runs in the environment under test, so it imports nothing of the benchmarks.
"""

from __future__ import annotations

import cProfile
import importlib
import json
import os
import pstats
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

_WARM_UP = 20


class Context:
    """As much of a Lambda's context as anybody reads."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Plenty."""
        return 29_000


def package(file: str, name: str) -> str:
    """Whose a profiled function is: a package of ours, a library, or a module of Python's own."""
    if file == "~":
        built_in = name.removeprefix("<").removesuffix(">")
        tls = "_ssl" in built_in or "_socket" in built_in
        return "TLS and sockets" if tls else "Python's built-in functions"
    parts = Path(file).with_suffix("").parts
    if "zoom_common" in parts:
        return ".".join(parts[len(parts) - 1 - parts[::-1].index("zoom_common") :][:2])
    for folder in ("python", "site-packages", "python3.13"):
        if folder in parts:
            return parts[parts.index(folder) + 1]
    return parts[-1].removeprefix("<frozen ").removesuffix(">")


def main(calls: int) -> None:
    """Profile so many calls by processor time."""
    out, sys.stdout = sys.stdout, sys.stderr  # what a handler logs is not an answer
    sys.path.insert(0, str(Path.cwd()))
    handler = importlib.import_module("handler").handler
    event = json.loads(Path(os.environ["BENCHMARK_EVENT"]).read_text())
    for _ in range(_WARM_UP):
        handler(event, Context())
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(calls):
        handler(event, Context())
    profile.disable()
    spent: Counter[str] = Counter()
    found: Any = pstats.Stats(profile)
    for (file, _, name), (_, _, own, _, _) in found.stats.items():
        spent[package(file, name)] += own
    whole = sum(spent.values()) or 1.0
    out.write(json.dumps({each: own / whole for each, own in spent.most_common()}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
