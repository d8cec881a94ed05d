"""What a sweep reads: as much as is due, however much there is."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.aws_services import FakeSqs
from tests.fakes.connections import START, connection
from zoom_common.aws.items import to_item
from zoom_common.aws.table import Table
from zoom_common.connections.queues import RefreshQueue
from zoom_common.connections.refresh.runner import sweep
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import SHARDS, due_shard, to_values
from zoom_common.deadline import Deadline

pytestmark = pytest.mark.aws

DUE = 200


class Index:
    """The index `due` as DynamoDB keeps it: a shard's entries in order, of which a query reads a range and no more."""

    def __init__(self, existing: int) -> None:
        self.shards: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self.queries = self.read = 0
        for number in range(existing):
            name = f"con_{number}"
            self.shards[due_shard(name)].append((due_at(number), name))
        for entries in self.shards.values():
            entries.sort()

    def query(self, **request: Any) -> dict[str, Any]:
        assert request["IndexName"] == "due"
        assert "FilterExpression" not in request  # a filter would read what it then drops
        values = request["ExpressionAttributeValues"]
        entries = self.shards[values[":shard"]["S"]]
        found = entries[: bisect_right(entries, (float(values[":now"]["N"]), "~"))]
        self.queries, self.read = self.queries + 1, self.read + len(found)
        return {"Items": [to_item({"pk": "acme#connections", "sk": name}) for _, name in found]}


class Counting:
    """moto's DynamoDB, counting what its queries read."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client, self.queries, self.read = client, 0, 0

    def query(self, **request: Any) -> Any:
        answer = self.client.query(**request)
        self.queries += 1
        self.read += answer["ScannedCount"]
        return answer


def due_at(number: int) -> float:
    return START - 60 - number if number < DUE else START + 60 + number


def swept(dynamodb: Any, table: str) -> list[str]:
    queue = FakeSqs()
    workers = RefreshQueue(queue.client(), "refresh")
    found = sweep(RefreshStore(Table(dynamodb, table)), workers, clock=lambda: START, deadline=Deadline.after(1000))
    assert found == len(queue.bodies)
    return queue.bodies


@pytest.mark.parametrize("existing", [1_000, 100_000])
def test_a_sweep_reads_what_is_due(existing: int) -> None:
    """A thousand connections or a hundred thousand, 200 due: 200 entries read, in 16 queries, 200 messages."""
    index = Index(existing)
    assert len(set(swept(index, "connections"))) == DUE
    assert (index.read, index.queries) == (DUE, SHARDS)


def test_the_query_is_one_that_dynamodb_answers_by_range(dynamodb: DynamoDBClient, connections_table: str) -> None:
    """Against moto: of four hundred connections in the table, the sweep's queries read the 200 that are due."""
    with_index = Table(dynamodb, connections_table)
    for number in range(400):
        with_index.put(to_values(connection(connection_id=f"con_{number}", due_at=due_at(number))))
    counting = Counting(dynamodb)
    assert len(set(swept(counting, connections_table))) == DUE
    assert (counting.read, counting.queries) == (DUE, SHARDS)
