"""What leaves an event before a subscriber sees it."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_common.zoom.event_redaction import KINDS, Redaction

EVENT: dict[str, Any] = {
    "event": "recording.completed",
    "download_token": "t",
    "payload": {
        "object": {
            "id": 1,
            "password": "p",
            "recording_play_passcode": "p",
            "start_url": "https://zoom.us/s/1?zak=z",
            "join_url": "https://zoom.us/j/1?pwd=abc.1",
            "share_url": "https://zoom.us/rec/share/x?pwd=abc&startTime=5#t",
            "agenda": "Join at https://zoom.us/j/1?from=mail&pwd=abc.1 or by phone",
            "settings": {"meeting_password_required": True, "custom": {"stream_key": "k", "stream_url": "u"}},
            "participants": [{"public_ip": "192.0.2.1", "user_name": "A"}],
        }
    },
}


def test_nothing_that_opens_a_door_is_left() -> None:
    """Tokens, passcodes, start links, stream keys and addresses are gone; everything else stands."""
    assert Redaction().apply(EVENT) == {
        "event": "recording.completed",
        "payload": {
            "object": {
                "id": 1,
                "join_url": "https://zoom.us/j/1",
                "share_url": "https://zoom.us/rec/share/x?startTime=5#t",
                "agenda": "Join at https://zoom.us/j/1?from=mail or by phone",
                "settings": {"meeting_password_required": True, "custom": {"stream_url": "u"}},
                "participants": [{"user_name": "A"}],
            }
        },
    }


def test_what_is_asked_for_is_published() -> None:
    """All kinds asked for, the event is Zoom's, to the letter."""
    assert Redaction(KINDS).apply(EVENT) == EVENT


def test_kinds_are_asked_for_one_by_one() -> None:
    """A subscriber of download tokens gets no passcodes with them."""
    published = Redaction(frozenset({"download_tokens"})).apply(EVENT)
    assert published["download_token"] == "t"
    assert "password" not in published["payload"]["object"]


def test_an_unknown_kind_is_a_mistake() -> None:
    """A misspelt setting stops the function rather than publishing less or more than was meant."""
    with pytest.raises(ValueError, match="download_tokns"):
        Redaction(frozenset({"download_tokns"}))


@pytest.mark.parametrize(
    "text", ["2 + 2 = 4", "is pwd=x?", "https://zoom.us/j/1?tk=registrant", "https://x.test/?password=1", "?", "a&b=c"]
)
def test_other_text_is_left_alone(text: str) -> None:
    """Only the parameters of links that hold secrets are taken out."""
    assert Redaction().apply(text) == text
