"""The links of meetings and webinars, as Zoom writes them into answers and events."""

from __future__ import annotations

import hashlib

from zoom_simulator.model import Meeting


def encrypted(password: str) -> str:
    """Return the value of `pwd=` in a join link."""
    return hashlib.sha256(password.encode()).hexdigest()[:32] + ".1"


def join_url(base_url: str, meeting: Meeting) -> str:
    """The link a participant follows."""
    number = meeting.pmi or meeting.id
    letter = "w" if meeting.kind == "webinar" else "j"
    return f"{base_url}/{letter}/{number}" + (f"?pwd={encrypted(meeting.password)}" if meeting.password else "")


def registration_url(base_url: str, meeting: Meeting) -> str:
    """The page on which people register."""
    return f"{base_url}/{meeting.kind}/register/{hashlib.sha256(meeting.uuid.encode()).hexdigest()[:24]}"
