"""Labels of connections: display names, such as `Ada Lovelace (a•••@example.com)`, without whole e-mail addresses."""

from __future__ import annotations

import re

from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.zoom.oauth import ZoomUser

LONGEST = 100

# A word with an @ is an e-mail address, and a whole one unless a mask stands before the @.
_ADDRESS = re.compile(r"[^\s@<>()\"',;]+@[^\s@<>()\"',;]+")
_LONGEST_NAME = 300
_MASKS = ("•", "*", "…")


def label_of(user: ZoomUser) -> str | None:
    """Return the label of a Zoom user from their profile: name and masked address, or whichever of the two exists."""
    full = _printable(user.name.reveal()[:_LONGEST_NAME]) if user.name else ""
    name = _shortened(without_addresses(full))
    address = masked(user.email.reveal()) if user.email else ""
    if not name or name == address:
        return _shortened(address) or None
    # The name is shortened, so that the address fits in full.
    room = LONGEST - len(f" ({address})")
    return f"{name[:room].rstrip()} ({address})" if address and room > 0 else name


def masked(email: str) -> str:
    """Return an address of which the local part shows only its first character: `a•••@example.com`."""
    local, _, domain = _printable(email).rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}•••@{domain}"


def without_addresses(text: str) -> str:
    """Return a text in which every e-mail address is masked."""
    return _ADDRESS.sub(lambda found: masked(found[0]), text)


def checked(label: str | None) -> str | None:
    """Return a program's label without the spaces around it. Raises InvalidRequest."""
    if label is None:
        return None
    label = label.strip()
    if not label or len(label) > LONGEST or not label.isprintable():
        raise InvalidRequest([FieldError("label", f"1 to {LONGEST} printable characters.")])
    if any(not each.partition("@")[0].endswith(_MASKS) for each in _ADDRESS.findall(label)):
        raise InvalidRequest(
            [FieldError("label", "Whole e-mail addresses are not kept: leave it out, or mask it, as a•••@example.com.")]
        )
    return label


def _printable(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _shortened(text: str) -> str:
    return text[:LONGEST].rstrip()
