"""Under which id the processor handles a message."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.events import plenty
from zoom_common import observability
from zoom_common.events.processor import EventProcessor


@pytest.mark.parametrize(("request_id", "taken"), [("request-1", "request-1"), ("", "message-1"), ("a b", "message-1")])
def test_a_message_is_handled_under_the_webhooks_request_id(request_id: str, taken: str) -> None:
    """The webhook's and the processor's lines have one id; without one that is fit for a log, the message's."""
    attributes = {"app": "App", "encoding": "text", "received_at": "1", "request_id": request_id}
    record = {
        "messageId": "message-1",
        "body": "no JSON",
        "messageAttributes": {name: {"stringValue": value} for name, value in attributes.items()},
    }
    nothing: Any = None
    ids: list[str] = []
    processor = EventProcessor(
        log=nothing,
        connections=nothing,
        hosts=nothing,
        projections=nothing,
        publisher=nothing,
        redaction=nothing,
        count=lambda *_, **__: None,
        report=lambda *_, **__: ids.append(observability.correlation_id()),
    )
    assert processor.process([record], plenty()) == ["message-1"]
    assert (ids, observability.correlation_id()) == ([taken], "")
