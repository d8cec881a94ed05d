"""The sweep, its schedule and its queue."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import count, islice
from typing import Any

from tests.fakes.aws_services import FakeSqs
from tests.fakes.connection_stores import Memory, MemoryRefresh
from tests.fakes.connections import START, connection
from tests.fakes.dynamodb import size_of
from zoom_common.aws.items import to_item
from zoom_common.connections.model import Connection
from zoom_common.connections.queues import RefreshQueue, from_message, to_message
from zoom_common.connections.refresh.effects import SealedPair
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.refresh.runner import sweep
from zoom_common.connections.store import SHARDS, due_shard, to_values
from zoom_common.deadline import Deadline

DAY = 86_400


class Index(MemoryRefresh):
    """The index `due` in pages of two; counts the queries."""

    def __init__(self, due: Iterable[Connection]) -> None:
        super().__init__(Memory())
        for each in due:
            self.memory.put(each)
            self.memory.dynamodb.largest_page = size_of(to_item(to_values(each)))
        self.queries = 0

    def due(self, shard: str, *, now: float, after: dict[str, Any] | None = None) -> tuple[list[tuple[str, str]], Any]:
        assert now == START
        self.queries += 1
        return super().due(shard, now=now, after=after)


def test_everything_due_is_handed_out() -> None:
    """Every page of every shard, one message for each connection, spread over the delay."""
    ids = (f"con_{number:04}" for number in count())
    due = [connection(connection_id=each) for each in islice((each for each in ids if due_shard(each) == "03"), 25)]
    other = next(each for each in ids if due_shard(each) == "15")
    sqs, index = FakeSqs(), Index([*due, connection(tenant="beta", connection_id=other)])
    handed_out = sweep(
        index, RefreshQueue(sqs.client(), "refresh"), clock=lambda: START, deadline=Deadline.after(60), spread=60
    )
    assert handed_out == 26
    assert index.queries == SHARDS - 1 + 13
    messages = [json.loads(body) for body in sqs.bodies]
    assert messages[-1] == {"action": "refresh", "tenant": "beta", "connection_id": other}
    assert all(0 <= delay < 60 for delay in sqs.delays)


def test_a_sweep_stops_in_time() -> None:
    """What is left is what the next one finds first."""
    index = Index([connection()])
    assert sweep(index, RefreshQueue(FakeSqs().client(), "q"), clock=lambda: START, deadline=Deadline.after(0)) == 0
    assert index.queries == 0


def test_a_batch_is_ten() -> None:
    """SQS takes no more in one request."""
    sqs = FakeSqs()
    assert RefreshQueue(sqs.client(), "q").enqueue([("acme", str(number)) for number in range(21)], delay=60) == 21
    assert sqs.delays[:10] == [0, 6, 12, 18, 24, 30, 36, 42, 48, 54]


def test_active_connections_are_due_before_their_token_ends() -> None:
    """Between 12 and 18 minutes ahead, spread."""
    policy = Policy()
    due = [
        policy.due_at(now=START, last_used_at=START - DAY / 2, expires_at=START + 3600, issued_at=START, chance=chance)
        for chance in (0.0, 0.999)
    ]
    assert due[0] == START + 3600 - 720
    assert START + 3600 - 1081 < due[1] < START + 3600 - 1078


def test_dormant_connections_are_kept_alive() -> None:
    """Well before the 90 days of a refresh token."""
    policy = Policy()
    due = [
        policy.due_at(now=START, last_used_at=START - 2 * DAY, expires_at=START + 3600, issued_at=START, chance=chance)
        for chance in (0.0, 0.999)
    ]
    assert due[0] == START + 60 * DAY
    assert START + 53 * DAY < due[1] < START + 55 * DAY


def test_the_lease_covers_two_requests_and_the_writes() -> None:
    """Or a second worker could ask Zoom while the first still may."""
    policy = Policy()
    assert policy.lease >= 2 * policy.request + policy.retry_pause * 2 + policy.reserve + policy.patience
    assert policy.cool_down(1, chance=0.5) == 30
    assert policy.cool_down(100, chance=0.5) == 900


def test_a_pair_survives_escrow() -> None:
    """Every field, and the message is JSON with nothing readable in it."""
    pair = SealedPair(
        tenant="acme",
        connection_id="con_1",
        grant_id="g",
        seen_version=3,
        attempt="a",
        sealed_access=b"\x00\xff",
        sealed_refresh=b"\x01",
        used_refresh=b"",
        tried=("s1",),
        access_expires_at=START,
        issued_at=START,
        scopes=frozenset({"b", "a"}),
        api_url=None,
        state_changed_at=START,
        last_used_at=None,
        due_at=START,
    )
    assert from_message(json.loads(json.dumps(to_message(pair)))) == pair
    assert "unproven" not in to_message(pair)  # a release before it was kept reads the message as well
    unproven = replace(pair, unproven=True)
    assert from_message(json.loads(json.dumps(to_message(unproven)))) == unproven


def test_an_operators_limits() -> None:
    """How long a connection counts as used, and how old an unused grant may grow."""
    policy = Policy.of(keep_warm_hours=1, keep_alive_days=30)
    times = {"expires_at": START + 3600, "issued_at": START, "chance": 0.5}
    assert policy.due_at(now=START, last_used_at=START - 1800, **times) == START + 2700
    assert policy.due_at(now=START, last_used_at=START - 7200, **times) == START + 30 * 86_400 * 0.95
