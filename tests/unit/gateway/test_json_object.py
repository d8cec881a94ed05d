"""What counts as a JSON object, of a caller's body and of Zoom's answers."""

from __future__ import annotations

import pytest

from zoom_common.gateway.create_lookup import json_object


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"1", b"null", b'"{}"', b"{", b"\xff", b"<html>", b"[" * 100_000, b'[{"id":1}]']
)
def test_what_is_no_object_is_an_empty_one(text: bytes) -> None:
    """Nothing can be matched by it, and nothing breaks."""
    assert json_object(text) == {}


def test_an_object_is_read() -> None:
    """An object is read with all its members."""
    assert json_object(b' {"id": 1, "settings": {"mute": true}} ') == {"id": 1, "settings": {"mute": True}}
