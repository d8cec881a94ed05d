"""The event log's entries, and their items in the Events table."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from zoom_common.events.bus import CloudEvent

# Owners that are no tenant, because a tenant's id has no dot. What they own was not published.
_UNROUTED = "unrouted."

_MALFORMED = "malformed."


@dataclass(frozen=True, slots=True)
class LogEntry:
    """`content` is the CloudEvent as published, or Zoom's body where none was published. Times in epoch milliseconds.

    `key` is the dedupe key that `event_id` was made from, `connection_id` the connection it came by.
    """

    owner: str
    event_id: str
    key: str
    app: str
    type: str
    received_at_ms: int
    occurred_at_ms: int | None = None
    subject: str | None = None
    connection_id: str | None = None
    uuid: str | None = None
    """Of the instance of a meeting or webinar that it is about."""
    request_id: str = ""
    content: bytes = field(default=b"", repr=False)
    recorded_at_ms: int = field(default=0, compare=False)
    """When it was claimed: the place of its line. 0 before it is admitted, and in entries of an older release."""

    @property
    def cloud_event(self) -> CloudEvent:
        """The event as published; only of what belongs to a tenant."""
        return CloudEvent.from_json(self.content)

    @property
    def unrouted(self) -> bool:
        """Whether it is an event without a tenant."""
        return self.owner.startswith(_UNROUTED)

    @property
    def malformed(self) -> bool:
        """Whether it is signed by Zoom and not readable."""
        return self.owner.startswith(_MALFORMED)


class Admission(StrEnum):
    """What came of trying to admit an event."""

    ADMITTED = "admitted"  # ours to finish, from the entry given back
    IN_PROGRESS = "in_progress"  # another worker's, until its claim runs out
    FINISHED = "finished"  # done before: a duplicate


@dataclass(frozen=True, slots=True)
class Admitted:
    """The outcome, with the entry of the first delivery when it is ours to finish."""

    outcome: Admission
    entry: LogEntry | None = None


def unrouted(app: str) -> str:
    """The owner of the events of `app` that have no tenant."""
    return _UNROUTED + app


def app_of_unpublished(owner: str) -> str | None:
    """Return the app of an owner that is no tenant; None for a tenant."""
    app = owner.removeprefix(_UNROUTED).removeprefix(_MALFORMED)
    return None if app == owner else app


def malformed(app: str) -> str:
    """The owner of what `app` signed and cannot be parsed."""
    return _MALFORMED + app


Item = dict[str, Any]

LARGEST_PART = 350_000  # an item may have 400 KB, names included

# A line is visible so soon after the arrival of most events that it serves to list them by arrival too. Other events,
# from a backlog or a dead-letter queue, have a second line. Two containers' clocks may differ.
NEAR_MS = 10_000
EARLY_MS = 5_000

# DynamoDB bills writes by the KB. A small event shrinks to a third when it is deflated with this text of members that
# many events have, and to two thirds without: https://docs.python.org/3.13/library/zlib.html#zlib.compressobj
# Stored entries name it by number: a better one has to be a second one.
_DICTIONARY = (
    b'"settings":{"registration_type":"recurrence":{"occurrences":[{"occurrence_id":"password":"join_url":"https://'
    b'"recording_files":[{"recording_start":"recording_end":"file_type":"MP4","file_size":"play_url":"download_url":'
    b'"status":"completed","recording_type":"shared_screen_with_speaker_view"}],"share_url":"total_size":'
    b'"recording_count":"operator":"operator_id":"operation":"all","old_object":{"time_stamp":"scope":"single"'
    b'"registrant":{"first_name":"last_name":"create_time":"type":"zoom.recording.completed"'
    b'"type":"zoom.meeting.created""type":"zoom.meeting.updated""type":"zoom.meeting.deleted""type":"zoom.webinar.'
    b'"type":"zoom.user.updated""dept":"display_name":"type":"zoom.meeting.participant_left"'
    b'"leave_time":"leave_reason":"date_time":"type":"zoom.meeting.ended""end_time":"'
    b'{"specversion":"1.0","id":"evt_","source":"/zoom/","type":"zoom.meeting.started","subject":"meetings/'
    b'"type":"zoom.meeting.participant_joined","subject":"meetings/","time":"2027-01-01T00:00:00.000Z",'
    b'"datacontenttype":"application/json","tenant":"","connectionid":"con_","correlationid":"","uuid":"==",'
    b'"sequence":"18","data":{"event":"meeting.started","payload":{"account_id":"","object":{"duration":60,'
    b'"start_time":"2027-01-01T00:00:00Z","timezone":"America/Los_Angeles","topic":"My Meeting","id":"8",'
    b'"type":2,"uuid":"==","host_id":"","host_email":"participant":{"user_id":"167","user_name":"","id":"",'
    b'"participant_uuid":"","participant_user_id":"","registrant_id":"","customer_key":"","phone_number":"",'
    b'"join_time":"2027-01-01T00:00:00Z","email":"@example.com","public_ip":"private_ip":"}}},"event_ts":18'
    b'"event":"meeting.participant_joined","payload":'
)


def entry_key(owner: str, event_id: str) -> Item:
    """The key of an entry."""
    return {"pk": {"S": f"{owner}#event#{event_id}"}, "sk": {"S": "event"}}


def day_partition(owner: str, day: date) -> str:
    """Where an owner's log of one day (UTC, of arrival) is."""
    return f"{owner}#events#{day.isoformat()}"


