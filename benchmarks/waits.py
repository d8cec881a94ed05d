"""The part of a run in which AWS and Zoom take their time: what a function waits for is most of its duration there."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.cold import check, measuring_core
from benchmarks.event_lag import lag
from benchmarks.events import BATCH, batch_of, batch_of_arrivals, batch_of_one_meeting, refresh_on_demand
from benchmarks.figures import Figure, Section, Table
from benchmarks.rounds import summary
from benchmarks.runtime_api import Container, running
from benchmarks.scenario import Servers
from benchmarks.sections import Run
from benchmarks.variants import Variant
from benchmarks.warm import cpu_seconds
from ops.cost import PRICES, parser, units

# In milliseconds, by the names of services in the server's counts.
MILLISECONDS: Mapping[str, float] = {
    "DynamoDB": 5,
    "TrentService": 5,
    "secretsmanager": 5,
    "AmazonSQS": 8,
    "AWSEvents": 15,
    "zoom": 150,
}
_WARM_UP = 5
# Events a second, and the most containers: the default, and what 5,000 need.
_RATES = ((100, 20), (1000, 20), (5000, 20), (5000, 80))
_DYNAMODB = "DynamoDB"


@dataclass(frozen=True, slots=True)
class Path:
    """Something that is measured: events for a function, what it cannot avoid (in ms), and what it may take beyond."""

    name: str
    function: str
    make: Callable[[], bytes] | None
    own_ms: float = 0.0
    at_most_ms: float | None = None
    events: int = 1


PATHS = (
    Path("ten meetings start", "event_processor", lambda: batch_of(BATCH), at_most_ms=80, events=BATCH),
    Path("ten people join a meeting each", "event_processor", batch_of_arrivals, at_most_ms=80, events=BATCH),
    Path("ten people join one meeting", "event_processor", batch_of_one_meeting, at_most_ms=80, events=BATCH),
    Path("a call that reads", "zoom_api", None, own_ms=150, at_most_ms=9),
    Path("a call that creates a meeting", "meetings", None, own_ms=150),
    Path("a refresh on demand", "token_refresh", refresh_on_demand, own_ms=150),
    Path("a delivery to the webhook", "webhook", None, own_ms=8, at_most_ms=3),
)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Milliseconds of invocations, without waits, of a processor, with fixed waits and with a tail; and requests."""

    at_once: list[float]
    cpu: float
    fixed: list[float]
    tail: list[float]
    requests: float


def waits(run: Run) -> Section:
    """How long events and calls take where services take their time, and how many requests they make."""
    reported = ", ".join(f"{name} {ms:g}" for name, ms in MILLISECONDS.items())
    section = Section(
        "waits",
        "Waiting for AWS and Zoom",
        f"The server takes its time here, in milliseconds: {reported}. First always so long, then as medians of a "
        "log-normal distribution of which one answer in a hundred takes four times as long. Therefore these figures "
        "are milliseconds, and no ratios.",
    )
    table = Table(
        "Milliseconds of an invocation",
        (
            "",
            "no waits",
            "of which processor",
            "with waits",
            "with a tail: median, 99 of 100",
            "requests to DynamoDB",
            "events a second",
        ),
        note="Events a second are those of one container, with fixed waits.",
    )
    for path in PATHS:
        seen = _measured(run, path, size=5 * run.rounds)
        median = statistics.median(seen.fixed)
        late = statistics.quantiles(seen.tail, n=100)[98]
        table.rows.append(
            (
                path.name,
                f"{statistics.median(seen.at_once):.1f}",
                f"{seen.cpu:.1f}",
                f"{median:.1f}",
                f"{statistics.median(seen.tail):.1f}, {late:.0f}",
                f"{seen.requests:.1f}",
                f"{path.events * 1000 / median:.0f}" if path.events > 1 else "",
            )
        )
        beyond = [each - path.own_ms for each in seen.fixed]
        text = f"{path.name}, in milliseconds" + (f" beyond {path.own_ms:g} of the other side" if path.own_ms else "")
        section.figures.append(Figure(f"waits/{path.name}", text, summary(beyond), path.at_most_ms))
        if path.events > 1:
            text = f"{path.name}, requests to DynamoDB for an event"
            each = summary([seen.requests / path.events])
            section.figures.append(Figure(f"waits/{path.name}/requests", text, each, 4))
    section.tables += [table, _lags()]
    return section


def _lags() -> Table:
    table = Table(
        "Events a second, simulated for a minute",
        (
            "events a second",
            "`EventConcurrency`",
            "containers",
            "events in a batch",
            "lag in seconds: median, worst",
            "left waiting",
            "dollars a million",
        ),
        note="A queue and its mapping as AWS scales it: five batches at a time, then 300 more a minute, up to "
        "`EventConcurrency`. Batches take what the cost model says (`ops/cost.py`, 512 MB). The first seconds of a "
        "rush are the worst; AWS's own delays are left out.",
    )
    defaults = parser().parse_args([])
    for rate, maximum in _RATES:
        found = lag(rate, maximum)
        million = units(
            zoom_ms=defaults.zoom_ms,
            core_ms=defaults.core_ms,
            event_ms=defaults.event_ms,
            aws_ms=defaults.aws_ms,
            batch=found.batch,
        )["webhook"]
        table.rows.append(
            (
                f"{rate:,}",
                str(maximum),
                str(found.containers),
                f"{found.batch:.1f}",
                f"{found.median:.2f}, {found.worst:.1f}",
                f"{found.left:,}" if found.left > rate else "none",
                f"{sum(million.dollars(PRICES, 1_000_000).values()):.2f}",
            )
        )
    return table


def _measured(run: Run, path: Path, *, size: int) -> _Measured:
    ours = run.variants.ours(path.function)
    variant = Variant(path.name, ours.program, path.make or ours.event, ours.statuses)
    core = measuring_core()
    with running(variant.program, cores=None if core is None else {core}) as container:
        for _ in range(_WARM_UP):
            check(variant, container.invoke(variant.next_event()).value)
        before = cpu_seconds(container.pid)
        at_once = _block(variant, container, size)
        cpu = (cpu_seconds(container.pid) - before) * 1000 / size
        with run.servers.waiting(MILLISECONDS, tail=False):
            fixed = _block(variant, container, size)
        with run.servers.waiting(MILLISECONDS, tail=True):
            tail = _block(variant, container, size)
        return _Measured(at_once, cpu, fixed, tail, _requests(run.servers, variant, container))


def _block(variant: Variant, container: Container, size: int) -> list[float]:
    answers = [container.invoke(variant.next_event()) for _ in range(size)]
    check(variant, answers[-1].value)
    return [each.seconds * 1000 for each in answers]


def _requests(servers: Servers, variant: Variant, container: Container) -> float:
    """Requests of one invocation to DynamoDB: the median of some, because some are made once a minute."""
    found = []
    for _ in range(_WARM_UP):
        servers.counts(reset=True)
        container.invoke(variant.next_event())
        counted = servers.counts(reset=True)["operations"]
        found.append(sum(number for name, number in counted.items() if name.startswith(_DYNAMODB)))
    return statistics.median(found)
