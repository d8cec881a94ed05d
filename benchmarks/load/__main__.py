"""`python -m benchmarks.load`: twenty workers read one meeting as fast as their client lets them, each client in turn.

The simulated Zoom enforces the limits of a plan (Pro unless told otherwise, 30 light calls a second), in fixed windows
first, then in sliding ones. Our budget stands in the emulator's DynamoDB; our workers run beside the emulator, because
no emulated function is called more than twenty times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

from benchmarks.environments import python_peers
from benchmarks.load.worker import CLIENTS
from benchmarks.workspace import BENCH, ROOT
from local import emulator
from local.processes import Supervisor
from local.workspace import Workspace

APP, SECRET = "load-test", "load-test-secret"
TABLE = "coordination"
# https://developers.zoom.us/docs/api/rate-limits/
LIGHT_A_SECOND = {"free": 4.0, "pro": 30.0, "business": 80.0}
PEERS = {"zoomus", "pyzoom"}
_START = 6.0  # seconds until every process has imported its client
_WARM_UP = 4.0  # and seconds in which connections open and nobody counts what is used


@dataclass(frozen=True, slots=True)
class Load:
    """What one client's workers got out of a second's allowance. Shares are of 1."""

    used: float
    refused: float
    refused_to_callers: float
    calls: int
    typical: float
    slow: float

    def row(self, client: str) -> str:
        """A line of the table."""
        return (
            f"| {client} | {self.used:.1%} | {self.refused:.2%} | {self.refused_to_callers:.2%} "
            f"| {self.typical:.2f} s | {self.slow:.2f} s |"
        )


@contextmanager
def services(plan: str, zoom_port: int, aws_port: int) -> Iterator[Zoom]:
    """The emulator with an empty table, and the simulated Zoom, until the end of the block."""
    workspace = Workspace(BENCH / "load")
    supervisor = Supervisor(workspace)
    supervisor.stop_leftovers()
    try:
        if not emulator.is_installed():
            emulator.install(workspace)
        emulator.start(supervisor, workspace, aws_port)
        _make_table(aws_port)
        command = [sys.executable, "-m", "local.zoom", "--port", str(zoom_port), "--plan", plan]
        command += ["--client-id", APP, "--client-secret", SECRET, "--redirect-uri", "http://localhost/callback"]
        environment = dict(os.environ) | {"PYTHONPATH": "layers/zoom_common:."}
        supervisor.start("zoom", command, environment)
        supervisor.wait_until_answers("zoom", f"http://127.0.0.1:{zoom_port}/_sim/health")
        yield Zoom(f"http://127.0.0.1:{zoom_port}", plan)
    finally:
        supervisor.stop_all()


class Zoom:
    """The simulated Zoom: a meeting to read, a token to read it with, and how often it refused."""

    def __init__(self, url: str, plan: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10)
        self._url = url
        self._client.patch(f"/_sim/apps/{APP}", json={"server_to_server": True}).raise_for_status()
        state = self._client.get("/_sim/state").json()
        self.account = str(state["accounts"][0]["id"])
        asked = {"grant_type": "account_credentials", "account_id": self.account}
        granted = self._client.post("/oauth/token", data=asked, auth=(APP, SECRET)).raise_for_status()
        self.token = str(granted.json()["access_token"])
        wanted = {"user": "jill@zoom.example", "topic": "Load"}
        self.meeting = str(self._client.post("/_sim/meetings", json=wanted).raise_for_status().json()["id"])
        self.plan = plan

    def counts(self, window: str) -> None:
        """Count in `fixed` or `sliding` windows from now on, anew."""
        self._client.patch("/_sim/behaviour", json={"limit_window": window}).raise_for_status()
        self._client.post("/_sim/limits/reset").raise_for_status()

    @property
    def refused(self) -> int:
        """How many requests it has answered with 429."""
        return int(self._client.get("/_sim/state").json()["refused_by_limits"])

    def settings(self) -> dict[str, Any]:
        """What a worker has to know."""
        return {
            "zoom": f"{self._url}/v2",
            "token": self.token,
            "meeting": self.meeting,
            "account": self.account,
            "plan": self.plan,
            "oauth": [f"{self._url}/oauth/token", APP, SECRET],
            "table": TABLE,
        }


def _make_table(port: int) -> None:
    dynamodb = emulator.client("dynamodb", port)
    if TABLE in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=TABLE)
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    names = [{"AttributeName": each["AttributeName"], "AttributeType": "S"} for each in keys]
    dynamodb.create_table(TableName=TABLE, KeySchema=keys, AttributeDefinitions=names, BillingMode="PAY_PER_REQUEST")


def load(zoom: Zoom, client: str, window: str, *, options: argparse.Namespace) -> Load:
    """Twenty workers with this client for so many seconds."""
    zoom.counts(window)
    begin = float(int(time.time() + _START))
    end = begin + _WARM_UP + options.seconds
    threads = options.workers // options.processes
    told = {"client": client, "threads": threads, "begin": begin, "end": end, "dynamodb": options.dynamodb}
    path = BENCH / "load" / "settings.json"
    path.write_text(json.dumps(told | zoom.settings()))
    before = zoom.refused
    calls = _run(path, client, options.processes)
    refused = zoom.refused - before
    return _figures(calls, refused, begin=begin + _WARM_UP, seconds=options.seconds, allowed=options.allowed)


def _run(settings: Path, client: str, processes: int) -> list[tuple[float, float, int, int | None]]:
    paths = [str(ROOT / "layers" / "zoom_common"), str(ROOT)]
    if client in PEERS:
        paths.append(str(python_peers()))
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "benchmarks.load.worker", str(settings)]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    found: list[tuple[float, float, int, int | None]] = []
    for process in started:
        out, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"a worker of {client} failed")
        found += [tuple(each) for each in json.loads(out)]
    return found


def _figures(
    calls: list[tuple[float, float, int, int | None]], refused: int, *, begin: float, seconds: float, allowed: float
) -> Load:
    served = [each for each in calls if each[2] == 200]  # noqa: PLR2004 - HTTP's own number
    in_time = sum(begin <= each[1] < begin + seconds for each in served)
    waits = [each[1] - each[0] for each in served]
    spread = quantiles(waits, n=100) if len(waits) > 1 else [0.0] * 99
    to_callers = sum(each[2] == 429 for each in calls)  # noqa: PLR2004 - as above
    answers = len(served) + refused
    return Load(
        used=in_time / seconds / allowed,
        refused=refused / max(1, answers),
        refused_to_callers=to_callers / max(1, len(calls)),
        calls=len(calls),
        typical=spread[49],
        slow=spread[94],
    )


def main() -> None:
    """Measure every client in both kinds of windows and print a table for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("clients", nargs="*", default=[], help=f"some of: {', '.join(CLIENTS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each client works (default: 30)")
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--processes", type=int, default=4, help="over how many processes they are spread")
    parser.add_argument("--plan", choices=sorted(LIGHT_A_SECOND), default="pro")
    parser.add_argument("--windows", default="fixed,sliding")
    parser.add_argument("--zoom-port", type=int, default=3981)
    parser.add_argument("--aws-port", type=int, default=3982)
    options = parser.parse_args()
    options.allowed, options.dynamodb = LIGHT_A_SECOND[options.plan], emulator.url(options.aws_port)
    wanted = options.clients or list(CLIENTS)
    found: dict[str, Mapping[str, Load]] = {}
    with services(options.plan, options.zoom_port, options.aws_port) as zoom:
        for window in options.windows.split(","):
            found[window] = {client: load(zoom, client, window, options=options) for client in wanted}
    for window, loads in found.items():
        print(f"\n{window} windows, {options.workers} workers, {options.seconds:.0f} s each\n")
        print("| client | rate used | Zoom's answers that are 429 | callers' answers that are 429 | median | p95 |")
        print("|---|---|---|---|---|---|")
        for client, measured in loads.items():
            print(measured.row(client))


if __name__ == "__main__":
    main()
