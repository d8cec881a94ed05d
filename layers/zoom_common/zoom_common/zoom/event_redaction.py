"""Removes credentials from events. Subscribers receive only the kinds that the operator allowed."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Any

# Each kind names fields, at any depth, and parameters of links.
FIELDS = {
    "download_tokens": frozenset({"download_token", "download_access_token"}),
    "passcodes": frozenset(
        {
            "encrypted_password",
            "h323_password",
            "host_key",
            "leader_pin",
            "participant_pin_code",
            "passcode",
            "password",
            "pstn_password",
            "recording_play_passcode",
        }
    ),
    "start_urls": frozenset({"start_url"}),
    "stream_keys": frozenset({"stream_key"}),
    # It opens nothing, but is personal, and is in none of Zoom's contracts.
    "ip_addresses": frozenset({"private_ip", "public_ip"}),
}
_PARAMETERS = {"download_tokens": ("access_token",), "passcodes": ("pwd",), "start_urls": ("zak",)}
KINDS = frozenset(FIELDS)


class Redaction:
    """Removes every kind of secret except those in `published`. Raises ValueError for a kind that does not exist."""

    def __init__(self, published: AbstractSet[str] = frozenset()) -> None:
        unknown = published - KINDS
        if unknown:
            raise ValueError(f"unknown kinds of secret: {', '.join(sorted(unknown))}")
        hidden = KINDS - published
        self._fields = frozenset[str]().union(*(FIELDS[kind] for kind in hidden))
        names = [name for kind in sorted(hidden) for name in _PARAMETERS.get(kind, ())]
        self._parameters = re.compile(rf"(?<=[?&])(?:{'|'.join(names)})=[^&#\s\"'<>]*&?") if names else None

    def apply(self, value: Any) -> Any:
        """Return a copy of a JSON value without the secrets."""
        if isinstance(value, dict):
            return {name: self.apply(item) for name, item in value.items() if name not in self._fields}
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        if isinstance(value, str) and self._parameters and "=" in value:
            return self._without_parameters(value)
        return value

    def _without_parameters(self, text: str) -> str:
        if self._parameters is None or not self._parameters.search(text):
            return text
        return re.sub(r"[?&](?=$|[#\s\"'<>])", "", self._parameters.sub("", text))
