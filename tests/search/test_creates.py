"""What `make test` searches of creates with an Idempotency-Key: two callers and one fault."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.moto_account import moto_account
from tests.search.clients import quiet
from tests.search.creates import QUICK, CreateRules, Scenario, scenarios
from tests.search.explore import Bounds, Found, Search
from tests.search.histories import along, writes_alike_on_moto
from tests.search.outside import Outside
from zoom_common.gateway.idempotency import Idempotency

# A call with key-1 has crashed when it was about to create. Another looks, and finds what key-2 makes at that moment.
FOUND = [("second key-2", "ok")] * 4 + [("first key-1", "ok")] * 7 + [("second key-2", "ok")] * 2


def _scenario(outside: Outside, name: str) -> Scenario:
    [scenario] = [each for each in scenarios(outside) if each.name == name]
    return scenario


def _searched(name: str) -> Found:
    outside = Outside()
    with quiet():
        scenario = _scenario(outside, name)
        search = Search(outside, CreateRules(outside), Bounds(faults=scenario.faults, jumps=()))
        return search.run(scenario.world, scenario.runs)


@pytest.mark.parametrize("name", QUICK)
def test_two_callers_and_one_fault_make_one_meeting_for_each_key(name: str) -> None:
    """Whatever fails, repeats, crashes or comes late, a key never makes two meetings, nor gets another key's."""
    found = _searched(name)
    assert found.broken is None, str(found)
    assert found.states > 40


def test_a_create_that_leaves_no_record_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can fail: where nobody notes that a create was sent, it finds the second meeting of a key."""
    monkeypatch.setattr(Idempotency, "_mark_sent", lambda *_: None)
    assert "meetings for 1 keys" in str(_searched("new/same+same").broken)


def test_whose_meeting_another_key_adopted_is_asked_to_come_again() -> None:
    """The search found this case: the answer of a create was lost to another key, and both got the same meeting."""
    steps = _found()
    state, _ = steps[-1]
    reported = {run.name: (run.result, getattr(run.error, "reason", None)) for run in state.runs}
    assert reported == {"first key-1": (1000, None), "second key-2": (None, "idempotency_unsettled")}


@pytest.mark.aws
def test_what_the_search_found_has_the_same_answers_on_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Request by request, with the reasons of the transaction that is refused."""
    with moto_account(monkeypatch), quiet():
        outside = Outside()
        scenario = _scenario(outside, "sent/same+other")
        assert writes_alike_on_moto(outside, scenario.world, _found(outside)) >= 6


def _found(outside: Outside | None = None) -> Any:
    outside = outside or Outside()
    with quiet():
        scenario = _scenario(outside, "sent/same+other")
        search = Search(outside, CreateRules(outside), Bounds(faults=0, jumps=()))
        return along(FOUND, search, scenario.world, scenario.runs)
