"""The items of an entry of the event log: a small body in the entry, a large one in parts beside it."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.deliveries import JOINED
from tests.fakes.dynamodb import size_of
from zoom_common.aws.items import from_item
from zoom_common.events.bus import CloudEvent
from zoom_common.events.log.entries import (
    _DICTIONARY,
    LARGEST_PART,
    LogEntry,
    app_of_unpublished,
    content_of,
    entry_items,
    index_item,
    line_keys,
    malformed,
    read_entry,
    unrouted,
)

EVENT = (
    CloudEvent(
        f"evt_{hashlib.sha256(b'1').hexdigest()[:32]}",
        "/zoom/AbCdEfGhIjKlMnOpQrStUv",
        "zoom.meeting.participant_joined",
        "2026-09-21T14:01:03.001Z",
        "a-tenant-of-thirty-two-letters-x",
        subject="meetings/85746065432",
        connection_id=f"con_{hashlib.sha256(b'2').hexdigest()[:26]}",
        correlation_id=hashlib.sha256(b"3").hexdigest()[:36],
        data=JOINED,
    )
    .to_json()
    .encode()
)
# No compression makes a hash smaller.
NOISE = hashlib.shake_256(b"noise").digest(2 * LARGEST_PART + 5)


def entry(content: bytes, **changes: Any) -> LogEntry:
    """Return an entry that came on 21 September 2026."""
    values: dict[str, Any] = {"owner": "acme", "event_id": "evt_1", "key": "natural:1", "app": "App", "type": "t"}
    return LogEntry(**{**values, "received_at_ms": 1_790_000_000_123, "content": content, **changes})


def items(made: LogEntry) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the entry's item and its parts."""
    return entry_items(made, claimed_until=60, recorded_at_ms=made.received_at_ms, expires_at=90)


@pytest.mark.parametrize(
    ("content", "deflated"), [(b"", False), (NOISE[:100], False), (b"x" * 100, True), (EVENT, True)]
)
def test_a_body_is_deflated_when_it_is_worth_it(content: bytes, *, deflated: bool) -> None:
    """Where it becomes smaller; it is read back byte for byte either way."""
    made = entry(content)
    item, parts = items(made)
    assert (item["deflated"], "dictionary" in item) == ({"BOOL": deflated}, deflated)
    assert parts == []
    assert (len(item["body"]["B"]) < len(content)) is deflated
    assert read_entry(item, item["body"]["B"]) == made
    assert content_of(from_item({**item, "sk": {"S": "event"}})) == made.content


def test_a_body_that_the_release_before_deflated_is_read() -> None:
    """It had no dictionary."""
    item = {**items(entry(EVENT))[0], "body": {"B": zlib.compress(EVENT)}}
    del item["dictionary"]
    assert read_entry(item, item["body"]["B"]).content == content_of(from_item(item)) == EVENT


def test_what_the_dictionary_says_stays_as_it_is() -> None:
    """Stored bodies cannot be read with another one."""
    assert hashlib.sha256(_DICTIONARY).hexdigest()[:16] == "9518ea2186f3ba3e"


def test_somebodys_arrival_is_stored_in_one_kilobyte() -> None:
    """DynamoDB bills a write by the KB: with names and ids as long as they get, it is one."""
    labels = {"subject": "meetings/85746065432", "connection_id": f"con_{'0' * 26}", "uuid": "4444AAAiAAAAAiAiAiiAii=="}
    made = entry(EVENT, owner="a-tenant-of-thirty-two-letters-x", event_id=f"evt_{'0' * 32}", **labels)
    item, _ = items(replace(made, key=f"natural:{'0' * 64}", app="A" * 22, request_id="r" * 36, type="z" * 31))
    assert size_of(item) <= 1024


def test_a_body_that_no_item_holds_is_stored_in_parts_that_expire_with_it() -> None:
    """Each part has the entry's partition, a name made of the body's digest and a number, and at most 350,000 bytes."""
    item, parts = items(entry(NOISE))
    assert "body" not in item
    bodies = [part["body"]["B"] for part in parts]
    name = f"body#{hashlib.sha256(b''.join(bodies)).hexdigest()[:16]}#"
    assert [len(body) for body in bodies[:2]] == [LARGEST_PART, LARGEST_PART]
    assert item["parts"] == {"L": [{"S": f"{name}{number}"} for number in range(3)]}
    assert parts == [
        {
            "pk": {"S": "acme#event#evt_1"},
            "sk": {"S": f"{name}{number}"},
            "body": {"B": body},
            "expires_at": {"N": "90"},
        }
        for number, body in enumerate(bodies)
    ]
    assert read_entry(item, b"".join(bodies)).content == NOISE


def test_a_body_that_deflates_below_the_largest_part_stays_in_the_entry() -> None:
    """What counts is what is stored."""
    item, parts = items(entry(b"x" * (3 * LARGEST_PART)))
    assert parts == []
    assert len(item["body"]["B"]) < LARGEST_PART


@pytest.mark.parametrize(
    ("item", "content"),
    [
        ({"sk": "event", "deflated": True}, b""),
        ({"sk": "event", "body": b"", "deflated": True}, b""),
        ({"sk": "body#1#0", "body": b"x"}, b""),
        ({"sk": "1790000000123#evt_1", "type": "t"}, b""),
    ],
)
def test_only_an_entry_has_a_content(item: dict[str, Any], content: bytes) -> None:
    """Neither a part, nor a line, nor an entry whose parts have expired."""
    assert content_of(item) == content


def test_a_line_is_found_from_its_entry() -> None:
    """Under the owner's day of arrival, by the time of arrival."""
    made = entry(b"{}", subject="meetings/1", connection_id="con_1", occurred_at_ms=1_790_000_000_000)
    line = index_item(made, 90)
    assert line_keys({"pk": "acme#event#evt_1", "received_at_ms": made.received_at_ms}) == [
        (line["pk"]["S"], line["sk"]["S"])
    ]
    assert (line["pk"]["S"], line["sk"]["S"]) == ("acme#events#2026-09-21", "1790000000123#evt_1")
    early = index_item(entry(b"{}", received_at_ms=5), 90)
    assert (early["pk"]["S"], early["sk"]["S"]) == ("acme#events#1970-01-01", "0000000000005#evt_1")


def test_what_an_event_does_not_say_is_no_attribute() -> None:
    """Neither of its line nor of its entry."""
    bare = index_item(entry(b"{}"), 90)
    assert bare.keys() == {"pk", "sk", "type", "expires_at"}
    zero = index_item(entry(b"{}", occurred_at_ms=0), 90)
    assert zero["occurred_at_ms"] == {"N": "0"}
    found = read_entry(items(entry(b"{}"))[0], b"{}")
    assert (found.subject, found.connection_id, found.occurred_at_ms) == (None, None, None)


def test_owners_that_are_no_tenant() -> None:
    """An app's events of nobody, and what nobody can read."""
    assert app_of_unpublished(unrouted("App")) == app_of_unpublished(malformed("App")) == "App"
    assert app_of_unpublished("acme") is None
    nobody, unreadable, owned = entry(b"", owner=unrouted("A")), entry(b"", owner=malformed("A")), entry(b"")
    assert (nobody.unrouted, nobody.malformed) == (True, False)
    assert (unreadable.unrouted, unreadable.malformed) == (False, True)
    assert (owned.unrouted, owned.malformed) == (False, False)
