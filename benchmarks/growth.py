"""The part of a run about scale: sweeps, events, memory."""

from __future__ import annotations

import statistics

from benchmarks import builds, scale, warm
from benchmarks.events import BATCH, batch_of
from benchmarks.figures import Figure, Section, Table
from benchmarks.rounds import Ratio, ratio, summary
from benchmarks.sections import Run
from benchmarks.variants import Variant
from benchmarks.warm import Block

_SIZES, _DUE = (100, 1000, 5000), 100
_RATES = (10, 100, 1000)
# What the local servers do not imitate: a network, and Zoom thinking.
_ZOOM_SECONDS = 0.15


def growth(run: Run) -> Section:
    """How cost grows with connections and events, and which memory setting is cheapest."""
    section = Section(
        "scale",
        "Scale",
        "A sweep reads what is due, not what exists. Events are processed in batches of ten at most; the lag is a "
        "simulated queue in front of containers, with batch times measured here, so it leaves AWS's own delays out.",
    )
    _sweeps(section)
    _events(run, section)
    _memory(run, section)
    return section


def _sweeps(section: Section) -> None:
    seen = list(scale.swept(_SIZES, due=_DUE))
    table = Table(f"One sweep, {_DUE} connections due", ("connections", "due", "queries", "index entries read"))
    table.rows += [tuple(str(each) for each in (s.connections, s.due, s.requests, s.items_read)) for s in seen]
    section.tables.append(table)
    grown = (seen[-1].requests + seen[-1].items_read) / (seen[0].requests + seen[0].items_read)
    text = f"a sweep over {_SIZES[-1]:,} connections, over one of {_SIZES[0]} with as many due"
    section.figures.append(Figure("scale/sweep", text, summary([grown]), 1.0))


def _events(run: Run, section: Section) -> None:
    ours = run.variants.ours("event_processor")
    single = Variant("one", ours.program, lambda: batch_of(1))
    full = Variant("ten", ours.program, lambda: batch_of(BATCH))
    webhook = run.variants.ours("webhook")
    seen = warm.blocks([single, full, webhook], rounds=run.rounds, size=20)
    receipt = [block.cpu for block in seen["ours"]]
    each = [block.cpu / BATCH for block in seen["ten"]]
    section.figures += [
        Figure("scale/event", "processing one event in a batch of ten, over receiving it", ratio(each, receipt)),
        Figure("scale/batch", "one event in a batch of ten, over one alone", ratio(each, [b.cpu for b in seen["one"]])),
    ]
    one, ten = (statistics.median(block.seconds for block in seen[name]) for name in ("one", "ten"))
    table = Table(
        "Lag behind arrivals, in multiples of what a single event takes",
        ("events a second", "containers that keep up", "median", "worst"),
        note=f"A core processes about {_rounded(1 / statistics.median(each))} events a second here.",
    )
    for lag in scale.lags(_RATES, one=one, ten=ten):
        table.rows.append((str(lag.rate), str(lag.containers), f"{lag.median:.1f}", f"{lag.worst:.1f}"))
    section.tables.append(table)


def _memory(run: Run, section: Section) -> None:
    contenders = [run.variants.noop()]
    for name in builds.function_names():
        ours = run.variants.ours(name)
        if ours.event is not None:
            contenders.append(Variant(name, ours.program, ours.event, ours.statuses))
    seen = warm.blocks(contenders, rounds=3, size=20)
    empty = _peak(seen["no-op"])
    table = Table(
        "Memory, and the setting that costs least per call",
        ("function", "peak, over an empty handler's", "cheapest setting, MB", "settings: cost, duration"),
        note="By the cost model: price follows memory times duration, processor share follows memory up to a whole "
        f"core, a setting needs half as much again as the peak. API functions wait {_ZOOM_SECONDS * 1000:.0f} ms for "
        "Zoom.",
    )
    for name, blocks in seen.items():
        if name == "no-op":
            continue
        waiting = _ZOOM_SECONDS if name in {"meetings", "webinars", "zoom_api", "meeting_sdk"} else 0.01
        cpu = statistics.median(block.cpu for block in blocks)
        settings = scale.cheapest(peak_mb=_peak(blocks) / 1024, cpu=cpu, waiting=waiting)
        best = min(settings, key=lambda each: each[1])
        said = ", ".join(f"{size}: {cost:.1f}x, {duration:.1f}x" for size, cost, duration in settings)
        table.rows.append((name, f"{_peak(blocks) / empty:.1f}", str(best[0]), said))
        peak = Ratio(*(_peak(blocks) / empty for _ in range(3)))
        section.figures.append(Figure(f"memory/{name}", f"peak memory of {name}, over an empty handler's", peak))
    section.tables.append(table)


def _peak(blocks: list[Block]) -> float:
    return float(max(block.memory_kb for block in blocks))


def _rounded(value: float) -> int:
    """Two figures that count: this machine's, not a promise."""
    digits = len(str(int(value))) - 2
    return round(value / 10**digits) * 10**digits if digits > 0 else round(value)
