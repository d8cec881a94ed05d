"""Verification by itself, in process: ours beside the receivers that cannot be asked for less than a whole delivery."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.cold import measuring_core
from benchmarks.deliveries import ZOOM_SECRET
from benchmarks.events import CLIENT_ID, zoom_delivery
from benchmarks.rounds import interleaved
from benchmarks.variants import Made
from benchmarks.workspace import BENCH, HERE

_WARM_UP = 5000


def nanoseconds(made: Made, *, rounds: int, size: int) -> dict[str, list[float]]:
    """Nanoseconds a delivery, in `rounds` blocks of `size`, interleaved."""
    event = BENCH / "delivery.json"
    event.write_bytes(zoom_delivery())
    secrets = {"apps": [{"app": CLIENT_ID, "secrets": [{"secret": ZOOM_SECRET}]}]}
    environment = {"BENCHMARK_EVENT": str(event), "BENCHMARK_SECRETS": json.dumps(secrets)}
    python = {"PYTHONPATH": str(made.ours.packages)}
    driver = str(HERE / "drivers" / "verification.py")
    with contextlib.ExitStack() as stack:
        started = {
            "ours, verification alone": stack.enter_context(
                _started([str(made.python), driver, "alone"], environment | python)
            ),
            "ours, all but the network": stack.enter_context(
                _started([str(made.python), driver, "receiver"], environment | python)
            ),
        }
        if made.node_peers:
            node = [shutil.which("node") or "node", str(HERE / "peers" / "timed.mjs")]
            module = made.node_peers / "bundled" / "rivet.mjs"
            started["Rivet"] = stack.enter_context(_started([*node, str(module)], environment))
        for process in started.values():
            _block(process, _WARM_UP)
        return interleaved(
            {name: lambda process=process: _block(process, size) for name, process in started.items()},  # type: ignore[misc]
            rounds=rounds,
        )


def _block(process: subprocess.Popen[str], size: int) -> float:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the driver has no pipes")
    process.stdin.write(f"{size}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


@contextlib.contextmanager
def _started(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    core = measuring_core()
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    process = subprocess.Popen(
        [*pinned, *command], cwd=Path.cwd(), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
