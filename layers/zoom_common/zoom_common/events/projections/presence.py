"""When one session was in the meeting, from its marks. Pure: moments of joins, leaves and waits in, stays out.

Zoom writes whole seconds, and a move between rooms is a leave and a join of one second, in either order (measured in
2026 on 40 moves). So all marks of one moment are read together, and what comes later decides what was last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

JOINED, LEFT = "joined", "left"

# Into the waiting room, from outside or from the meeting.
WAITING = "waiting"

# Out of the waiting room: let in by the host, or gone to wherever.
ADMITTED, WAITED = "admitted", "waited"

# Another session of the same device joined.
MOVED = "moved"

# So long it may take from the waiting room into the meeting: who joins under another id by then was not there before.
_ENTERING_MS = 5_000

_PRESENT, _ABSENT, _HELD, _RELEASED = "present", "absent", "held", "released"

# For each state the marks of one moment that matter in it, in the order in which they can follow, with the next state.
_TRANSITIONS: Mapping[str, Sequence[tuple[str, str]]] = {
    _PRESENT: ((WAITING, _HELD), (LEFT, _ABSENT)),
    _HELD: ((ADMITTED, _PRESENT), (JOINED, _PRESENT), (WAITED, _RELEASED), (LEFT, _ABSENT), (MOVED, _ABSENT)),
    _RELEASED: ((ADMITTED, _PRESENT), (JOINED, _PRESENT), (WAITING, _HELD), (LEFT, _ABSENT), (MOVED, _ABSENT)),
    _ABSENT: ((JOINED, _PRESENT),),
}


@dataclass(frozen=True, slots=True)
class Stay:
    """From when to when, in epoch ms. `joined` is None when only the leave was seen, `left` while present."""

    joined: int | None
    left: int | None
    assumed: bool = False
    """Whether `left` is not from a leave, but from the end of the meeting or the next join of the same device."""

    @property
    def start(self) -> int:
        """The first moment known of it."""
        return (self.joined if self.joined is not None else self.left) or 0


def stays(own: Iterable[tuple[str, int]], device: Iterable[tuple[str, int]], ended: int | None) -> list[Stay]:
    """Return the stays of a session in order, without the time in the waiting room.

    `own` are the session's marks (joins and leaves count); `device` those of all other sessions of its device: their
    joins, and everybody's waits. `ended` is the end of the meeting in epoch ms, None while it runs.
    """
    found: dict[int, set[str]] = {}
    own, device = list(own), list(device)
    for kind, moment in own:
        found.setdefault(moment, set()).add(kind)
    for kind, moment in device:
        if kind != LEFT:
            found.setdefault(moment, set()).add(MOVED if kind == JOINED else kind)
    walk = _Walk(waited=any(kind in {WAITING, WAITED} for kind, _ in (*own, *device)))
    ordered = sorted(found.items())
    for at, (moment, kinds) in enumerate(ordered):
        walk.take(moment, kinds, [later for _, later in ordered[at + 1 :]])
    return walk.finish(ended)


def waits(own: Iterable[tuple[str, int]], device: Iterable[tuple[str, int]], ended: int | None) -> list[Stay]:
    """Return when a session was in the waiting room, in order. `own`, `device` and `ended` are those of `stays`.

    A wait ends with the next later mark of the device that is no wait, else with the meeting.
    """
    own = list(own)
    begins = sorted({moment for kind, moment in own if kind == WAITING})
    outs = {moment for kind, moment in own if kind in {ADMITTED, WAITED, JOINED, LEFT}}
    outs |= {moment for kind, moment in device if kind in {ADMITTED, WAITED, JOINED}}
    found: list[Stay] = []
    for begin in begins:
        if found and (found[-1].left is None or begin < found[-1].left):
            continue  # it was reported twice
        out = min((moment for moment in outs if moment > begin), default=None)
        assumed = out is None and ended is not None
        found.append(Stay(begin, max(begin, ended) if out is None and ended is not None else out, assumed))
    return found


@dataclass(slots=True)
class _Walk:
    """One session's way through its moments."""

    waited: bool
    state: str = _ABSENT
    opened: int = 0
    released: int = 0
    moved: int | None = None
    admitted: bool = False
    by_admission: bool = False
    found: list[Stay] = field(default_factory=list)

    def take(self, moment: int, kinds: set[str], later: Sequence[set[str]]) -> None:
        """Go on with everything of one moment."""
        self.admitted = self.admitted or ADMITTED in kinds
        if self.moved is not None and self.state == _PRESENT and JOINED in kinds and LEFT not in kinds:
            self._come_back(moment)
        if {JOINED, LEFT} <= kinds and self.state in {_PRESENT, _ABSENT} and WAITING not in kinds:
            self._leave_and_join(moment, later)
        elif LEFT in kinds and JOINED not in kinds and self.state == _ABSENT and not self.found:
            self._leave_unseen(moment)
        else:
            self._follow(moment, set(kinds), later)
        if MOVED in kinds and self.state == _PRESENT and self.moved is None and moment > self.opened:
            self.moved = moment
            if self.by_admission and moment - self.opened <= _ENTERING_MS:
                self.state = _ABSENT  # it was let in, and is there under another id

    def finish(self, ended: int | None) -> list[Stay]:
        """Return the stays, with the one that no mark ended."""
        if self.state != _PRESENT:
            return self.found
        left = min((at for at in (self.moved, ended) if at is not None), default=None)
        last = Stay(self.opened, None if left is None else max(self.opened, left), assumed=left is not None)
        return [*self.found, last]

    def _follow(self, moment: int, kinds: set[str], later: Sequence[set[str]]) -> None:
        if self.state == _PRESENT and WAITING in kinds and JOINED not in kinds:
            kinds.discard(LEFT)  # it left the meeting for the waiting room
        if self.state == _ABSENT and {WAITING, JOINED} <= kinds and _is_held(kinds, later):
            self.state = _HELD  # it was put into the waiting room as soon as it came
            return
        if self.state == _ABSENT:
            kinds.discard(WAITING)  # it waited before it joined
        if MOVED in kinds and JOINED not in kinds:
            kinds.discard(ADMITTED)  # it was let in under the other session's id
        while step := next((each for each in _TRANSITIONS[self.state] if each[0] in kinds), None):
            kinds.discard(step[0])
            self._go(moment, *step)

    def _go(self, moment: int, kind: str, state: str) -> None:
        if self.state == _PRESENT:
            self._close(moment)
        elif self.state == _RELEASED and kind == LEFT and moment > self.released:
            self.found.append(Stay(self.released, moment))  # it was let in, though nothing said so
        if state == _PRESENT:
            self._open(moment)
            self.by_admission = kind == ADMITTED
        self.released = moment if state == _RELEASED else self.released
        self.state = state

    def _leave_and_join(self, moment: int, later: Sequence[set[str]]) -> None:
        """The next single mark decides which of both was last; without one, presence does not change."""
        following = next((kinds & {JOINED, LEFT} for kinds in later if len(kinds & {JOINED, LEFT}) == 1), None)
        stays_on = self.state == _PRESENT if following is None else LEFT in following
        if self.state == _ABSENT:
            self._open(moment)
        self._close(moment)
        if stays_on:
            self._open(moment)
        self.state = _PRESENT if stays_on else _ABSENT

    def _come_back(self, moment: int) -> None:
        """The device had another session in between, and nothing said when it left this one."""
        if self.moved is not None:
            self.found.append(Stay(self.opened, self.moved, assumed=True))
        self._open(moment)

    def _leave_unseen(self, moment: int) -> None:
        """A leave without a join is no stay if the person only waited."""
        if not self.waited or self.admitted:
            self.found.append(Stay(None, moment))

    def _open(self, moment: int) -> None:
        self.opened, self.moved, self.by_admission = moment, None, False

    def _close(self, moment: int) -> None:
        self.found.append(Stay(self.opened, moment))


def _is_held(kinds: set[str], later: Sequence[set[str]]) -> bool:
    """Return whether a session that came and waited in one moment still waits: it is let in, or goes, later."""
    out = {ADMITTED, WAITED}
    following = next((each for each in later if each & {*out, WAITING, JOINED, LEFT}), set())
    return not kinds & {*out, LEFT} and bool(following & out)
