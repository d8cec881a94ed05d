"""Which reads of DynamoDB are strongly consistent: all but those of an index, which has no such reads.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from zoom_common.aws.table import Table
from zoom_common.erasure.removal import WholeTable

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


class Client:
    """A DynamoDB client that keeps each request and finds nothing."""

    exceptions = SimpleNamespace()

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def send(**named: Any) -> dict[str, Any]:
            self.asked.append(named)
            return {"Items": [], "Responses": {}}

        return send


READS: dict[str, Callable[[Table], object]] = {
    "an item": lambda table: table.get("a", "b"),
    "a partition": lambda table: table.query("pk = :pk", {"pk": "a"}),
    "an item of an erasure": lambda table: WholeTable(table).get(("a", "b")),
    "a page of an erasure": lambda table: WholeTable(table).page(None),
    "a further page of an erasure": lambda table: WholeTable(table).page(("a", "b")),
    "a partition of an erasure": lambda table: WholeTable(table).sort_keys("a"),
}


def asked_by(read: Callable[[Table], object]) -> dict[str, Any]:
    """Return the request of a read."""
    client: Any = Client()
    read(Table(client, "t", "away"))
    (request,) = client.asked
    found: dict[str, Any] = request
    return found


@pytest.mark.parametrize("read", READS)
def test_a_read_sees_the_last_write(read: str) -> None:
    """Else a condition would be made from what has been overwritten already."""
    request = asked_by(READS[read])
    assert request["ConsistentRead"] is True
    assert request["TableName"] == "t"


def test_items_by_their_keys_are_read_as_last_written() -> None:
    """The request asks for consistent reads for its table."""
    request = asked_by(lambda table: list(table.batch_get([KEY])))
    assert request == {"RequestItems": {"t": {"Keys": [KEY], "ConsistentRead": True}}}


def test_an_index_is_read_without_it() -> None:
    """DynamoDB refuses a consistent read of a global index."""
    request = asked_by(lambda table: table.query("x = :x", {"x": "a"}, index="due"))
    assert "ConsistentRead" not in request
    assert request["IndexName"] == "due"
