"""What `make test` searches of the inbox: two deliveries of one event, two workers and one fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.fakes.moto_account import moto_account
from tests.search.clients import quiet
from tests.search.explore import Bounds, Found, Search
from tests.search.histories import History, along, writes_alike_on_moto
from tests.search.inbox import QUICK, InboxRules, scenarios
from tests.search.outside import Outside
from zoom_common.events.log.entries import Admitted, LogEntry
from zoom_common.events.log.store import EventLog

# A worker is ended before it publishes. Another takes the event over, and the answer to a write of it is lost.
FOUND = [
    *[("worker-1", "ok")] * 5,
    ("time", "ok"),
    ("worker-1", "crash"),
    *[("worker-0", "ok")] * 5,
    ("worker-0", "lost"),
]


def _searched(name: str, faults: int = 1) -> Found:
    outside = Outside()
    [scenario] = [each for each in scenarios() if each.name == name]
    with quiet():
        search = Search(outside, InboxRules(outside, scenario.events), Bounds(faults=faults, jumps=()))
        return search.run(outside.empty(None), scenario.runs, deliveries=scenario.deliveries)


@pytest.mark.parametrize("name", QUICK)
def test_two_deliveries_two_workers_and_one_fault_publish_one_event(name: str) -> None:
    """What is acknowledged is published, under one id, with one content, once in the log and in the projections."""
    found = _searched(name)
    assert found.broken is None, str(found)
    assert found.states > 200


def test_an_event_that_is_finished_before_it_is_published_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can fail: where an event counts as published from the moment it is known, it finds the lost one."""
    admit_all = EventLog.admit_all

    def too_early(log: EventLog, entries: Sequence[LogEntry], **more: Any) -> Any:
        admitted = admit_all(log, entries, **more)
        log.finish_all([each.entry for each in admitted if isinstance(each, Admitted) and each.entry])
        return admitted

    monkeypatch.setattr(EventLog, "admit_all", too_early)
    assert _searched("twins", faults=1).broken == "acknowledged, and not published"


def test_a_takeover_that_stops_half_way_leaves_one_line_in_the_log() -> None:
    """Wherever it stops, the entry names the moment of its line, so that an erasure finds it."""
    outside = Outside()
    state, _ = _found(outside)[-1]
    with quiet():
        InboxRules(outside).in_the_end(state)


@pytest.mark.aws
def test_what_the_search_found_has_the_same_answers_on_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Request by request, with the write whose answer was lost."""
    outside = Outside()
    with moto_account(monkeypatch), quiet():
        assert writes_alike_on_moto(outside, outside.empty(None), _found(outside)) >= 6


def _found(outside: Outside) -> History:
    [scenario] = [each for each in scenarios() if each.name == "twins+61s"]
    search = Search(outside, InboxRules(outside), Bounds(faults=1, jumps=()))
    return along(FOUND, search, outside.empty(None), scenario.runs)
