"""Puts CloudEvents on the EventBridge bus.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html : up to ten entries and 1 MB a request,
counted in UTF-8 bytes, and each entry succeeds or fails by itself in an answer that is a success either way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.errors import Unavailable
from zoom_common.events.envelope import CloudEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "zoom-gateway"
MOST_ENTRIES = 10
LARGEST_REQUEST = 1_000_000

_PAUSES = (0.1, 0.4)
_PASSING = frozenset({"InternalFailure", "ThrottlingException"})


class NotPublished(Unavailable):
    """Some events are not on the bus: `failed` holds their ids, `codes` EventBridge's reasons. The others are."""

    def __init__(self, failed: Sequence[str], codes: Sequence[str]) -> None:
        super().__init__(reason="event_bus")
        self.failed = tuple(failed)
        self.codes = tuple(sorted(set(codes)))


class BusPublisher:
    """Publishes to one bus. An event too large for the bus goes without its data and with a `dataref` instead."""

    def __init__(self, bus: str, client: EventBridgeClient, *, pause: Callable[[float], object] = time.sleep) -> None:
        self._bus = bus
        self._client = client
        self._pause = pause

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Return once every event is on the bus. Raises NotPublished, after every event had its tries."""
        failed: list[str] = []
        codes: list[str] = []
        for batch in _batches([(event.id, self._entry(event)) for event in events]):
            for name, code in self._put(batch):
                failed.append(name)
                codes.append(code)
        if failed:
            raise NotPublished(failed, codes)

    def _put(self, batch: list[tuple[str, PutEventsRequestEntryTypeDef]]) -> list[tuple[str, str]]:
        """Ids and error codes of what is not on the bus after all tries."""
        refused: list[tuple[str, str]] = []
        for pause in (*_PAUSES, None):
            outcome = self._put_once(batch)
            refused += [(name, code) for (name, _), code in outcome if code not in _PASSING]
            batch = [item for item, code in outcome if code in _PASSING]
            if not batch or pause is None:
                return refused + [(name, code) for (name, _), code in outcome if code in _PASSING]
            self._pause(pause)
        return refused

    def _put_once(
        self, batch: list[tuple[str, PutEventsRequestEntryTypeDef]]
    ) -> list[tuple[tuple[str, PutEventsRequestEntryTypeDef], str]]:
        """The items that failed, each with its error code."""
        try:
            answer = self._client.put_events(Entries=[entry for _, entry in batch])
        except ClientError as error:
            return [(item, error.response.get("Error", {}).get("Code", "ClientError")) for item in batch]
        except BotoCoreError:
            return [(item, "Unreachable") for item in batch]
        if not answer["FailedEntryCount"]:
            return []
        codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
        return [(item, code) for item, code in zip(batch, codes, strict=True) if code]

    def _entry(self, event: CloudEvent) -> PutEventsRequestEntryTypeDef:
        entry = self._entry_of(event)
        return entry if _size(entry) < LARGEST_REQUEST else self._entry_of(event.by_reference())

    def _entry_of(self, event: CloudEvent) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": event.detail_type,
            "Detail": event.to_json(),
        }


def _batches(
    items: Sequence[tuple[str, PutEventsRequestEntryTypeDef]],
) -> Iterator[list[tuple[str, PutEventsRequestEntryTypeDef]]]:
    batch: list[tuple[str, PutEventsRequestEntryTypeDef]] = []
    size = 0
    for item in items:
        if batch and (len(batch) == MOST_ENTRIES or size + _size(item[1]) >= LARGEST_REQUEST):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += _size(item[1])
    if batch:
        yield batch


def _size(entry: PutEventsRequestEntryTypeDef) -> int:
    parts = (entry.get("Source"), entry.get("DetailType"), entry.get("Detail"))
    return sum(len(part.encode()) for part in parts if part)
