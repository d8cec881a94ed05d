"""Labels of connections: what people call them, such as `Ada Lovelace (a•••@example.com)`. No whole e-mail address."""

from __future__ import annotations

import re

from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.zoom.oauth import ZoomUser

LONGEST = 100

# A word with an @ in it is an address, and a whole one unless there is a mask before the @.
_ADDRESS = re.compile(r"[^\s@<>()\"',;]+@[^\s@<>()\"',;]+")
_LONGEST_NAME = 300
_MASKS = ("•", "*", "…")


def label_of(user: ZoomUser) -> str | None:
    """Return the label that a Zoom user has by their profile: name and masked address, or the one of them there is."""
    full = _printable(user.name.reveal()[:_LONGEST_NAME]) if user.name else ""
    name = _shortened(without_addresses(full))
    address = masked(user.email.reveal()) if user.email else ""
    if not name or name == address:
        return _shortened(address) or None
    # The name gives way, so that the address stays whole.
    room = LONGEST - len(f" ({address})")
    return f"{name[:room].rstrip()} ({address})" if address and room > 0 else name


def masked(email: str) -> str:
    """Return an address with the first character of its local part only: `a•••@example.com`."""
    local, _, domain = _printable(email).rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}•••@{domain}"


def without_addresses(text: str) -> str:
    """Return a text in which every e-mail address is masked."""
    return _ADDRESS.sub(lambda found: masked(found[0]), text)


def checked(label: str | None) -> str | None:
    """Return a label that a program gives, without the spaces around it. Raises InvalidRequest."""
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
