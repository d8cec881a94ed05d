"""What one call through the gateway costs, beside a bare request and beside the clients that people use."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cold import measuring_core
from benchmarks.events import create_meeting
from benchmarks.rounds import interleaved
from benchmarks.scenario import Servers, lambda_environment
from benchmarks.variants import Made
from benchmarks.workspace import BENCH, HERE

CLIENTS = ("requests", "ours", "plain", "zoomus", "pyzoom")
_WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Call:
    """The mean of a block of calls, in seconds."""

    seconds: float
    cpu: float


class Driver:
    """A client in a process of its own."""

    def __init__(self, made: Made, servers: Servers, kind: str, *, core: int | None) -> None:
        event = BENCH / "meeting-event.json"
        event.write_bytes(create_meeting())
        packages, folder = {
            "ours": (made.ours.packages, made.ours.functions / "meetings"),
            "plain": (None, made.plain / "Meetings"),
            "requests": (made.ours.packages, BENCH),
        }.get(kind, (made.python_peers, BENCH))
        environment = lambda_environment("meetings", servers, packages=packages)
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        self._errors = Path(BENCH / f"driver-{kind}.log").open("w+")  # noqa: SIM115 - closed with the process
        self.process = subprocess.Popen(
            [*pinned, str(made.python), str(HERE / "drivers" / "meetings.py"), kind],
            cwd=folder,
            env=environment | {"BENCHMARK_EVENT": str(event)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def block(self, size: int) -> Call:
        """`size` calls."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the driver has no pipes")
        self.process.stdin.write(f"{size}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"the driver ended:\n{self._errors.read()[-2000:]}")
        measured: Mapping[str, float] = json.loads(line)
        return Call(measured["seconds"], measured["cpu"])

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()
        self._errors.close()


def calls(made: Made, servers: Servers, *, rounds: int, size: int) -> dict[str, list[Call]]:
    """`rounds` blocks of `size` created meetings by every client, interleaved."""
    core = measuring_core()
    with contextlib.ExitStack() as stack:
        drivers = {kind: stack.enter_context(_driver(made, servers, kind, core=core)) for kind in CLIENTS}
        for driver in drivers.values():
            driver.block(_WARM_UP)
        return interleaved(
            {kind: lambda driver=driver: driver.block(size) for kind, driver in drivers.items()},  # type: ignore[misc]
            rounds=rounds,
        )


def connections(made: Made, servers: Servers, *, size: int) -> dict[str, int]:
    """How many connections to Zoom `size` calls by each client open."""
    opened = {}
    for kind in CLIENTS:
        with _driver(made, servers, kind, core=None) as driver:
            servers.counts(reset=True)
            driver.block(size)
            opened[kind] = servers.counts()["connections"].get("zoom", 0)
    return opened


@contextlib.contextmanager
def _driver(made: Made, servers: Servers, kind: str, *, core: int | None) -> Iterator[Driver]:
    driver = Driver(made, servers, kind, core=core)
    try:
        yield driver
    finally:
        driver.stop()
