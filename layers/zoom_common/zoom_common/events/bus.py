"""Puts CloudEvents on the EventBridge bus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.errors import Unavailable
from zoom_common.events.envelope import CloudEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    type _Item = tuple[str, PutEventsRequestEntryTypeDef]

SOURCE = "zoom-gateway"
MOST_ENTRIES = 10
LARGEST_REQUEST = 1_000_000

_PAUSES = (0.1, 0.4)
_PASSING = frozenset({"InternalFailure", "ThrottlingException"})


class NotPublished(Unavailable):
    """Some events are not on the bus: `failed` holds their ids, `codes` EventBridge's reasons. The others are."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        super().__init__(reason="event_bus")
        self.failed = frozenset(codes)
        self.codes = tuple(sorted(set(codes.values())))


class BusPublisher:
    """Publishes to one bus. An event too large for the bus goes without its data and with a `dataref` instead."""

    def __init__(self, bus: str, client: EventBridgeClient, *, pause: Callable[[float], object] = time.sleep) -> None:
        self._bus = bus
        self._client = client
        self._pause = pause

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Return once every event is on the bus. Raises NotPublished, after every event had its tries."""
        codes: dict[str, str] = {}
        for batch in _batches([(event.id, self._entry(event)) for event in events]):
            codes |= self._put(batch)
        if codes:
            raise NotPublished(codes)

    def _put(self, batch: list[_Item]) -> dict[str, str]:
        """Error codes by id, of what is not on the bus after all tries."""
        codes: dict[str, str] = {}
        for pause in (*_PAUSES, None):
            failed = self._put_once(batch)
            codes = {name: code for name, code in codes.items() if code not in _PASSING} | failed
            batch = [item for item in batch if failed.get(item[0]) in _PASSING]
            if not batch or pause is None:
                break
            self._pause(pause)
        return codes

    def _put_once(self, batch: list[_Item]) -> dict[str, str]:
        """Error codes by id, of what one request did not put on the bus."""
        try:
            answer = self._client.put_events(Entries=[entry for _, entry in batch])
        except ClientError as error:
            return dict.fromkeys(
                (name for name, _ in batch), error.response.get("Error", {}).get("Code", "ClientError")
            )
        except BotoCoreError:
            return dict.fromkeys((name for name, _ in batch), "Unreachable")
        if not answer["FailedEntryCount"]:
            return {}
        codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
        return {name: code for (name, _), code in zip(batch, codes, strict=True) if code}

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


def _batches(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    batch: list[_Item] = []
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
