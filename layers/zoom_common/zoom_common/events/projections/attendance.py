"""Turns sessions into people and times. Does no I/O: takes records and the ends of instances, returns lists.

Sessions that share an identifier are of one person. Zoom keeps `participant_uuid` through breakout rooms and gives a
new `user_id` at every move; a guest who reconnects has nothing in common with the guest before (measured in 2026). So
such guests are listed as two people, and `maybe_same_as` says who may be the same person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from zoom_common.events.projections.keys import NAME_AT, name_at
from zoom_common.events.projections.presence import ADMITTED, JOINED, LEFT, WAITED, WAITING, Stay, stays, waits
from zoom_common.events.projections.record import Mark, Record

# Identifiers that name a person in every instance, the most reliable first.
IDENTIFIERS = ("zoom_user_id", "registrant_id", "email", "customer_key")

# A longer list of people with the same name is of no use.
_MOST_LIKELY = 20


@dataclass(frozen=True, slots=True)
class Session:
    """One `user_id` of one instance, what is known of it, and the marks of the other sessions of its device."""

    user_id: str
    record: Record
    uuid: str = ""
    device: frozenset[Mark] = frozenset()

    @property
    def identifiers(self) -> dict[str, str]:
        """Return Zoom's identifiers of the person, by kind. The case of an e-mail address does not matter."""
        values = self.record.values
        found = {kind: str(values[kind]) for kind in IDENTIFIERS if values.get(kind)}
        return found | ({"email": found["email"].casefold()} if "email" in found else {})

    def keys(self) -> Iterator[Hashable]:
        """Yield everything by which two sessions are of one person."""
        yield from self.identifiers.items()
        values = self.record.values
        for kind, name in (("participant_uuid", "participant_uuid"), ("participant_uuid", "bind_participant_uuid")):
            if values.get(name):
                yield kind, self.uuid, str(values[name])
        for user_id in filter(None, (self.user_id, values.get("bind_user_id"), values.get("parent_user_id"))):
            yield "user_id", self.uuid, str(user_id)

    def stays(self, ended: int | None) -> list[Stay]:
        """Return the stays in order, without time in the waiting room."""
        return stays(self.record.marks, self.device, ended)

    def name(self, stay: Stay) -> str:
        """The name that the person had in a stay, as its end says it, else its beginning, else the newest event."""
        values = self.record.values
        newest: str = values.get("user_name", "")
        if stay.left is None:
            return newest
        marks = [(kind, stay.left) for kind in (LEFT, WAITING)] + [(kind, stay.joined) for kind in (JOINED, ADMITTED)]
        said = (values.get(name_at(kind, moment)) for kind, moment in marks if moment is not None)
        return next(filter(None, said), newest)

    @property
    def present(self) -> bool:
        """Whether the session is in the meeting."""
        found = self.stays(None)
        return bool(found) and found[-1].left is None

    @property
    def waiting(self) -> bool:
        """Whether the session is in the waiting room: nothing of its device came later."""
        last = max(self.record.moments(WAITING), default=None)
        if last is None:
            return False
        marks = self.record.marks | self.device
        out = any(moment >= last for kind, moment in marks if kind in {ADMITTED, WAITED, JOINED})
        return not out and not any(moment > last for kind, moment in marks if kind in {LEFT, WAITING})


def with_devices(sessions: Sequence[Session]) -> list[Session]:
    """Return the sessions of one instance, each with the marks of the others with the same `participant_uuid`."""
    devices: dict[str, list[Session]] = defaultdict(list)
    for each in sessions:
        devices[_device(each)].append(each)
    return [
        Session(
            each.user_id,
            each.record,
            each.uuid,
            frozenset(mark for other in devices[_device(each)] if other is not each for mark in other.record.marks),
        )
        for each in sessions
    ]


