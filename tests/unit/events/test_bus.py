"""Publishing to EventBridge."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from mypy_boto3_events import EventBridgeClient

from zoom_common.events.bus import BusPublisher, CloudEvent, NotPublished


class EventBridge:
    """Answers PutEvents from a script: one error code or None for each entry, or an error for the request."""

    def __init__(self, *script: list[str | None] | Exception) -> None:
        self.script = list(script)
        self.requests: list[list[dict[str, Any]]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's spelling
        self.requests.append(Entries)
        step = self.script.pop(0) if self.script else [None] * len(Entries)
        if isinstance(step, Exception):
            raise step
        assert len(step) == len(Entries)
        return {
            "FailedEntryCount": sum(code is not None for code in step),
            "Entries": [{"ErrorCode": code} if code else {"EventId": "1"} for code in step],
        }

    def ids(self) -> list[list[str]]:
        return [[json.loads(entry["Detail"])["id"] for entry in request] for request in self.requests]


def events(count: int, size: int = 0) -> list[CloudEvent]:
    return [
        CloudEvent(id=f"e{n}", source="s", type="zoom.a.b", time="t", tenant="acme", data={"x": "é" * (size // 2)})
        for n in range(count)
    ]


def publisher(bridge: EventBridge, pauses: list[float] | None = None) -> BusPublisher:
    return BusPublisher("bus", cast("EventBridgeClient", bridge), pause=(pauses if pauses is not None else []).append)


def test_an_entry_carries_the_cloudevent() -> None:
    """Rules match on source and detail type; the detail is what subscribers get."""
    bridge = EventBridge()
    publisher(bridge).publish(events(1))
    ((entry,),) = bridge.requests
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("bus", "zoom-gateway", "a.b")
    assert CloudEvent.from_json(entry["Detail"]) == events(1)[0]


def test_nothing_to_publish_is_no_request() -> None:
    """PutEvents refuses an empty list."""
    bridge = EventBridge()
    publisher(bridge).publish([])
    assert bridge.requests == []


def test_a_request_has_ten_entries_at_most() -> None:
    """More events are more requests."""
    bridge = EventBridge()
    publisher(bridge).publish(events(23))
    assert [len(request) for request in bridge.requests] == [10, 10, 3]


def test_a_request_stays_within_its_size() -> None:
    """Counted in bytes of UTF-8, not in characters."""
    bridge = EventBridge()
    publisher(bridge).publish(events(3, size=400_000))
    assert [len(request) for request in bridge.requests] == [2, 1]


def test_an_event_too_large_for_the_bus_goes_by_reference() -> None:
    """The subscriber learns of it and fetches its data."""
    bridge = EventBridge()
    publisher(bridge).publish(events(1, size=1_000_000))
    detail = json.loads(bridge.requests[0][0]["Detail"])
    assert (detail["id"], detail["dataref"]) == ("e0", "/events/e0")
    assert "data" not in detail


def test_a_success_with_failed_entries_is_none() -> None:
    """What failed for now is tried again after a pause, and only that."""
    bridge = EventBridge([None, "ThrottlingException", "InternalFailure"], [None, "InternalFailure"], [None])
    pauses: list[float] = []
    publisher(bridge, pauses).publish(events(3))
    assert bridge.ids() == [["e0", "e1", "e2"], ["e1", "e2"], ["e2"]]
    assert pauses == [0.1, 0.4]


def test_what_is_not_published_is_named() -> None:
    """A permanent fault is not tried again, a passing one three times; the others are on the bus."""
    bridge = EventBridge([None, "MalformedDetail", "InternalFailure"], ["InternalFailure"], ["InternalFailure"])
    with pytest.raises(NotPublished) as caught:
        publisher(bridge).publish(events(3))
    assert set(caught.value.failed) == {"e1", "e2"}
    assert caught.value.codes == ("InternalFailure", "MalformedDetail")
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "PutEvents"),
            "AccessDeniedException",
        ),
        (EndpointConnectionError(endpoint_url="https://x"), "Unreachable"),
    ],
)
def test_a_failed_request_fails_its_entries_only(error: Exception, code: str) -> None:
    """Other requests of the same call go on."""
    bridge = EventBridge(error)
    with pytest.raises(NotPublished) as caught:
        publisher(bridge).publish(events(11))
    assert len(caught.value.failed) == 10
    assert caught.value.codes == (code,)
    assert bridge.ids()[-1] == ["e10"]