def index_item(entry: LogEntry, expires_at: int) -> Item:
    """The entry's line in its owner's log of the day it arrived; see `line_items`. Older releases always wrote one."""
    day = datetime.fromtimestamp(entry.received_at_ms // 1000, UTC).date()
    return {
        "pk": {"S": day_partition(entry.owner, day)},
        "sk": {"S": f"{entry.received_at_ms:013}#{entry.event_id}"},
        "expires_at": number(expires_at),
        **_labels(entry),
    }


def recorded_partition(owner: str, day: date) -> str:
    """Where an owner's log of one day (UTC) is in the order in which its lines became visible."""
    return f"{owner}#recorded#{day.isoformat()}"


def recorded_key(owner: str, event_id: str, recorded_at_ms: int) -> Item:
    """The key of an entry's line in the order in which lines became visible."""
    day = datetime.fromtimestamp(recorded_at_ms // 1000, UTC).date()
    return {"pk": {"S": recorded_partition(owner, day)}, "sk": {"S": f"{recorded_at_ms:013}#{event_id}"}}


def recorded_item(entry: LogEntry, recorded_at_ms: int, expires_at: int, done_at: int) -> Item:
    """The entry's line in the order in which lines became visible. `done_at` says that the event is finished."""
    return {
        **recorded_key(entry.owner, entry.event_id, recorded_at_ms),
        "received_at_ms": number(entry.received_at_ms),
        "expires_at": number(expires_at),
        "done_at": number(done_at),
        **_labels(entry),
    }


def is_near(received_at_ms: int, recorded_at_ms: int) -> bool:
    """Return whether an event that arrived and was recorded then needs no second line to be listed by arrival."""
    return -EARLY_MS <= recorded_at_ms - received_at_ms <= NEAR_MS


def line_items(entry: LogEntry, recorded_at_ms: int, expires_at: int, done_at: int) -> list[Item]:
    """The entry's line, and one by arrival where the two moments are far apart."""
    lines = [recorded_item(entry, recorded_at_ms, expires_at, done_at)]
    return lines if is_near(entry.received_at_ms, recorded_at_ms) else [*lines, index_item(entry, expires_at)]


def entry_items(
    entry: LogEntry, *, claimed_until: int, recorded_at_ms: int, expires_at: int
) -> tuple[Item, list[Item]]:
    """The entry's item, claimed, and the parts of its body to be written first, named by digest: no two bodies mix."""
    deflated = _deflate(entry.content)
    worth = len(deflated) < len(entry.content)
    body = deflated if worth else entry.content
    item = {
        **entry_key(entry.owner, entry.event_id),
        **_labels(entry),
        "key": {"S": entry.key},
        "app": {"S": entry.app},
        "received_at_ms": number(entry.received_at_ms),
        "recorded_at_ms": number(recorded_at_ms),
        "request_id": {"S": entry.request_id},
        "deflated": {"BOOL": worth},
        **({"dictionary": number(1)} if worth else {}),
        "claimed_until": number(claimed_until),
        "expires_at": number(expires_at),
    }
    if len(body) <= LARGEST_PART:
        return {**item, "body": {"B": body}}, []
    prefix = f"body#{hashlib.sha256(body).hexdigest()[:16]}#"
    parts = [
        {
            "pk": item["pk"],
            "sk": {"S": f"{prefix}{start // LARGEST_PART}"},
            "body": {"B": body[start : start + LARGEST_PART]},
            "expires_at": number(expires_at),
        }
        for start in range(0, len(body), LARGEST_PART)
    ]
    return {**item, "parts": {"L": [part["sk"] for part in parts]}}, parts


def read_entry(item: Mapping[str, Any], body: bytes) -> LogEntry:
    """The entry in an item; `body` is as stored, whole."""
    owner, _, event_id = item["pk"]["S"].rpartition("#event#")
    return LogEntry(
        owner=owner,
        event_id=event_id,
        key=item["key"]["S"],
        app=item["app"]["S"],
        type=item["type"]["S"],
        received_at_ms=int(item["received_at_ms"]["N"]),
        occurred_at_ms=int(item["occurred_at_ms"]["N"]) if "occurred_at_ms" in item else None,
        subject=item.get("subject", {}).get("S"),
        connection_id=item.get("connection_id", {}).get("S"),
        uuid=item.get("uuid", {}).get("S"),
        request_id=item["request_id"]["S"],
        content=_inflate(body, with_dictionary="dictionary" in item) if item["deflated"]["BOOL"] else body,
        recorded_at_ms=int(item["recorded_at_ms"]["N"]) if "recorded_at_ms" in item else 0,
    )


def content_of(item: Mapping[str, Any]) -> bytes:
    """The content in an entry's item with plain values; nothing in other items, and where parts have expired."""
    body: bytes = item.get("body", b"") if item["sk"] == "event" else b""
    return _inflate(body, with_dictionary="dictionary" in item) if body and item["deflated"] else body


def line_keys(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The keys of an entry's lines in the log, from the entry's item with plain values."""
    owner, _, event_id = str(item["pk"]).rpartition("#event#")
    received_at_ms = int(item["received_at_ms"])
    day = datetime.fromtimestamp(received_at_ms // 1000, UTC).date()
    keys = [(day_partition(owner, day), f"{received_at_ms:013}#{event_id}")]
    if "recorded_at_ms" in item:  # a release before this one did not write it
        recorded = recorded_key(owner, event_id, int(item["recorded_at_ms"]))
        keys.append((recorded["pk"]["S"], recorded["sk"]["S"]))
    return keys


def _deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(level=9, zdict=_DICTIONARY)
    return packer.compress(content) + packer.flush()


def _inflate(body: bytes, *, with_dictionary: bool) -> bytes:
    """Return what was deflated: by the release before without a dictionary."""
    if not with_dictionary:
        return zlib.decompress(body)
    unpacker = zlib.decompressobj(zdict=_DICTIONARY)
    return unpacker.decompress(body) + unpacker.flush()


def number(value: int) -> Item:
    """A DynamoDB number."""
    return {"N": str(value)}


def _labels(entry: LogEntry) -> Item:
    labels: Item = {"type": {"S": entry.type}}
    if entry.subject:
        labels["subject"] = {"S": entry.subject}
    if entry.connection_id:
        labels["connection_id"] = {"S": entry.connection_id}
    if entry.uuid:
        labels["uuid"] = {"S": entry.uuid}
    if entry.occurred_at_ms is not None:
        labels["occurred_at_ms"] = number(entry.occurred_at_ms)
    return labels
