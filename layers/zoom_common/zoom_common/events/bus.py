"""What subscribers receive (CloudEvents 1.0, extended), and the EventBridge bus that publishes it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.errors import Unavailable


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event of one tenant. `type` is `zoom.<Zoom's name>` for Zoom's events; `time` is RFC 3339 in UTC."""

    id: str
    source: str
    type: str
    time: str
    tenant: str
    subject: str | None = None
    connection_id: str | None = None
    correlation_id: str | None = None  # of the first delivery, or of the request that caused it: for tracing
    uuid: str | None = None
    """The UUID of the instance of a meeting or webinar that the event is about."""
    sequence: str | None = None
    """Its place among the events of its meeting.

    Sorted as text, places are in the order in which events became true.
    """
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    dataref: str | None = None
    reconciled: bool = False
    """Whether it was made from Zoom's reports, because Zoom's own delivery did not arrive."""

    @property
    def detail_type(self) -> str:
        """The type without `zoom.`, as Zoom writes it. EventBridge rules match on it."""
        return self.type.removeprefix("zoom.")

    def to_json(self) -> str:
        """Return the event in CloudEvents' JSON format. Attributes without a value are left out."""
        attributes = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time,
            "datacontenttype": None if self.data is None else "application/json",
            "tenant": self.tenant,
            "connectionid": self.connection_id,
            "correlationid": self.correlation_id,
            "uuid": self.uuid,
            "sequence": self.sequence,
            "dataref": self.dataref,
            "reconciled": True if self.reconciled else None,
            "data": self.data,
        }
        present = {name: value for name, value in attributes.items() if value is not None}
        return json.dumps(present, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the event that `to_json` wrote."""
        attributes = json.loads(text)
        return cls(
            id=attributes["id"],
            source=attributes["source"],
            type=attributes["type"],
            time=attributes["time"],
            tenant=attributes["tenant"],
            subject=attributes.get("subject"),
            connection_id=attributes.get("connectionid"),
            correlation_id=attributes.get("correlationid"),
            uuid=attributes.get("uuid"),
            sequence=attributes.get("sequence"),
            data=attributes.get("data"),
            dataref=attributes.get("dataref"),
            reconciled=attributes.get("reconciled") is True,
        )

    def by_reference(self) -> CloudEvent:
        """Return the event without its data, which `GET /events/<id>` has.

        https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/dataref.md
        """
        return replace(self, data=None, dataref=f"/events/{self.id}")


# The rank of events without a place of their own among the events of one moment.
MIDDLE = 8


def event_id(source: str, owner: str, key: str) -> str:
    """Return the id of an event for one owner. It is the same for every delivery, whatever its form."""
    digest = hashlib.sha256(f"{source}\n{owner}\n{key}".encode()).hexdigest()
    return f"evt_{digest[:32]}"


def sequence_of(true_since_ms: int, event_id: str, rank: int = MIDDLE) -> str:
    """Return the `sequence` of an event: the same for two deliveries of it, and different for any two events.

    Zoom gives whole seconds. Of events of one second, the one with the lower `rank` (0 to 15) comes first. Sorted as
    text, sequences give the order, as https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/sequence.md
    requires. They do not count events.
    """
    return f"{true_since_ms:013}-{rank:x}{event_id.removeprefix('evt_')[:11]}"


def source_of(app: str) -> str:
    """Return the CloudEvents source of the Zoom app with this client id."""
    return f"/zoom/{app}"


def rfc3339(epoch_ms: int) -> str:
    """Return a time as CloudEvents requires it, in UTC with milliseconds."""
    moment = datetime.fromtimestamp(epoch_ms // 1000, UTC).replace(microsecond=epoch_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
    """Some events are not on the bus: `failed` holds their ids, `codes` EventBridge's reasons. All others are."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        super().__init__(reason="event_bus")
        self.failed = frozenset(codes)
        self.codes = tuple(sorted(set(codes.values())))


class BusPublisher:
    """Publishes to one bus. An event too large for the bus is published without its data and with a `dataref`."""

    def __init__(self, bus: str, client: EventBridgeClient, *, pause: Callable[[float], object] = time.sleep) -> None:
        self._bus = bus
        self._client = client
        self._pause = pause

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish all events and return when they are on the bus.

        Raises NotPublished after every event was tried several times.
        """
        codes: dict[str, str] = {}
        for batch in _batches([(event.id, self._entry(event)) for event in events]):
            codes |= self._put(batch)
        if codes:
            raise NotPublished(codes)

    def _put(self, batch: list[_Item]) -> dict[str, str]:
        """Return the error codes, by id, of events that are not on the bus after all tries."""
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
        """Return the error codes, by id, of events that one request did not put on the bus."""
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
