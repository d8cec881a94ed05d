"""The part of a run about memory: for each function the cheapest setting that keeps its goal with real waits."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from benchmarks import builds, cold
from benchmarks.cold import check, measuring_core, peak_memory_kb
from benchmarks.events import refresh_on_demand
from benchmarks.figures import Figure, Section, Table
from benchmarks.rounds import Ratio
from benchmarks.runtime_api import running
from benchmarks.sections import Run
from benchmarks.variants import Variant
from benchmarks.waits import MILLISECONDS, WARM_UP
from benchmarks.warm import cpu_seconds
from ops.cost import memory_of

# Lambda gives a function a whole core at this much memory, and less in proportion below it.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_WHOLE_CORE_MB = 1769
_SETTINGS = (128, 192, 256, 288, 320, 384, 448, 512, 640, 704, 768, 896, 1024, 1280, 1536, _WHOLE_CORE_MB)
# A setting needs so many times the most memory that was used: Lambda keeps something for itself, and inputs differ.
_HEADROOM = 2.0
_KB = 1024


@dataclass(frozen=True, slots=True)
class Goal:
    """Milliseconds that an invocation may take beside Zoom's own, and a start with its first answer."""

    warm_ms: float = inf
    start_ms: float = inf

    def __str__(self) -> str:
        """Both, as the page has them."""
        said = [f"{self.warm_ms:g} ms"] if self.warm_ms < inf else []
        return ", ".join([*said, *([f"start {self.start_ms / 1000:g} s"] if self.start_ms < inf else [])])


_WAITED_FOR = Goal(50, 3000)
_GOALS: Mapping[str, Goal] = {
    "authorizer": Goal(20, 2000),  # comes before every call
    "event_processor": Goal(80),  # a batch of ten
    "usage": Goal(100, 3000),  # reads many items for a page that people look at
    "webhook": Goal(25, 1000),  # Zoom waits for three seconds
}
# What these hold in memory follows the data that they are given, which the event here has none of.
_BY_THEIR_DATA = {"erasures", "reconcile"}


@dataclass(frozen=True, slots=True)
class Used:
    """What an invocation takes on a whole core, in milliseconds, and the most memory, in MB."""

    core_ms: float
    waits_ms: float
    zoom_ms: float
    start_ms: float
    peak_mb: float

    def warm_ms(self, size: int) -> float:
        """Return how long an invocation takes beside Zoom, with Lambda's part of a core."""
        return self.waits_ms + self.core_ms * _WHOLE_CORE_MB / size

    def begun_ms(self, size: int) -> float:
        """Return how long a start and its first answer take. AWS gives a start more of a core than this."""
        return self.waits_ms + self.start_ms * _WHOLE_CORE_MB / size

    def price(self, size: int) -> float:
        """Return what an invocation costs, in MB times milliseconds: Lambda bills the wait for Zoom too."""
        return size * (self.warm_ms(size) + self.zoom_ms)

    def cheapest(self, goal: Goal) -> int:
        """Return the cheapest setting that keeps `goal`, or the largest where none does."""
        kept = [
            size
            for size in _SETTINGS
            if size >= self.peak_mb * _HEADROOM
            and self.warm_ms(size) <= goal.warm_ms
            and self.begun_ms(size) <= goal.start_ms
        ]
        return min(kept, key=self.price, default=_SETTINGS[-1])


def memory(run: Run) -> Section:
    """Which memory setting each function should have."""
    section = Section(
        "memory",
        "Memory",
        "The cheapest setting that keeps a function's goal with real waits. It is computed, and was not run on AWS: "
        "processor time and peak memory are measured here, on a whole core; Lambda gives a whole core at "
        f"{_WHOLE_CORE_MB:,} MB and its part below; price follows memory times duration, with Zoom's "
        f"{MILLISECONDS['zoom']:g} ms where it is asked; a setting needs twice the peak.",
    )
    table = Table(
        "Memory, and the cheapest setting that keeps the goal",
        ("function", "goal beside Zoom", "processor, waits", "peak, MB", "cheapest, MB", "takes there", "template, MB"),
        note="Goals are ours: what somebody waits for adds at most 50 ms to Zoom's own time, and starts and answers "
        "within three seconds; the authorizer comes before every call; a batch of ten events takes at most 80 ms; Zoom "
        "gives up a webhook after three seconds. Functions that are not here keep 512: the memory of some follows the "
        "data that they handle (erasures, reconcile, jobs, archive, deliveries), the others have no event here.",
    )
    for name in builds.function_names():
        variant = run.variants.ours(name)
        if variant.event is None or name in _BY_THEIR_DATA:
            continue
        if name == "token_refresh":  # a call waits for this one; nobody waits for a sweep
            variant = replace(variant, event=refresh_on_demand)
        used, goal = _used(run, variant), _GOALS.get(name, _WAITED_FOR)
        best = used.cheapest(goal)
        table.rows.append(
            (
                name,
                str(goal),
                f"{used.core_ms:.1f}, {used.waits_ms:.1f}",
                f"{used.peak_mb:.0f}",
                str(best),
                f"{used.warm_ms(best):.0f} ms, start {used.begun_ms(best) / 1000:.1f} s",
                str(memory_of(name)),
            )
        )
        over = Ratio(*[memory_of(name) / best] * 3)
        section.figures.append(Figure(f"memory/{name}", f"the template's memory of {name}, over the cheapest", over))
    section.tables.append(table)
    return section


def _used(run: Run, variant: Variant) -> Used:
    core = measuring_core()
    begun = [cold.start(variant, core=core) for _ in range(3)]
    size = 3 * run.rounds
    with running(variant.program, cores=None if core is None else {core}) as container:
        for _ in range(WARM_UP):
            check(variant, container.invoke(variant.next_event()).value)
        before = cpu_seconds(container.pid)
        for _ in range(size):
            container.invoke(variant.next_event())
        cpu = (cpu_seconds(container.pid) - before) * 1000 / size
        run.servers.counts(reset=True)
        with run.servers.waiting(MILLISECONDS, tail=False):
            took = statistics.median(container.invoke(variant.next_event()).seconds * 1000 for _ in range(size))
        asked = any(each.startswith("zoom") for each in run.servers.counts(reset=True)["operations"])
        zoom = MILLISECONDS["zoom"] if asked else 0.0
        peak = peak_memory_kb(container.pid) / _KB
    started = statistics.median(each.cpu for each in begun) * 1000
    return Used(cpu, max(0.0, took - cpu - zoom), zoom, started, peak)
