"""What `make test` searches of the vault: two actors and one fault; `make search` takes every pair and more faults."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes import tables
from tests.fakes.moto_account import moto_account
from tests.search.explore import Bounds, Broken, Search, State, Step
from tests.search.outside import Answer, Call, Outside
from tests.search.scenarios import LENIENT, QUICK, STRICT, ZOOMS, Scenario, scenarios
from tests.search.vault import VaultRules, quiet
from zoom_common.aws import clients
from zoom_common.aws.items import from_item
from zoom_common.connections.queues import RevokeQueue


def searched(outside: Outside, scenario: Scenario, faults: int) -> Any:
    with quiet():
        search = Search(outside, VaultRules(outside), Bounds(faults=faults))
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


@pytest.mark.aws
def test_a_history_has_the_same_answers_on_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace of the search, carried out request by request on moto, gives the answers of DynamoDB in memory."""
    outside = Outside()
    [scenario] = [each for each in scenarios(outside, LENIENT) if each.name == "connected/due+reconnect"]
    steps = _one_history(outside, scenario)
    with moto_account(monkeypatch), quiet():
        moto = clients.boto3_client("dynamodb")
        for create in (tables.create_connections, tables.create_events, tables.create_coordination):
            create(moto)
        for name, table in scenario.world.tables.items():
            for rows in table.values():
                for item in rows.values():
                    moto.put_item(TableName=name, Item=item)
        writes = 0
        for state, step in steps:
            [run] = [each for each in state.runs if each.name == step.who]
            call = run.call
            assert call is not None
            if call.service != "dynamodb":
                continue
            _, expected = outside.carry_out(state.world, call, asked_at=run.now)
            assert _asked(moto, call) == _told(expected)
            writes += call.changes_something
    assert writes > 3


def _asked(moto: Any, call: Call) -> Any:
    try:
        return _told(Answer(0.0, getattr(moto, call.operation)(**call.request)))
    except ClientError as error:
        return _told(Answer(0.0, error=error))


def _told(answer: Answer) -> Any:
    """Return an answer's item or the error's code, however numbers are written."""
    if isinstance(answer.error, ClientError):
        return answer.error.response["Error"]["Code"]
    items = [answer.value.get(part) for part in ("Item", "Attributes")]
    return [from_item(item) if item else None for item in items]


def _one_history(outside: Outside, scenario: Scenario) -> list[tuple[State, Step]]:
    """Return states and steps of one history without faults, in which the actors take turns."""
    rules = VaultRules(outside)
    search = Search(outside, rules, Bounds(faults=0))
    state = State(scenario.world, tuple(run.started() for run in scenario.runs), 0, 0)
    steps: list[tuple[State, Step]] = []
    with quiet():
        while following := list(search._following(state, [False])):
            step, after = following[len(steps) % len(following)]
            if after is None:
                raise Broken(step.outcome)
            steps.append((state, step))
            state = after
    return steps
