"""`python -m benchmarks.load`: twenty workers read a meeting, or list a user's, as fast as their client lets them.

Each client in turn. The simulated Zoom enforces the limits of a plan (Pro unless told otherwise, 30 light calls a
second), in fixed windows first, then in sliding ones. Our budget stands in the emulator's DynamoDB; our workers run
beside the emulator, because no emulated function is called more than twenty times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from benchmarks.environments import python_peers
from benchmarks.load.figures import Call, Load, keep, load_of, page
from benchmarks.load.machine import Meanwhile, Watch, take_priority
from benchmarks.load.worker import CLIENTS
from benchmarks.workspace import BENCH, ROOT
from dev import emulator
from dev.processes import Supervisor
from dev.workspace import Workspace
from zoom_common.ratelimit.slots import PACE

APP, SECRET = "load-test", "load-test-secret"
TABLE = "coordination"
# https://developers.zoom.us/docs/api/rate-limits/
ALLOWED = {
    "Light": {"free": 4.0, "pro": 30.0, "business": 80.0},
    "Medium": {"free": 2.0, "pro": 20.0, "business": 60.0},
}
USER = "jill@zoom.example"
PEERS = {"zoomus", "pyzoom"}
_WARM_UP = 4.0  # seconds in which connections open and nobody counts what is used
_NO_PACE = 1000.0


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
        command = [sys.executable, "-m", "zoom_simulator", "--port", str(zoom_port), "--plan", plan]
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
        wanted = {"user": USER, "topic": "Load"}
        self.meeting = str(self._client.post("/_sim/meetings", json=wanted).raise_for_status().json()["id"])
        self.plan = plan

    def counts(self, window: str) -> None:
        """Count in `fixed` or `sliding` windows from now on, anew."""
        self._client.patch("/_sim/behaviour", json={"limit_window": window}).raise_for_status()
        self._client.post("/_sim/limits/reset").raise_for_status()

    def enforces(self, *, limits: bool) -> None:
        """Keep to the plan's limits, or to none."""
        self._client.patch("/_sim/behaviour", json={"enforce_limits": limits}).raise_for_status()

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
            "user": USER,
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


def load(zoom: Zoom, client: str, window: str, *, options: argparse.Namespace, pace: float | None = None) -> Load:
    """All workers with this client for so many seconds; `pace` is another than the gateway's own."""
    zoom.counts(window)
    reported = {"client": client, "threads": options.workers // options.processes, "dynamodb": options.dynamodb}
    path = BENCH / "load" / "settings.json"
    path.write_text(json.dumps(reported | zoom.settings() | {"pace": pace or options.pace, "label": options.label}))
    before = zoom.refused
    begin, calls, meanwhile = _run(path, client, options)
    return load_of(
        calls,
        zoom.refused - before,
        begin=begin + _WARM_UP,
        seconds=options.seconds,
        allowed=ALLOWED[options.label][options.plan],
        plan=options.plan,
        label=options.label,
        window=window,
        client=client,
        meanwhile=meanwhile,
    )


def _run(settings: Path, client: str, options: argparse.Namespace) -> tuple[float, list[Call], Meanwhile]:
    """When the workers began, their calls, and the machine. They begin together, once the last has its client."""
    paths = [str(ROOT / "layers" / "zoom_common"), str(ROOT)]
    if client in PEERS:
        paths.append(str(python_peers()))
    # zoomus has escapes that Python warns of whenever it compiles them.
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONWARNINGS": "ignore::SyntaxWarning"}
    command = [sys.executable, "-m", "benchmarks.load.worker", str(settings)]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(options.processes)
    ]
    for process in started:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError(f"a worker of {client} did not start")
    begin = float(int(time.time() + 2))
    for process in started:
        if process.stdin is not None:
            process.stdin.write(f"{begin} {begin + _WARM_UP + options.seconds}\n")
            process.stdin.flush()
    found: list[Call] = []
    time.sleep(max(0.0, begin + _WARM_UP - time.time()))
    with Watch() as watch:
        time.sleep(options.seconds)
    for process in started:
        out, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"a worker of {client} failed")
        found += [(*each[:3], each[3]) for each in json.loads(out)]
    return begin, found, watch.result()


def able(zoom: Zoom, options: argparse.Namespace) -> float:
    """Calls a second that the gateway's workers can make here when nothing but the machine holds them back."""
    zoom.enforces(limits=False)
    try:
        short = argparse.Namespace(**vars(options) | {"seconds": min(5.0, options.seconds)})
        found = load(zoom, "ours", "fixed", options=short, pace=_NO_PACE)
        return found.used * found.allowed
    finally:
        zoom.enforces(limits=True)


def main() -> None:
    """Measure every client in both kinds of windows, keep the figures and write the page anew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("clients", nargs="*", default=[], help=f"some of: {', '.join(CLIENTS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each client works (default: 20)")
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--processes", type=int, default=4, help="over how many processes they are spread")
    parser.add_argument("--plan", choices=sorted(ALLOWED["Light"]), default="pro")
    parser.add_argument("--label", choices=sorted(ALLOWED), default="Light", help="read a meeting, or list (Medium)")
    parser.add_argument("--windows", default="fixed,sliding")
    parser.add_argument("--pace", type=float, default=PACE, help="of the rate, for trying other paces")
    parser.add_argument("--zoom-port", type=int, default=3981)
    parser.add_argument("--aws-port", type=int, default=3982)
    parser.add_argument("--page", type=Path, help="write the page of all plans measured so far there")
    options = parser.parse_args()
    options.dynamodb = emulator.url(options.aws_port)
    wanted = options.clients or list(CLIENTS)
    if PEERS & set(wanted):
        python_peers()  # made before anything is measured
    priority = take_priority()
    about = {
        "plan": options.plan,
        "label": options.label,
        "workers": options.workers,
        "processes": options.processes,
        "priority": priority,
    }
    about |= {"cores": os.cpu_count(), "machine": platform.machine(), "day": time.strftime("%Y-%m-%d", time.gmtime())}
    with services(options.plan, options.zoom_port, options.aws_port) as zoom:
        about["able"] = able(zoom, options)
        loads = []
        for window in options.windows.split(","):
            for client in wanted:
                loads.append(load(zoom, client, window, options=options))
                print(json.dumps(asdict(loads[-1])), flush=True)
    keep(BENCH / "load", about, loads)
    written = page(BENCH / "load")
    print(written)
    if options.page:
        options.page.write_text(written)


if __name__ == "__main__":
    main()
