"""What `make test` searches of the vault: two actors and one fault; `make search` takes every pair and more faults."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.moto_account import moto_account
from tests.search.clients import quiet
from tests.search.explore import Bounds, Search
from tests.search.histories import taking_turns, writes_alike_on_moto
from tests.search.outside import Outside
from tests.search.scenarios import LENIENT, QUICK, STRICT, ZOOMS, Scenario, scenarios
from tests.search.vault import VaultRules
from zoom_common.connections.link_store import STATE, AuthorizationStore, _entry
from zoom_common.connections.model import digest
from zoom_common.connections.queues import RevokeQueue
from zoom_common.secret import Secret


def searched(outside: Outside, scenario: Scenario, faults: int) -> Any:
    with quiet():
        search = Search(outside, scenario.rules(outside), Bounds(faults=faults))
        return search.run(scenario.world, scenario.runs, deliveries=scenario.deliveries)


@pytest.mark.parametrize("name", QUICK)
def test_two_actors_and_one_fault_keep_every_pair(name: str) -> None:
    """Whatever fails, repeats, crashes or stands still once, no live pair is lost and every state is published."""
    outside = Outside()
    [scenario] = [each for each in scenarios(outside, STRICT) if each.name == name]
    found = searched(outside, scenario, faults=1)
    assert found.broken is None, str(found)
    assert found.states > 50


@pytest.mark.parametrize("zoom", sorted(ZOOMS))
def test_no_order_of_two_actors_loses_a_pair(zoom: str) -> None:
    """Every pair of actors, in every order, with a Zoom of either kind."""
    outside = Outside()
    for scenario in scenarios(outside, ZOOMS[zoom]):
        found = searched(outside, scenario, faults=0)
        assert found.broken is None, f"{scenario.name}: {found}"


def test_a_pair_that_is_dropped_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can fail: where nobody revokes the pair of a connection that was disconnected, it finds that pair."""
    monkeypatch.setattr(RevokeQueue, "enqueue", lambda *_: None)
    outside = Outside()
    [scenario] = [each for each in scenarios(outside, STRICT) if each.name == "connected/due+disconnect"]
    found = searched(outside, scenario, faults=0)
    assert "let go" in str(found.broken)


def test_a_link_that_begins_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can fail: where a start leaves the ticket as it is, two browsers begin one link."""

    def careless(self: Any, ticket: Secret, state: Secret, cookie: Secret, *, now: float, expires_at: int) -> Any:
        link = self.ticket(ticket, now=now)
        if link is not None:
            self._coordination.put(_entry(STATE, state, link, expires_at) | {"cookie": digest(cookie)})
        return link

    monkeypatch.setattr(AuthorizationStore, "start", careless)
    outside = Outside()
    [scenario] = [each for each in scenarios(outside, STRICT) if each.name == "asked/agree+agree"]
    found = searched(outside, scenario, faults=0)
    assert "begun twice" in str(found.broken)


@pytest.mark.aws
def test_a_history_has_the_same_answers_on_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace of the search, carried out request by request on moto, gives the answers of DynamoDB in memory."""
    outside = Outside()
    [scenario] = [each for each in scenarios(outside, LENIENT) if each.name == "connected/due+reconnect"]
    steps = taking_turns(Search(outside, VaultRules(outside), Bounds(faults=0)), scenario.world, scenario.runs)
    with moto_account(monkeypatch), quiet():
        assert writes_alike_on_moto(outside, scenario.world, steps) > 3