@dataclass(frozen=True)
class Attendee:
    """One person in one or several instances. `ends` has the end of each instance in epoch ms, None while it runs."""

    sessions: Sequence[Session]
    ends: Mapping[str, int | None] = field(default_factory=dict)

    @cached_property
    def stays(self) -> list[tuple[Session, Stay]]:
        """Return all stays of all sessions, in order."""
        found = [(session, stay) for session in self.sessions for stay in session.stays(self.ends.get(session.uuid))]
        return sorted(found, key=lambda each: (each[1].start, each[0].user_id))

    @property
    def waits(self) -> list[Stay]:
        """Return the times in the waiting room, in order."""
        found = {
            wait
            for session in self.sessions
            for wait in waits(session.record.marks, session.device, self.ends.get(session.uuid))
        }
        return sorted(found, key=lambda each: (each.start, each.left or 0))

    def seconds(self) -> int:
        """Return how long the person was present, in seconds.

        Two devices at once count once; an open stay is not counted.
        """
        return covered(self.spans()) // 1000

    def spans(self, uuids: Collection[str] | None = None) -> list[tuple[int, int]]:
        """Return the closed stays as begin and end in epoch ms, of the named instances or of all."""
        return [
            (stay.joined, stay.left)
            for session, stay in self.stays
            if stay.joined is not None and stay.left and (uuids is None or session.uuid in uuids)
        ]

    def was_in(self, uuids: Collection[str]) -> bool:
        """Return whether the person was in one of these instances."""
        return any(session.uuid in uuids for session, _ in self.stays)

    @property
    def newest(self) -> dict[str, Any]:
        """Return the fields of the last present session, completed by the others; of several, those of the first."""
        there = {id(session) for session, _ in self.stays}
        ordered = sorted(self.sessions, key=lambda each: each.user_id, reverse=True)
        ordered.sort(key=lambda each: (id(each) in there, each.record.newest_ms))
        return {name: value for session in ordered for name, value in session.record.values.items()}

    @property
    def guest(self) -> bool:
        """Whether the person has no Zoom user id."""
        return "zoom_user_id" not in self.identities

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the sessions, in a form for comparison."""
        said = (item for each in self.sessions for item in each.record.values.items())
        names = (str(text).strip().casefold() for field, text in said if f"{field}.".startswith(NAME_AT))
        return frozenset(name for name in names if name)

    @cached_property
    def identities(self) -> dict[str, set[str]]:
        """The identifiers of the sessions by kind."""
        found: dict[str, set[str]] = defaultdict(set)
        for session in self.sessions:
            for kind, value in session.identifiers.items():
                found[kind].add(value)
        return dict(found)

    @cached_property
    def extents(self) -> list[tuple[int, float]]:
        """Return the stays, with an open end while the person is present."""
        return [(stay.start, float("inf") if stay.left is None else stay.left) for _, stay in self.stays]

    def may_be(self, other: Attendee) -> bool:
        """Return whether two people of one name may be the same: never present at once, and no differing identity."""
        kinds = self.identities.keys() & other.identities.keys()
        if any(self.identities[kind].isdisjoint(other.identities[kind]) for kind in kinds):
            return False
        return not any(_overlap(mine, theirs) for mine in self.extents for theirs in other.extents)


def maybe_same(people: Sequence[Attendee]) -> list[list[Attendee]]:
    """Return for each person the others who may be the same person, at most 20."""
    named: dict[str, list[int]] = defaultdict(list)
    for at, person in enumerate(people):
        for name in person.names:
            named[name].append(at)
    found = []
    for at, person in enumerate(people):
        others = sorted({other for name in person.names for other in named[name]} - {at})
        likely = (people[other] for other in others if person.may_be(people[other]))
        found.append(list(islice(likely, _MOST_LIKELY)))
    return found


def attendees(sessions: Iterable[Session], ends: Mapping[str, int | None] | None = None) -> list[Attendee]:
    """Return the people who ever joined, the first one first. Sessions that never joined can still connect others."""
    ends = ends or {}
    people = [Attendee(tuple(group), ends) for group in _united(list(sessions))]
    present = [each for each in people if each.stays]
    return sorted(present, key=lambda each: (each.stays[0][1].start, each.sessions[0].user_id))


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """Return how many milliseconds the spans cover, overlaps once."""
    total, until = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, until))
        until = max(until, end)
    return total


def _united(sessions: Sequence[Session]) -> list[list[Session]]:
    """Group sessions that share a key, by union-find."""
    parents = list(range(len(sessions)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    owners: dict[Hashable, int] = {}
    for at, session in enumerate(sessions):
        for key in session.keys():  # noqa: SIM118 - not a mapping
            parents[root(at)] = root(owners.setdefault(key, at))
    groups: dict[int, list[Session]] = defaultdict(list)
    for at, session in enumerate(sessions):
        groups[root(at)].append(session)
    return list(groups.values())


def _device(session: Session) -> str:
    return str(session.record.values.get("participant_uuid") or f"#{session.user_id}")


def _overlap(one: tuple[int, float], other: tuple[int, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
