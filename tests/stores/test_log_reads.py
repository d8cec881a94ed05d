"""How the event log reads an entry: strongly consistent, because what was just written decides what happens next."""

from __future__ import annotations

from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories

pytestmark = pytest.mark.aws


def test_an_entry_is_read_as_it_was_last_written(dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica that lags would show an event as unknown that another worker has claimed.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
    """
    read, asked = dynamodb.get_item, list[dict[str, Any]]()

    def noted(**named: Any) -> Any:
        asked.append(named)
        return read(**named)

    monkeypatch.setattr(dynamodb, "get_item", noted)
    assert factories.event_log(dynamodb, clock=lambda: 1_790_000_000.0).get("acme", "evt_1") is None
    assert [each["ConsistentRead"] for each in asked] == [True]
