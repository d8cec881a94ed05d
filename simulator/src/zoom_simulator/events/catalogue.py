"""The table of event types, and the decorator that adds to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoom_simulator.events.context import EventContext
from zoom_simulator.model import Json

Builder = Callable[[EventContext], Json]
FORMS = ("object", "operated", "payload")


@dataclass(frozen=True)
class EventType:
    """One event type.

    `build` makes the object (`object`), the object of something that an operator did (`operated`), or the whole payload
    (`payload`). `itself` says that the simulator also sends the event without a request for it by name.
    """

    name: str
    build: Builder
    form: str = "object"
    itself: bool = False
    download: bool = False  # carries a download_token


CATALOGUE: dict[str, EventType] = {}


def event(
    *names: str, form: str = "object", itself: bool = False, download: bool = False
) -> Callable[[Builder], Builder]:
    """Add rows that the decorated function builds; several names may share one shape."""

    def add(build: Builder) -> Builder:
        for name in names:
            CATALOGUE[name] = EventType(name, build, form, itself, download)
        return build

    return add


def both(what: str) -> tuple[str, str]:
    """Return the names of the event for meetings and for webinars."""
    return f"meeting.{what}", f"webinar.{what}"
