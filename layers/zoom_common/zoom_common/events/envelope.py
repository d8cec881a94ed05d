"""What subscribers receive: CloudEvents 1.0 with extensions.

The extensions are `tenant`, `connectionid`, `correlationid`, `reconciled`, and for events about a meeting or webinar
`uuid` and `sequence`: https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/sequence.md
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self


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
    """Of the instance of a meeting or webinar that it is about."""
    sequence: str | None = None
    """Its place among the events of its meeting: sorted as text, in the order in which they became true."""
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    dataref: str | None = None
    reconciled: bool = False
    """Whether it was made from what Zoom reports, because Zoom's own delivery did not come."""

    @property
    def detail_type(self) -> str:
        """What EventBridge rules match on: the type without `zoom.`, as Zoom writes it."""
        return self.type.removeprefix("zoom.")

    def to_json(self) -> str:
        """The event in CloudEvents' JSON format; attributes without a value are left out."""
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
        """The event that `to_json` wrote."""
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
        """The event without its data, which `GET /events/<id>` has.

        https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/dataref.md
        """
        return replace(self, data=None, dataref=f"/events/{self.id}")


def event_id(source: str, owner: str, key: str) -> str:
    """The id of one event for one owner: the same however often and in whatever form it is delivered."""
    digest = hashlib.sha256(f"{source}\n{owner}\n{key}".encode()).hexdigest()
    return f"evt_{digest[:32]}"


def sequence_of(true_since_ms: int, event_id: str) -> str:
    """The `sequence` of an event: equal for two deliveries of it, and for no two events. It has no numbers to count."""
    return f"{true_since_ms:013}-{event_id.removeprefix('evt_')[:12]}"


def source_of(app: str) -> str:
    """The CloudEvents source of what the Zoom app with this client id delivers."""
    return f"/zoom/{app}"


def rfc3339(epoch_ms: int) -> str:
    """A moment as CloudEvents wants it, in UTC with milliseconds."""
    moment = datetime.fromtimestamp(epoch_ms // 1000, UTC).replace(microsecond=epoch_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
