"""What a function asks of AWS and of Zoom, request by request, and how many connections it needs for that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks.backend import SEND_SLOT
from benchmarks.events import BATCH, batch_of, batch_of_arrivals, batch_of_one_meeting, event_for
from benchmarks.runtime_api import Program, running
from benchmarks.scenario import lambda_environment

GET = "DynamoDB_20120810.GetItem"
QUERY = "DynamoDB_20120810.Query"
BATCH_GET = "DynamoDB_20120810.BatchGetItem"
BATCH_WRITE = "DynamoDB_20120810.BatchWriteItem"
PUT = "DynamoDB_20120810.PutItem"
UPDATE = "DynamoDB_20120810.UpdateItem"
_DECRYPT = "TrentService.Decrypt"
_SECRET = "secretsmanager.GetSecretValue"
_SEND = "AmazonSQS.SendMessage"
_PUBLISH = "AWSEvents.PutEvents"
REPEATS = 5


@dataclass(frozen=True)
class Expected:
    """`start` is asked until the first answer, `calls` by five more, over `connections` in all."""

    start: dict[str, int]
    calls: dict[str, int]
    connections: dict[str, int]


EXPECTED = {
    "authorizer": Expected({GET: 1}, {GET: 5}, {"DynamoDB": 1}),
    "health": Expected({}, {}, {}),
    # The token is opened once; the connection is read every time, so that a disconnect holds at once, and a send slot
    # is taken and usage is counted every time. Creates count for their user's day, in batches: five calls, then four;
    # each notes its meeting in the host's calendar, and learns of the others in the same write.
    "meetings": Expected(
        {QUERY: 1, _DECRYPT: 1, SEND_SLOT: 1, UPDATE: 3, "zoom POST": 1},
        {QUERY: 5, SEND_SLOT: 5, UPDATE: 11, "zoom POST": 5},
        {"DynamoDB": 2, "TrentService": 1, "zoom": 1},
    ),
    "webinars": Expected(
        {QUERY: 1, _DECRYPT: 1, SEND_SLOT: 1, UPDATE: 1, "zoom GET": 1},
        {QUERY: 5, SEND_SLOT: 5, UPDATE: 5, "zoom GET": 5},
        {"DynamoDB": 2, "TrentService": 1, "zoom": 1},
    ),
    "zoom_api": Expected(
        {QUERY: 1, _DECRYPT: 1, SEND_SLOT: 1, UPDATE: 1, "zoom GET": 1},
        {QUERY: 5, SEND_SLOT: 5, UPDATE: 5, "zoom GET": 5},
        {"DynamoDB": 2, "TrentService": 1, "zoom": 1},
    ),
    "token": Expected({GET: 1, PUT: 1}, {GET: 5, PUT: 5}, {"DynamoDB": 1}),
    # The secret that a signature is made with is read every five minutes.
    "meeting_sdk": Expected(
        {QUERY: 1, GET: 2, _DECRYPT: 1, SEND_SLOT: 1, UPDATE: 2, _SECRET: 1, "zoom GET": 1},
        {QUERY: 5, GET: 10, SEND_SLOT: 5, UPDATE: 10, "zoom GET": 5},
        {"DynamoDB": 2, "TrentService": 1, "secretsmanager": 1, "zoom": 1},
    ),
    # No KMS, no DynamoDB: the secrets are read while the container starts, and then every five minutes.
    "webhook": Expected({_SECRET: 1, _SEND: 1}, {_SEND: 5}, {"secretsmanager": 1, "AmazonSQS": 1}),
}


# What a batch of ten asks of DynamoDB: reads before and after it is known whose the events are; ten claims; records of
# projections; hosts and, when the events are published, lines of the log by the batch.
_STARTS = {BATCH_GET: 4, QUERY: 1, PUT: 30, BATCH_WRITE: 2}
_JOINS = {BATCH_GET: 4, QUERY: 1, PUT: 20, BATCH_WRITE: 1}
BATCHES = {
    "ten meetings start": (batch_of, _STARTS),
    "ten people join a meeting each": (batch_of_arrivals, _JOINS),
    "ten people join one meeting": (batch_of_one_meeting, _JOINS),
}
# Requests for one event, in a batch of ten.
MOST_REQUESTS = 4
# Units of somebody's arrival: two records of projections are read; an entry, a record and a line are written.
AN_EVENT = {"read": 1.0, "written": 3.0}
# Units that events of one host share in a batch: the claim, a tombstone and those of the account are half a unit each,
# and the connection, which is read consistently, is one.
OF_A_HOST = {"read": 2.5}


@dataclass(frozen=True)
class Counted:
    """What the local server has seen."""

    start: dict[str, int]
    calls: dict[str, int]
    connections: dict[str, int]
    units: dict[str, float]


def counted(functions: Any, name: str, make: Callable[[], bytes] | None = None) -> Counted:
    """Start `name` as Lambda would, let it answer once, then a few times more."""
    environment = lambda_environment(name, functions.servers, packages=functions.build.packages)
    command = [str(functions.python), "-m", "awslambdaric", "handler.handler"]
    program = Program(command, functions.build.functions / name, environment)
    event = make or event_for(name)
    assert event is not None
    functions.servers.counts(reset=True)
    with running(program) as container:
        container.invoke(event())
        first = functions.servers.counts()
        for _ in range(REPEATS):
            container.invoke(event())
        last = functions.servers.counts(reset=True)
    calls = {name: number - first["operations"].get(name, 0) for name, number in last["operations"].items()}
    units = {name: number - first["units"][name] for name, number in last["units"].items()}
    return Counted(first["operations"], {name: n for name, n in calls.items() if n}, last["connections"], units)


def assert_asked(found: dict[str, int], expected: dict[str, int]) -> None:
    """Everything is asked exactly so often. A slot may be over when the answer comes, and is then taken once more."""
    slots = expected.get(SEND_SLOT, 0)
    assert slots <= found.get(SEND_SLOT, 0) <= 2 * slots
    assert found | {SEND_SLOT: slots} == expected | {SEND_SLOT: slots}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_call_asks_for_no_more_than_it_needs(functions: Any, name: str) -> None:
    """Requests to DynamoDB, KMS, Secrets Manager, SQS and Zoom are exactly these, at the start and at steady state."""
    expected, found = EXPECTED[name], counted(functions, name)
    assert_asked(found.start, expected.start)
    assert_asked(found.calls, expected.calls)
    assert found.connections == expected.connections


@pytest.mark.parametrize("what", BATCHES)
def test_events_are_handled_by_the_batch(functions: Any, what: str) -> None:
    """A batch of deliveries goes out in one PutEvents, and asks for no more than it needs, over few connections."""
    make, asked = BATCHES[what]
    found = counted(functions, "event_processor", make)
    assert found.calls == {name: number * REPEATS for name, number in {**asked, _PUBLISH: 1}.items()}
    assert found.connections == {"DynamoDB": 13, "AWSEvents": 1}
    assert sum(asked.values()) <= MOST_REQUESTS * BATCH


def test_an_event_costs_few_units(functions: Any) -> None:
    """DynamoDB bills units by the sizes of items, and not requests. Ten people with one host join a meeting each."""
    found = counted(functions, "event_processor", batch_of_arrivals)
    events = BATCH * REPEATS
    read = AN_EVENT["read"] * events + OF_A_HOST["read"] * REPEATS
    assert found.units == {"read": read, "written": AN_EVENT["written"] * events}


def test_a_sweep_asks_once_per_shard(functions: Any) -> None:
    """Looking for what is due costs one query per shard, and one for the outbox, however many connections there are."""
    assert counted(functions, "token_refresh").calls == {QUERY: 17 * REPEATS}


def test_a_hundred_calls_use_one_connection(functions: Any) -> None:
    """TLS is shaken once per container, not once per call, and KMS opens the connection's token once."""
    environment = lambda_environment("meetings", functions.servers, packages=functions.build.packages)
    command = [str(functions.python), "-m", "awslambdaric", "handler.handler"]
    event = event_for("meetings")
    assert event is not None
    functions.servers.counts(reset=True)
    with running(Program(command, functions.build.functions / "meetings", environment)) as container:
        statuses = {json.dumps(container.invoke(event()).value["statusCode"]) for _ in range(100)}
    found = functions.servers.counts(reset=True)
    assert statuses == {"201"}
    assert found["operations"]["zoom POST"] == 100
    assert found["operations"][_DECRYPT] == 1
    assert found["connections"]["zoom"] == 1
