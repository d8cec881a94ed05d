"""The vault's queues, its events and its wiring, against moto."""

from __future__ import annotations

import json

import pytest

from tests.fakes.connections import START, connection
from zoom_common.aws import clients
from zoom_common.connections.access_tokens import RefreshFunction
from zoom_common.connections.model import State, state_changed
from zoom_common.connections.queues import RefreshQueue
from zoom_common.errors import InternalError
from zoom_common.events.connection_events import to_event
from zoom_common.wiring import vault
from zoom_common.wiring.vault import OAuthSettings, TokenRefreshSettings

pytestmark = pytest.mark.aws

ENVIRON = {
    "CONNECTIONS_TABLE": "connections",
    "COORDINATION_TABLE": "coordination",
    "DATA_KEY_ID": "data-key",
    "REFRESH_KEY_ID": "refresh-key",
    "ZOOM_APP_SECRET_ARN": "arn",
    "PUBLIC_BASE_URL": "http://localhost:3000/",
    "REFRESH_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/refresh",
    "ESCROW_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/escrow",
}


def test_due_connections_travel_by_queue() -> None:
    """A message for each, in as many requests as it takes."""
    sqs = clients.boto3_client("sqs")
    url = sqs.create_queue(QueueName="refresh")["QueueUrl"]
    assert RefreshQueue(sqs, url).enqueue([("acme", f"con_{number}") for number in range(12)]) == 12
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert {json.loads(message["Body"])["action"] for message in received} == {"refresh"}


def test_a_queue_that_is_not_there() -> None:
    """A fault of ours, and by name."""
    with pytest.raises(InternalError):
        RefreshQueue(clients.boto3_client("sqs"), ENVIRON["REFRESH_QUEUE_URL"]).enqueue([("acme", "con_1")])


def test_a_function_that_is_not_there() -> None:
    """A call that needs a refresh fails as a fault of ours."""
    function = RefreshFunction(clients.client("lambda"), "nowhere")
    with pytest.raises(InternalError):
        function.refresh(connection(), wait=1)
    with pytest.raises(InternalError):
        function.touch(connection())


def test_changes_are_events_with_an_id_of_their_own() -> None:
    """The same change has the same id, and it says who, what and why."""
    change = state_changed(connection(), State.REAUTHORIZATION_REQUIRED, "revoked", at=START)
    event = to_event(change)
    assert (event.type, event.tenant, event.connection_id) == (
        "connection.reauthorization_required",
        "acme",
        "con_1",
    )
    assert event.id == to_event(change).id
    assert event.data is not None
    assert (event.data["previous_state"], event.data["reason"]) == ("connected", "revoked")


def test_both_functions_wire_up() -> None:
    """From their settings alone, without a call to anything."""
    settings = OAuthSettings.from_env(ENVIRON | {"RETURN_URLS": " https://a.example , ,http://b.example:1"})
    assert settings.redirect_uri == "http://localhost:3000/auth/zoom/callback"
    assert settings.return_urls == ("https://a.example", "http://b.example:1")
    assert vault.linked(settings)
    assert vault.refreshing(TokenRefreshSettings.from_env(ENVIRON))
