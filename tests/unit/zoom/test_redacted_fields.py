"""Every field and parameter that is removed from events, by the kind under which an operator may publish it."""

from __future__ import annotations

import pytest

from zoom_common.zoom.event_redaction import KINDS, Redaction

FIELDS = {
    "download_tokens": ["download_token", "download_access_token"],
    "passcodes": [
        *("encrypted_password", "h323_password", "host_key", "leader_pin", "participant_pin_code"),
        *("passcode", "password", "pstn_password", "recording_play_passcode"),
    ],
    "start_urls": ["start_url"],
    "stream_keys": ["stream_key"],
    "ip_addresses": ["private_ip", "public_ip"],
}
PARAMETERS = {"download_tokens": "access_token", "passcodes": "pwd", "start_urls": "zak"}
NAMED = [(kind, name) for kind, names in FIELDS.items() for name in names]


def test_these_are_the_kinds() -> None:
    """As the template's parameter lists them."""
    assert set(FIELDS) == KINDS


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_a_secret_is_removed_wherever_it_stands_unless_its_kind_is_published(kind: str, name: str) -> None:
    """In objects and in lists of objects; its neighbours stay."""
    event = {name: "s", "topic": "Plan", "list": [{name: "s", "id": 1}], "object": {"settings": {name: "s"}}}
    without = {"topic": "Plan", "list": [{"id": 1}], "object": {"settings": {}}}
    assert Redaction().apply(event) == without
    assert Redaction(KINDS - {kind}).apply(event) == without
    assert Redaction(frozenset({kind})).apply(event) == event


@pytest.mark.parametrize(("kind", "name"), PARAMETERS.items())
def test_a_secret_in_a_link_is_removed_and_the_link_still_works(kind: str, name: str) -> None:
    """First, last and between other parameters."""
    links = {
        f"https://zoom.example/j/1?{name}=s": "https://zoom.example/j/1",
        f"https://zoom.example/j/1?{name}=s&a=1": "https://zoom.example/j/1?a=1",
        f"https://zoom.example/j/1?a=1&{name}=s": "https://zoom.example/j/1?a=1",
        f"https://zoom.example/j/1?a=1&{name}=s&b=2#c": "https://zoom.example/j/1?a=1&b=2#c",
    }
    for link, without in links.items():
        assert Redaction().apply({"join_url": link}) == {"join_url": without}
        assert Redaction(frozenset({kind})).apply({"join_url": link}) == {"join_url": link}
