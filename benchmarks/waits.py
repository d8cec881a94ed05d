"""The part of a run in which AWS and Zoom take their time: what a function waits for is most of its duration there."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks import event_lag, hot_account
from benchmarks.cold import check, measuring_core
from benchmarks.events import BATCH, batch_of, batch_of_arrivals, batch_of_one_meeting, refresh_on_demand
from benchmarks.figures import Figure, Section, Table
from benchmarks.rounds import summary
from benchmarks.runtime_api import Container, running
from benchmarks.scenario import Servers
from benchmarks.sections import Run
from benchmarks.variants import Variant
from benchmarks.warm import cpu_seconds
from ops.measured import ARRIVAL, ARRIVALS, DELIVERY, NAME, PROCESSOR, READ, REFRESH, TABLE, WAITING, Measured

# In milliseconds, by the names of services in the server's counts.
MILLISECONDS: Mapping[str, float] = {
    "DynamoDB": 5,
    "TrentService": 5,
    "secretsmanager": 5,
    "AmazonSQS": 8,
    "AWSEvents": 15,
    "zoom": 150,
}
WARM_UP = 5
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
    Path(ARRIVALS, "event_processor", batch_of_arrivals, at_most_ms=80, events=BATCH),
    Path("ten people join one meeting", "event_processor", batch_of_one_meeting, at_most_ms=80, events=BATCH),
    Path(ARRIVAL, "event_processor", lambda: batch_of_arrivals(1)),
    Path(READ, "zoom_api", None, own_ms=150, at_most_ms=9),
    Path("a call that creates a meeting", "meetings", None, own_ms=150),
    # Half of the 44.9 that it was when it was measured first.
    Path(REFRESH, "token_refresh", refresh_on_demand, own_ms=150, at_most_ms=22.45),
    Path(DELIVERY, "webhook", None, own_ms=8, at_most_ms=3),
)


@dataclass(frozen=True, slots=True)
class _Seen:
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
        TABLE,
        (
            NAME,
            "no waits",
            PROCESSOR,
            "with waits",
            WAITING,
            "with a tail: median, 99 of 100",
            "requests to DynamoDB",
            "events a second",
        ),
        note="Events a second are those of one container, with fixed waits. What it waits for AWS is what is left "
        "of it without processor and Zoom; the cost model reads both columns.",
    )
    found: dict[str, Measured] = {}
    for path in PATHS:
        seen = _measured(run, path, size=5 * run.rounds)
        median = statistics.median(seen.fixed)
        late = statistics.quantiles(seen.tail, n=100)[98]
        zoom = MILLISECONDS["zoom"] if path.own_ms == MILLISECONDS["zoom"] else 0.0
        found[path.name] = Measured(round(seen.cpu, 1), round(median - seen.cpu - zoom, 1))
        table.rows.append(
            (
                path.name,
                f"{statistics.median(seen.at_once):.1f}",
                f"{seen.cpu:.1f}",
                f"{median:.1f}",
                f"{found[path.name].waits_ms:.1f}",
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
    section.tables += [table, event_lag.table(found), hot_account.table()]
    return section


def _measured(run: Run, path: Path, *, size: int) -> _Seen:
    ours = run.variants.ours(path.function)
    variant = Variant(path.name, ours.program, path.make or ours.event, ours.statuses)
    core = measuring_core()
    with running(variant.program, cores=None if core is None else {core}) as container:
        for _ in range(WARM_UP):
            check(variant, container.invoke(variant.next_event()).value)
        before = cpu_seconds(container.pid)
        at_once = _block(variant, container, size)
        cpu = (cpu_seconds(container.pid) - before) * 1000 / size
        with run.servers.waiting(MILLISECONDS, tail=False):
            fixed = _block(variant, container, size)
        with run.servers.waiting(MILLISECONDS, tail=True):
            tail = _block(variant, container, size)
        return _Seen(at_once, cpu, fixed, tail, _requests(run.servers, variant, container))


def _block(variant: Variant, container: Container, size: int) -> list[float]:
    answers = [container.invoke(variant.next_event()) for _ in range(size)]
    check(variant, answers[-1].value)
    return [each.seconds * 1000 for each in answers]


def _requests(servers: Servers, variant: Variant, container: Container) -> float:
    """Requests of one invocation to DynamoDB: the median of some, because some are made once a minute."""
    found = []
    for _ in range(WARM_UP):
        servers.counts(reset=True)
        container.invoke(variant.next_event())
        counted = servers.counts(reset=True)["operations"]
        found.append(sum(number for name, number in counted.items() if name.startswith(_DYNAMODB)))
    return statistics.median(found)
