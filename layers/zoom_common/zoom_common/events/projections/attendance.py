"""From joins and leaves to stays, persons and minutes. Pure: records and the end of the instance in, lists out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from zoom_common.events.projections.projectors import JOINED, LEFT, WAITED, WAITING
from zoom_common.events.projections.record import Record


@dataclass(frozen=True, slots=True)
class Stay:
    """From when to when, in epoch ms. `joined` is None when only the leave was seen, `left` while present."""

    joined: int | None
    left: int | None
    assumed: bool = False
    """Whether `left` is the end of the meeting, because no leave was seen."""


@dataclass(frozen=True, slots=True)
class Session:
    """One `user_id` of one instance and what is known of it."""

    user_id: str
    record: Record

    @property
    def person(self) -> tuple[str, str]:
        """Who it is, by the surest thing Zoom says; a guest of whom it says nothing is a person of this session."""
        values = self.record.values
        for kind in ("zoom_user_id", "registrant_id", "email", "customer_key"):
            if values.get(kind):
                return kind, str(values[kind])
        return "session", self.user_id

    def stays(self, ended: int | None) -> list[Stay]:
        """The stays in order. A join while present and a leave while absent change nothing."""
        return _paired(self.record.moments(JOINED), self.record.moments(LEFT), ended)

    @property
    def present(self) -> bool:
        """Whether it has joined and not left."""
        stays = self.stays(None)
        return bool(stays) and stays[-1].left is None

    @property
    def waiting(self) -> bool:
        """Whether it is in the waiting room."""
        last = max(self.record.moments(WAITING), default=None)
        later = (*self.record.moments(WAITED), *self.record.moments(JOINED), *self.record.moments(LEFT))
        return last is not None and not any(moment >= last for moment in later)


@dataclass(frozen=True, slots=True)
class Attendee:
    """One person in one instance."""

    person: tuple[str, str]
    sessions: Sequence[Session]

    def stays(self, ended: int | None) -> list[tuple[Session, Stay]]:
        """All stays of all sessions, in order."""
        found = [(session, stay) for session in self.sessions for stay in session.stays(ended)]
        return sorted(found, key=lambda each: (_start(each[1]), each[0].user_id))

    def seconds(self, ended: int | None) -> int:
        """How long the person was there: two devices at once count once, an open stay not yet."""
        total, until = 0, 0
        for _, stay in self.stays(ended):
            if stay.joined is None or stay.left is None:
                continue
            total += max(0, stay.left - max(stay.joined, until))
            until = max(until, stay.left)
        return total // 1000

    @property
    def newest(self) -> dict[str, Any]:
        """The fields of the last session, completed by those before."""
        ordered = sorted(self.sessions, key=lambda each: (each.record.newest_ms, each.user_id))
        return {name: value for session in ordered for name, value in session.record.values.items()}


def attendees(sessions: Iterable[Session]) -> list[Attendee]:
    """The persons who ever joined, the first first."""
    joined = sorted((each for each in sessions if each.stays(None)), key=lambda each: (each.person, each.user_id))
    people = [Attendee(person, tuple(group)) for person, group in groupby(joined, key=lambda each: each.person)]
    return sorted(people, key=lambda each: (_start(each.stays(None)[0][1]), each.person))


def _paired(joins: Sequence[int], leaves: Sequence[int], ended: int | None) -> list[Stay]:
    stays: list[Stay] = []
    opened: int | None = None
    for moment, leaving in sorted([*((at, False) for at in joins), *((at, True) for at in leaves)]):
        if not leaving:
            opened = moment if opened is None else opened
        elif opened is not None:
            stays.append(Stay(opened, moment))
            opened = None
        elif not stays:
            stays.append(Stay(None, moment))
    if opened is not None:
        stays.append(Stay(opened, None) if ended is None else Stay(opened, max(opened, ended), assumed=True))
    return stays


def _start(stay: Stay) -> int:
    return (stay.joined if stay.joined is not None else stay.left) or 0
