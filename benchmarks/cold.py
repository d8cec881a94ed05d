"""Cold starts: a fresh process per start, until it is ready and until its first answer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rounds import Ratio, interleaved, ratio
from benchmarks.runtime_api import Container
from benchmarks.variants import Variant


@dataclass(frozen=True, slots=True)
class Start:
    """One start. Seconds since the process was made; `cpu` is what it used until the first answer."""

    ready: float
    answer: float
    cpu: float
    memory_kb: int


class WrongAnswer(Exception):
    """A contender did not do what it was to be timed for."""


def start(variant: Variant, *, core: int | None = None) -> Start:
    """Start a variant, wait for its first answer and end it. Raises WrongAnswer or FunctionFailed."""
    container = Container(variant.program, cores=None if core is None else {core})
    usage, peak = None, 0
    try:
        ready = container.ready()
        event = variant.next_event()
        answered = container.invoke(event)
        first = container.answered_at - container.started
        peak = peak_memory_kb(container.pid)  # a child's rusage begins with the memory of who made it
    finally:
        usage = container.stop()
    check(variant, answered.value)
    cpu = usage.ru_utime + usage.ru_stime if usage else 0.0
    return Start(ready, first, cpu, peak)


def check(variant: Variant, answer: object) -> None:
    """Raise WrongAnswer unless `answer` is success: an HTTP status that was expected, or a batch without failures."""
    found = answer if isinstance(answer, dict) else {}
    right = found.get("statusCode") in variant.statuses if "statusCode" in found else not found.get("batchItemFailures")
    if not right:
        raise WrongAnswer(f"{variant.name}: {answer!r}"[:600])


def starts(variants: Sequence[Variant], *, rounds: int) -> dict[str, list[Start]]:
    """`rounds` starts of each, interleaved, on one core."""
    core = measuring_core()
    return interleaved(
        {variant.name: lambda variant=variant: start(variant, core=core) for variant in variants},  # type: ignore[misc]
        rounds=rounds,
    )


def ratios(seen: Mapping[str, Sequence[Start]], base: str, *, what: str = "answer") -> dict[str, Ratio]:
    """Every contender's time as a multiple of the base's in the same round."""
    against = [getattr(each, what) for each in seen[base]]
    return {name: ratio([getattr(each, what) for each in values], against) for name, values in seen.items()}


def measuring_core() -> int | None:
    """The core that contenders run on; the servers and this process keep to the others. None with a single one."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return cores[-1] if len(cores) > 1 else None


def peak_memory_kb(pid: int) -> int:
    """The most memory a process has had (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0
