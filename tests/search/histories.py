"""Single histories of a search, and their requests carried out on moto."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tests.fakes import tables
from tests.search.clients import quiet
from tests.search.explore import Broken, Search, State, Step
from tests.search.outside import Answer, Call, Outside, World
from tests.search.replay import Run
from zoom_common.aws import clients
from zoom_common.aws.items import from_item

type History = list[tuple[State, Step]]


def history(
    search: Search, world: World, runs: Sequence[Run], choose: Callable[[int, list[tuple[Step, State | None]]], int]
) -> History:
    """Return the states and the steps of one history: at each state, `choose` gives the place of the step to go."""
    bounds = search.bounds
    state = State(world, tuple(run.started() for run in runs), bounds.faults, bounds.deliveries)
    steps: History = []
    with quiet():
        while following := list(search._following(state, [False])):
            step, after = following[choose(len(steps), following)]
            if after is None:
                raise Broken(step.outcome)
            steps.append((state, step))
            state = after
    return [*steps, (state, Step("", "", "end"))]


def taking_turns(search: Search, world: World, runs: Sequence[Run]) -> History:
    """Return a history in which the runs take turns."""
    return history(search, world, runs, lambda at, following: at % len(following))


def along(trace: Sequence[tuple[str, str]], search: Search, world: World, runs: Sequence[Run]) -> History:
    """Return the history that goes as `trace` says, which names run and outcome; from its end on, the first step."""

    def choose(at: int, following: list[tuple[Step, State | None]]) -> int:
        if at >= len(trace):
            return 0
        who, outcome = trace[at]
        [place] = [place for place, (step, _) in enumerate(following) if (step.who, step.outcome) == (who, outcome)]
        return place

    return history(search, world, runs, choose)


def writes_alike_on_moto(outside: Outside, world: World, steps: History) -> int:
    """Carry the requests of a history out on moto, check the answers, and return how many of them were writes."""
    moto: Any = clients.boto3_client("dynamodb")
    for create in (tables.create_connections, tables.create_events, tables.create_coordination):
        create(moto)
    for name, table in world.tables.items():
        for rows in table.values():
            for item in rows.values():
                moto.put_item(TableName=name, Item=item)
    writes = 0
    for state, step in steps:
        calls = [(run, run.call) for run in state.runs if run.name == step.who and run.call is not None]
        if step.outcome in {"failed", "crash"}:
            continue
        for run, call in calls:
            if call.service != "dynamodb":
                continue
            after, expected = outside.carry_out(state.world, call, asked_at=run.now)
            assert _asked(moto, call) == _answered(expected)
            writes += call.changes_something
            if step.outcome == "twice":
                assert _asked(moto, call) == _answered(outside.carry_out(after, call, asked_at=run.now)[1])
    return writes


def _asked(moto: Any, call: Call) -> Any:
    try:
        return _answered(Answer(0.0, getattr(moto, call.operation)(**call.request)))
    except ClientError as error:
        return _answered(Answer(0.0, error=error))


def _answered(answer: Answer) -> Any:
    """Return an answer's items or the error's codes, however numbers are written."""
    if isinstance(answer.error, ClientError):
        response: Any = answer.error.response
        return response["Error"]["Code"], [each.get("Code") for each in response.get("CancellationReasons", [])]
    items = [answer.value.get(part) for part in ("Item", "Attributes")]
    return [from_item(item) if item else None for item in items]
