"""Identifiers, tokens and passcodes in the shapes Zoom gives them."""

from __future__ import annotations

import base64
import random

_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_AWKWARD = (b"\xff", b"\x00\x0f\xff\xff\xff\xff", b"\xfb\xef\xbe")  # encode to "/...", "...//..." and "++..."


class Ids:
    """Makes new identifiers; with a seed, always the same ones in the same order."""

    def __init__(self, seed: int | None = None) -> None:
        self.random = random.SystemRandom() if seed is None else random.Random(seed)
        self._uuids = 0

    def opaque(self) -> str:
        """An id of a user, account, registrant or app: 22 characters, URL-safe."""
        return base64.urlsafe_b64encode(self.random.randbytes(16)).decode().rstrip("=")

    def uuid(self, *, awkward: bool = False) -> str:
        """A meeting UUID: standard base64 of 16 bytes, so it may hold `/`, `+` and `=`.

        `awkward` makes every one begin with `/`, contain `//` or begin with `+`, in turn.
        """
        raw = self.random.randbytes(16)
        if awkward:
            prefix = _AWKWARD[self._uuids % len(_AWKWARD)]
            raw = prefix + raw[len(prefix) :]
        self._uuids += 1
        return base64.b64encode(raw).decode()

    def meeting_number(self) -> int:
        """A meeting id: eleven digits, more than 32 bits."""
        return self.random.randrange(70_000_000_000, 99_999_999_999)

    def personal_number(self) -> int:
        """A personal meeting id: ten digits."""
        return self.random.randrange(2_000_000_000, 9_999_999_999)

    def session_number(self) -> str:
        """A participant's `user_id`, which only means something within its meeting."""
        return str(self.random.randrange(16_777_216, 83_886_080))

    def participant_uuid(self) -> str:
        """A participant's UUID: hexadecimal with dashes, upper case."""
        return self._dashed().upper()

    def file_id(self) -> str:
        """A recording file's id: a plain UUID."""
        return self._dashed()

    def request_id(self) -> str:
        """A delivery's `x-zm-request-id`: 8_4_4_4_12 hexadecimal digits."""
        return self._dashed().replace("-", "_")

    def token(self) -> str:
        """An access, refresh or download token: long, opaque, URL-safe."""
        body = base64.urlsafe_b64encode(self.random.randbytes(240)).decode().rstrip("=")
        return f"eyJzdiI6IjAwMDAwMiIsImFsZyI6IkhTNTEyIn0.{body}"

    def code(self) -> str:
        """An authorisation code."""
        return base64.urlsafe_b64encode(self.random.randbytes(30)).decode().rstrip("=")

    def digits(self, count: int) -> str:
        """Return this many decimal digits."""
        return "".join(self.random.choices(_DIGITS, k=count))

    def passcode(self) -> str:
        """A meeting passcode of six letters and digits."""
        return "".join(self.random.choices(_LETTERS + _DIGITS, k=6))

    def secret(self) -> str:
        """A stream key, play passcode or webhook secret: 32 URL-safe characters."""
        return base64.urlsafe_b64encode(self.random.randbytes(24)).decode()

    def _dashed(self) -> str:
        text = self.random.randbytes(16).hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
