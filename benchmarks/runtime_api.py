"""A minimal Lambda Runtime API: hands events to one function's process and notes when it asks and when it answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ARN = "arn:aws:lambda:us-east-1:000000000000:function:benchmark"
_PATIENCE = 30.0


class FunctionFailed(Exception):
    """The function could not be loaded, raised, or did not answer; the message ends with what it wrote."""


@dataclass(frozen=True, slots=True)
class Program:
    """How to start a function: command, folder, and its whole environment."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """One invocation: what the function returned, and the seconds until it did."""

    value: Any
    seconds: float


class RuntimeApi:
    """The API for one process at a time."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._asked: queue.Queue[float] = queue.Queue()
        self._events: queue.Queue[bytes] = queue.Queue()
        self._answers: queue.Queue[tuple[float, str, bytes]] = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def ready(self) -> float:
        """When the function asked for its next event."""
        try:
            return self._asked.get(timeout=_PATIENCE)
        except queue.Empty:
            raise FunctionFailed("it never asked for an event") from None

    def invoke(self, event: bytes) -> tuple[float, str, bytes]:
        """When the answer came, of which kind (`response` or `error`), and what it was."""
        self._events.put(event)
        try:
            return self._answers.get(timeout=_PATIENCE)
        except queue.Empty:
            raise FunctionFailed("it did not answer") from None

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            for first in lines:
                path = first.split(b" ")[1].decode()
                length, chunked = 0, False
                for line in lines:
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                    chunked = chunked or (name.lower() == b"transfer-encoding" and b"chunked" in value)
                    if line in {b"\r\n", b"\n"}:
                        break
                body = b"".join(_chunks(lines)) if chunked else lines.read(length)
                connection.sendall(self._answer(path, body))

    def _answer(self, path: str, body: bytes) -> bytes:
        if path.endswith("/invocation/next"):
            self._asked.put(time.perf_counter())
            event = self._events.get()
            deadline = int(time.time() * 1000) + 29_000
            return (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(event)}\r\n"
                f"Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
                f"Lambda-Runtime-Deadline-Ms: {deadline}\r\nLambda-Runtime-Invoked-Function-Arn: {ARN}\r\n\r\n"
            ).encode() + event
        self._answers.put((time.perf_counter(), path.rpartition("/")[2], body))
        return b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def _chunks(lines: IO[bytes]) -> Iterator[bytes]:
    while size := int(lines.readline().split(b";")[0], 16):
        yield lines.read(size)
        lines.readline()
    lines.readline()


class Container:
    """One running function."""

    def __init__(self, program: Program, *, cores: set[int] | None = None) -> None:
        """Start it, on `cores` alone if any are given."""
        self._api = RuntimeApi()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the container
        command = list(program.command)
        if cores:
            command = ["taskset", "-c", ",".join(map(str, sorted(cores))), *command]
        environment = {**program.environment, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command, cwd=program.folder, env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self._ready: float | None = None
        self.answered_at = 0.0
        """When the last answer came, on the clock of `started`."""

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def ready(self) -> float:
        """Seconds from start until it asked for its first event. Raises FunctionFailed."""
        if self._ready is None:
            try:
                self._ready = self._api.ready() - self.started
            except FunctionFailed as failed:
                raise FunctionFailed(f"{failed}\n{self.output()}") from None
        return self._ready

    def invoke(self, event: bytes) -> Answered:
        """One event's answer. Raises FunctionFailed."""
        self.ready()
        began = time.perf_counter()
        at, kind, body = self._api.invoke(event)
        if kind != "response":
            raise FunctionFailed(f"{body.decode(errors='replace')}\n{self.output()}")
        self.answered_at = at
        self._api.ready()
        return Answered(json.loads(body or b"null"), at - began)

    def output(self) -> str:
        """What the function wrote so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4000:]

    def stop(self) -> resource.struct_rusage | None:
        """End it; what it has used, unless it had ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        usage = None
        with contextlib.suppress(ChildProcessError):
            _, status, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = status
        self._api.close()
        self._log.close()
        return usage


@contextlib.contextmanager
def running(program: Program, *, cores: set[int] | None = None) -> Iterator[Container]:
    """A container that is stopped in the end."""
    container = Container(program, cores=cores)
    try:
        yield container
    finally:
        container.stop()
