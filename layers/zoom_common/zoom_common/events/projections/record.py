"""One record of a projection. Events are merged into it field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

# When an event happened (epoch milliseconds), and its id to order two of the same millisecond.
type Stamp = tuple[int, str]
type Stamped = dict[str, tuple[Stamp, Any]]
# An event at one time (epoch milliseconds): `joined`, `left`, ...
type Mark = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """What one event changes in the record at `partition` and `sort`, which are names within one tenant."""

    partition: str
    sort: str
    latest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Fields with the newest value."""
    earliest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Fields that do not change. The oldest value is kept, so that most events rewrite nothing."""
    marks: frozenset[Mark] = frozenset()


@dataclass(frozen=True, slots=True)
class Record:
    """The known fields, each with the stamp of the event that set it."""

    latest: Stamped = field(default_factory=dict, repr=False)
    earliest: Stamped = field(default_factory=dict, repr=False)
    marks: frozenset[Mark] = frozenset()
    connections: frozenset[str] = frozenset()
    """The connections that its events came by. A caller who may use none of them must not see the record."""

    def merged(self, change: Change, stamp: Stamp, connection: str | None = None) -> Record:
        """Return the record after one more event; it equals this one when the event adds nothing."""
        return Record(
            {**self.latest, **_winners(self.latest, change.latest, stamp, newest=True)},
            {**self.earliest, **_winners(self.earliest, change.earliest, stamp, newest=False)},
            self.marks | change.marks,
            self.connections | ({connection} if connection else frozenset()),
        )

    @property
    def values(self) -> dict[str, Any]:
        """Return the fields without their stamps."""
        return {name: value for part in (self.earliest, self.latest) for name, (_, value) in sorted(part.items())}

    @property
    def newest_ms(self) -> int:
        """The time of the newest event in it, in epoch milliseconds."""
        stamps = [stamp[0] for part in (self.latest, self.earliest) for stamp, _ in part.values()]
        return max([0, *stamps, *(moment for _, moment in self.marks)])

    def moments(self, kind: str) -> list[int]:
        """Return the times of the marks of one kind, in order."""
        return sorted(moment for each, moment in self.marks if each == kind)

    def to_json(self) -> str:
        """Return the record as stored text, which is the same for equal records."""
        stored = {
            "latest": self.latest,
            "earliest": self.earliest,
            "marks": sorted(self.marks),
            "connections": sorted(self.connections),
        }
        return json.dumps(stored, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the record that `to_json` wrote."""
        stored = json.loads(text)
        return cls(
            _stamped(stored["latest"]),
            _stamped(stored["earliest"]),
            frozenset((kind, moment) for kind, moment in stored["marks"]),
            frozenset(stored["connections"]),
        )


def _winners(known: Stamped, said: Mapping[str, Any], stamp: Stamp, *, newest: bool) -> Stamped:
    return {
        name: (stamp, value)
        for name, value in said.items()
        if name not in known or (stamp > known[name][0] if newest else stamp < known[name][0])
    }


def _stamped(stored: Mapping[str, Any]) -> Stamped:
    return {name: ((stamp[0], stamp[1]), value) for name, (stamp, value) in stored.items()}
