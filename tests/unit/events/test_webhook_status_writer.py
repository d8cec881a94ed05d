"""Noting what only the webhook hears of."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.events import NOW, Clock
from zoom_common.aws.json_client import AwsCallFailed, AwsJsonClient
from zoom_common.deadline import Deadline
from zoom_common.events.webhook.client import StatusWriter


class Client:
    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.made: list[tuple[str, dict[str, Any], float]] = []

    def call(self, target: str, payload: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        self.made.append((target, payload, deadline.remaining()))
        if self.down:
            raise AwsCallFailed("dynamodb", "unreachable")
        return {}


def writer(client: Client, clock: Clock) -> StatusWriter:
    return StatusWriter("coordination", cast("AwsJsonClient", client), clock=clock)


def until(seconds: float) -> Deadline:
    return Deadline(seconds, clock=lambda: 0.0)


def test_a_note_is_one_attribute_of_one_item() -> None:
    """Whatever else is known stays; the item outlives the longest quiet."""
    client = Client()
    writer(client, Clock()).note("app#A", "challenged_at", until(9.0))
    [(target, payload, _)] = client.made
    assert (target, payload["Key"]) == (
        "DynamoDB_20120810.UpdateItem",
        {"pk": {"S": "heartbeat#webhook"}, "sk": {"S": "app#A"}},
    )
    assert payload["UpdateExpression"] == "SET #what = :now, expires_at = :end"
    assert payload["ExpressionAttributeNames"] == {"#what": "challenged_at"}
    assert payload["ExpressionAttributeValues"][":now"] == {"N": f"{NOW:.0f}"}


@pytest.mark.parametrize("down", [False, True])
def test_a_flood_of_forgeries_is_one_note_a_minute(*, down: bool) -> None:
    """Also while the table cannot be reached; another kind of note does not wait for it."""
    client, clock = Client(down=down), Clock()
    notes = writer(client, clock)
    for _ in range(100):
        notes.note("endpoint", "rejected_wrong_signature_at", until(9.0))
    notes.note("app#A", "challenged_at", until(9.0))
    assert len(client.made) == 2
    clock.now += 60
    notes.note("endpoint", "rejected_wrong_signature_at", until(9.0))
    assert len(client.made) == 3


@pytest.mark.parametrize(("left", "given"), [(2.5, 0.6), (0.2, 0.2)])
def test_zoom_does_not_wait_for_a_note(left: float, given: float) -> None:
    """It gets what is left of the answer's time, and never more than a fraction of it."""
    client = Client()
    writer(client, Clock()).note("app#A", "challenged_at", until(left))
    assert client.made[0][2] == pytest.approx(given)
