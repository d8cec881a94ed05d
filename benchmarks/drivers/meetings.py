"""Creates meetings by one of several clients, in blocks: reads a number a line, prints seconds and CPU seconds a call.

Runs in the environment under test, so it imports nothing of the benchmarks.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ZOOM = os.environ["ZOOM_API_BASE_URL"]
MEETING = {"topic": "Planning", "type": 2, "start_time": "2030-01-01T10:00:00Z", "duration": 30, "timezone": "UTC"}


class Context:
    """As much of a Lambda's context as anybody reads."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Plenty."""
        return 29_000


def function(module: str) -> Callable[[], object]:
    """A function's handler, called with the event that the environment names."""
    sys.path.insert(0, str(Path.cwd()))
    handler = importlib.import_module(module).handler
    event = json.loads(Path(os.environ["BENCHMARK_EVENT"]).read_text())

    def call() -> object:
        answer = handler(event, Context())
        if answer["statusCode"] != 201:  # noqa: PLR2004 - created
            raise RuntimeError(str(answer)[:500])
        return answer

    return call


def requests_alone() -> Callable[[], object]:
    """The least: one kept-alive session, nothing around it."""
    session = importlib.import_module("requests").Session()
    session.trust_env = False
    headers = {"Authorization": "Bearer x"}
    return lambda: session.post(f"{ZOOM}/users/me/meetings", json=MEETING, headers=headers, timeout=20).json()


def zoomus() -> Callable[[], object]:
    """The client most Python programs use."""
    oauth = os.environ["ZOOM_OAUTH_URL"] + "/token"
    client = importlib.import_module("zoomus").ZoomClient("a", "b", "c", base_uri=ZOOM, oauth_uri=oauth)
    fields = {name: value for name, value in MEETING.items() if name != "start_time"}
    return lambda: client.meeting.create(user_id="me", **fields).json()


def pyzoom() -> Callable[[], object]:
    """The typed one."""
    client = importlib.import_module("pyzoom").ZoomClient("a", "b", base_url=ZOOM)
    return lambda: client.meetings.create_meeting("Planning", start_time=MEETING["start_time"], duration_min=30)


CLIENTS: dict[str, Callable[[], Callable[[], object]]] = {
    "ours": lambda: function("handler"),
    "plain": lambda: function("app"),
    "requests": requests_alone,
    "zoomus": zoomus,
    "pyzoom": pyzoom,
}


def main(kind: str) -> None:
    """Serve blocks until the input ends."""
    out = sys.stdout
    sys.stdout = sys.stderr  # what a handler logs is not an answer
    call = CLIENTS[kind]()
    for line in sys.stdin:
        size = int(line)
        cpu, began = time.process_time(), time.perf_counter()
        for _ in range(size):
            call()
        block = {"cpu": (time.process_time() - cpu) / size, "seconds": (time.perf_counter() - began) / size}
        out.write(json.dumps(block) + "\n")
        out.flush()


if __name__ == "__main__":
    main(sys.argv[1])
