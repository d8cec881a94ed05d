"""Which Zoom user ids an item of the Events table tells for an e-mail address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zoom_common.erasure.stores import zoom_user_ids


def entry(document: object, **changes: Any) -> dict[str, Any]:
    """Return an entry of the event log with plain values."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return {
        "pk": "acme#event#evt_1",
        "sk": "event",
        "type": "zoom.meeting.started",
        "body": body,
        "deflated": False,
    } | changes


def test_an_entry_names_a_host_by_their_address() -> None:
    """Wherever the address stands beside the id."""
    document = {"data": {"object": {"host_id": "ada", "host_email": "Ada@acme.example"}}}
    assert zoom_user_ids(entry(document), "ada@acme.example") == {"ada"}
    assert zoom_user_ids(entry(document), "bob@acme.example") == frozenset()


def test_an_entry_of_a_user_names_its_object() -> None:
    """An `id` beside an `email` is a user's in events about users only."""
    document = {"object": {"id": "ada", "email": "ada@acme.example"}}
    assert zoom_user_ids(entry(document, type="zoom.user.created"), "ada@acme.example") == {"ada"}
    assert zoom_user_ids(entry(document), "ada@acme.example") == frozenset()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000])
def test_what_cannot_be_read_says_nothing(body: bytes) -> None:
    """Nor does it stop an erasure."""
    assert zoom_user_ids(entry(body), "ada@acme.example") == frozenset()
