"""Counts bytecode instructions: `counter.py start` or `counter.py call`, in a function's folder; or files: `files`.

Prints how many instructions the function and its layer run, and how many Python's own library runs for them: while the
handler is imported, or in one warm call of it with the event that the environment names. With `files` it prints the
layer's own files, of which any function runs in such a call. Runs in the environment under test, so it imports nothing
of the tests.

https://docs.python.org/3.13/library/sys.monitoring.html
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

_WARM_UP = 5
_ROUNDS = 5


class Context:
    """As much of a Lambda's context as anybody reads."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "counted"

    def get_remaining_time_in_millis(self) -> int:
        """Plenty."""
        return 29_000


def counted(work: Callable[[], Any]) -> dict[str, int]:
    """Instructions that `work` runs in this thread and others, by where their code is from."""
    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID
    found: Counter[str] = Counter()

    def instruction(code: CodeType, _: int) -> None:
        found[code.co_filename] += 1

    monitoring.use_tool_id(tool, "counts")
    monitoring.register_callback(tool, monitoring.events.INSTRUCTION, instruction)
    monitoring.set_events(tool, monitoring.events.INSTRUCTION)
    try:
        work()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    folders = (str(Path.cwd()), os.environ["PYTHONPATH"])
    ours = sum(number for file, number in found.items() if file.startswith(folders))
    return {"ours": ours, "python": found.total() - ours}


def files(work: Callable[[], Any]) -> list[str]:
    """The files of `zoom_common` of which a function starts while `work` runs, in this thread and others."""
    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID
    found: set[str] = set()
    monitoring.use_tool_id(tool, "files")
    monitoring.register_callback(tool, monitoring.events.PY_START, lambda code, _: found.add(code.co_filename))
    monitoring.set_events(tool, monitoring.events.PY_START)
    try:
        work()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return sorted(file.rpartition("/zoom_common/")[2] for file in found if "/zoom_common/" in file)


def main(what: str) -> None:
    """Count, and print the least of several rounds: a wait or a thread may add to one, and nothing takes away."""
    out, sys.stdout = sys.stdout, sys.stderr  # what a handler logs is not an answer
    sys.path.insert(0, str(Path.cwd()))
    importlib.import_module("awslambdaric.bootstrap")
    if what == "start":
        rounds = [counted(lambda: importlib.import_module("handler"))]
    else:
        handler = importlib.import_module("handler").handler
        event = json.loads(Path(os.environ["COUNTED_EVENT"]).read_text())
        for _ in range(_WARM_UP):
            answer = handler(event, Context())
        if what == "files":
            out.write(json.dumps({"status": answer["statusCode"], "files": files(lambda: handler(event, Context()))}))
            return
        rounds = [counted(lambda: handler(event, Context())) for _ in range(_ROUNDS)]
    out.write(json.dumps(min(rounds, key=lambda found: (found["ours"], found["python"]))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
