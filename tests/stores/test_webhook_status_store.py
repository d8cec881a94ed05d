"""What is known of Zoom's deliveries: the webhook's own client and the processor write it, everybody else reads it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.aws.json_client import AwsJsonClient
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.client import CHALLENGED, ENDPOINT, StatusWriter, app_status_key, rejected_at
from zoom_common.events.webhook.status import AppStatus, WebhookStatusStore

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.0


class Through:
    """The webhook's client, with boto3 for a wire: the payload is DynamoDB's own JSON."""

    def __init__(self, dynamodb: DynamoDBClient) -> None:
        self.dynamodb = dynamodb

    def call(self, target: str, payload: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        assert (target, bool(deadline)) == ("DynamoDB_20120810.UpdateItem", True)
        return dict(self.dynamodb.update_item(**payload))


@pytest.fixture
def webhook_status(dynamodb: DynamoDBClient) -> WebhookStatusStore:
    return factories.webhook_status(dynamodb, clock=lambda: NOW)


@pytest.fixture
def writer(dynamodb: DynamoDBClient, coordination_table: str) -> StatusWriter:
    return StatusWriter(coordination_table, cast("AwsJsonClient", Through(dynamodb)), clock=lambda: NOW)


def test_what_is_written_from_three_places_is_read_as_one(
    webhook_status: WebhookStatusStore, writer: StatusWriter
) -> None:
    """The webhook, the processor and the hourly look each have their attribute; another app has none of them."""
    assert webhook_status.of_app("A") == AppStatus()
    writer.note(app_status_key("A"), CHALLENGED, Deadline.after(5))
    webhook_status.verified("A", NOW - 3)
    webhook_status.remember_secrets("A", {"abc": NOW - 100})
    assert webhook_status.of_app("A") == AppStatus(NOW, NOW - 3, {"abc": NOW - 100})
    assert webhook_status.of_app("B") == AppStatus()


def test_refusals_are_kept_by_reason(webhook_status: WebhookStatusStore, writer: StatusWriter) -> None:
    """Passers-by without a signature do not hide that a secret is wrong."""
    assert webhook_status.rejections() == {}
    for reason in ("missing_header", "wrong_signature"):
        writer.note(ENDPOINT, rejected_at(reason), Deadline.after(5))
    assert webhook_status.rejections() == {"missing_header": NOW, "wrong_signature": NOW}


def test_a_delivery_from_the_dead_letters_does_not_turn_back_time(
    webhook_status: WebhookStatusStore, dynamodb: DynamoDBClient
) -> None:
    """An older delivery from the dead-letter queue does not change the time, in any container."""
    webhook_status.verified("A", NOW)
    factories.webhook_status(dynamodb, clock=lambda: NOW).verified("A", NOW - 86_400)
    assert webhook_status.of_app("A").verified_at == NOW


def test_a_container_writes_once_a_minute(webhook_status: WebhookStatusStore) -> None:
    """Every delivery would be a write too many."""
    for second in (0, 30, 59):
        webhook_status.verified("A", NOW + second)
    assert webhook_status.of_app("A").verified_at == NOW
    webhook_status.verified("A", NOW + 60)
    assert webhook_status.of_app("A").verified_at == NOW + 60


def test_what_is_known_of_secrets_is_replaced(
    webhook_status: WebhookStatusStore, writer: StatusWriter, dynamodb: DynamoDBClient, coordination_table: str
) -> None:
    """The rest of what is stored of the app stays; all of it leaves four months after the last of it."""
    writer.note(app_status_key("A"), CHALLENGED, Deadline.after(5))
    for since in ({"abc": NOW - 100, "def": NOW}, {"def": NOW}):
        webhook_status.remember_secrets("A", since)
    assert webhook_status.of_app("A") == AppStatus(NOW, None, {"def": NOW})
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(int(NOW) + 120 * 86_400)}


def test_a_table_that_does_not_answer() -> None:
    """Nothing depends on a verified delivery being noted; whoever asks hears that there is no answer."""
    missing = factories.webhook_status(factories.away(), clock=lambda: NOW)
    missing.verified("A", NOW)
    for attempt in (
        lambda: missing.of_app("A"),
        missing.rejections,
        lambda: missing.remember_secrets("A", {}),
    ):
        with pytest.raises(Unavailable):
            attempt()
