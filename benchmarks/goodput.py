"""What callers get out of Zoom's limits as they become more, with our clients and with the ones that people use.

The load test of `benchmarks.load`, short and at several sizes; `make load` measures one size at length.
"""

from __future__ import annotations

import argparse

from benchmarks.environments import python_peers
from benchmarks.figures import Figure, Section, Table
from benchmarks.load.__main__ import load, services
from benchmarks.load.machine import give_priority_back, take_priority
from benchmarks.rounds import summary
from benchmarks.sections import Run
from dev import emulator
from zoom_common.ratelimit.slots import PACE

_WORKERS = (1, 5, 20, 100)
_CLIENTS = ("ours", "requests", "requests with retries", "zoomus", "pyzoom")
_SECONDS = 5.0
_ZOOM_PORT, _AWS_PORT = 3991, 3992


def goodput(run: Run) -> Section:  # noqa: ARG001 - one round: a second's allowance is the same in every
    """Share of a Pro account's thirty light calls a second that is served, and of Zoom's answers that are 429."""
    section = Section(
        "goodput",
        "Many callers, one allowance",
        "Workers read one meeting as fast as their client lets them, on an account that may ask thirty times a second "
        "(Pro, light calls, fixed windows). A worker is a container of its own; ours share a budget in DynamoDB, which "
        "an emulator on the same machine stands in for. Five seconds each, once.",
    )
    python_peers()
    priority = take_priority()
    head = ("workers", *(f"{client}: served, 429" for client in _CLIENTS))
    table = Table("Share of the rate that is served, and of Zoom's answers that are 429", head)
    with services("pro", _ZOOM_PORT, _AWS_PORT) as zoom:
        for workers in _WORKERS:
            options = _options(workers)
            seen = {client: load(zoom, client, "fixed", options=options) for client in _CLIENTS}
            cells = (f"{seen[client].used:.0%}, {seen[client].refused:.1%}" for client in _CLIENTS)
            table.rows.append((str(workers), *cells))
            key, what = f"goodput/{workers}/refused", f"of Zoom's answers to {workers} of our workers, the 429s"
            section.figures.append(Figure(key, what, summary([seen["ours"].refused])))
    give_priority_back()
    table.note = "" if priority else "Without priority over other programs of the machine."
    section.tables.append(table)
    return section


def _options(workers: int) -> argparse.Namespace:
    return argparse.Namespace(
        workers=workers,
        processes=5 if workers % 5 == 0 else 1,
        seconds=_SECONDS,
        dynamodb=emulator.url(_AWS_PORT),
        label="Light",
        plan="pro",
        pace=PACE,
    )
