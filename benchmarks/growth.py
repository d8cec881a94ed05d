"""The part of a run about scale: sweeps and events."""

from __future__ import annotations

import statistics

from benchmarks import scale, warm
from benchmarks.events import BATCH, batch_of
from benchmarks.figures import Figure, Section, Table
from benchmarks.rounds import ratio, summary
from benchmarks.sections import Run
from benchmarks.variants import Variant

_SIZES, _DUE = (100, 1000, 5000), 100
_RATES = (10, 100, 1000)


def growth(run: Run) -> Section:
    """How cost grows with connections and events."""
    section = Section(
        "scale",
        "Scale",
        "A sweep reads what is due, not what exists. Events are processed in batches of ten at most; the lag is a "
        "simulated queue in front of containers, with batch times measured here, so it leaves AWS's own delays out.",
    )
    _sweeps(section)
    _events(run, section)
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


def _rounded(value: float) -> int:
    """Two figures that count: this machine's, not a promise."""
    digits = len(str(int(value))) - 2
    return round(value / 10**digits) * 10**digits if digits > 0 else round(value)
