"""Warm invocations: what one more event costs a function that already runs."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cold import check, measuring_core, peak_memory_kb
from benchmarks.rounds import interleaved
from benchmarks.runtime_api import Container, running
from benchmarks.variants import Variant

_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Block:
    """A block of invocations: the median seconds of one, its share of processor time, and the most memory so far."""

    seconds: float
    cpu: float
    memory_kb: int


def blocks(variants: Sequence[Variant], *, rounds: int, size: int) -> dict[str, list[Block]]:
    """`rounds` blocks of `size` invocations each, interleaved; every variant keeps its process."""
    core = measuring_core()
    with contextlib.ExitStack() as stack:
        containers = {}
        for variant in variants:
            container = stack.enter_context(running(variant.program, cores=None if core is None else {core}))
            containers[variant.name] = container
            for _ in range(_WARM_UP):
                check(variant, container.invoke(variant.next_event()).value)
        return interleaved(
            {
                variant.name: lambda variant=variant: _block(variant, containers[variant.name], size)  # type: ignore[misc]
                for variant in variants
            },
            rounds=rounds,
        )


def _block(variant: Variant, container: Container, size: int) -> Block:
    events = [variant.next_event() for _ in range(size)]
    before = cpu_seconds(container.pid)
    answers = [container.invoke(event) for event in events]
    used = cpu_seconds(container.pid) - before
    check(variant, answers[-1].value)
    return Block(statistics.median(each.seconds for each in answers), used / size, peak_memory_kb(container.pid))


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, to the nanosecond (Linux)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
