"""Who was there and for how long, worked out the slow way from Zoom's event contract: a log in order, second by second.

Shares no code with the projections. It reads the deliveries in the order in which things happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

type Body = dict[str, Any]

# The sessions (instance and `user_id`) of a person, and the seconds the person was there.
type Person = tuple[frozenset[tuple[str, str]], int]


def seconds_of(text: str) -> int:
    """Epoch seconds of a moment of Zoom's."""
    return int(datetime.fromisoformat(text).timestamp())


class Room:
    """One instance: which session is in it since when, and the seconds each was there."""

    def __init__(self) -> None:
        self.inside: dict[str, int] = {}
        self.held: dict[str, str] = {}
        self.seconds: dict[str, set[int]] = {}
        self.names: dict[str, set[tuple[str, str]]] = {}

    def read(self, what: str, who: Body) -> None:
        session = who["user_id"]
        self.names.setdefault(session, set()).update(identities(who))
        match what:
            case "joined":
                # A move may tell the join first: the device is then in both for a moment, and leaves the old one.
                self.inside.setdefault(session, seconds_of(who["join_time"]))
                self.seconds.setdefault(session, set())
            case "left" if session in self.inside:
                self.go(session, seconds_of(who["leave_time"]))
            case "left":
                self.held.pop(session, None)
            case "put_in_waiting_room" if session in self.inside:
                self.go(session, seconds_of(who["date_time"]))
                self.held[session] = who["participant_uuid"]
            case "admitted" if session in self.held:
                del self.held[session]
                self.inside[session] = seconds_of(who["date_time"])

    def go(self, session: str, at: int) -> None:
        self.seconds[session] |= set(range(self.inside.pop(session), at))

    def end(self, at: int) -> None:
        for session in list(self.inside):
            self.go(session, at)


def identities(who: Body) -> set[tuple[str, str]]:
    """Everything that names the person."""
    found = {
        ("zoom", who.get("participant_user_id")),
        ("zoom", who.get("id")),
        ("registrant", who.get("registrant_id")),
        ("email", (who.get("email") or "").lower()),
        ("key", who.get("customer_key")),
        ("device", who.get("participant_uuid")),
        ("device", who.get("bind_participant_uuid")),
    }
    return {(kind, value) for kind, value in found if value}


def rooms(deliveries: Iterable[Body]) -> dict[str, Room]:
    """What happened in each instance, by uuid, from deliveries in order."""
    found: dict[str, Room] = {}
    for body in deliveries:
        about, what = body["payload"]["object"], body["event"].partition(".")[2]
        if what == "started":
            found[about["uuid"]] = Room()
        elif what == "ended":
            found[about["uuid"]].end(seconds_of(about["end_time"]))
        elif what.startswith("participant_"):
            found[about["uuid"]].read(what.removeprefix("participant_"), about["participant"])
    return found


def people(instances: dict[str, Room], used: Sequence[str]) -> list[Person]:
    """Everybody who was in the instances `used`; devices are the same person within one instance only."""
    names = {
        (uuid, session): {(kind, value if kind != "device" else uuid + value) for kind, value in known}
        for uuid in used
        for session, known in instances[uuid].names.items()
    }
    found = []
    left = set(names)
    while left:
        group, edge = set[tuple[str, str]](), {left.pop()}
        while edge:
            group |= edge
            left -= edge
            known = set().union(*(names[each] for each in edge))
            edge = {each for each in left if names[each] & known}
        there = frozenset((uuid, session) for uuid, session in group if session in instances[uuid].seconds)
        if there:
            # Seconds of different instances never overlap here: an instance begins after the one before has ended.
            total = set().union(*(instances[uuid].seconds[session] for uuid, session in there))
            found.append((there, len(total)))
    return sorted(found, key=lambda each: sorted(each[0]))
