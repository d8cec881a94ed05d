"""Visits every state that runs, faults, jumps of time and repeated messages can lead to.

At each state one run makes its next call, with one of these outcomes. All but the first cost a fault.

* ok: it is carried out and answered.
* failed: it is not carried out, and the run is told that it failed.
* lost: it is carried out, and the run is told that no answer came.
* twice: it is carried out, its answer is lost, and the client below the store sends it again.
* crash: the run ends before the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Protocol

from tests.search.outside import Answer, Call, Message, Outside, World, failed, lost
from tests.search.replay import Run

# How long a message that was not taken stays away, in seconds.
_HIDDEN = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes: faults of any kind in all, and the lengths by which time may jump, in seconds."""

    faults: int = 1
    jumps: Sequence[float] = (1000.0,)
    deliveries: int = 0  # besides those that a scenario begins with


@dataclass(frozen=True, slots=True)
class Step:
    """What happened between two states, for a trace."""

    who: str
    what: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.who}: {self.what} -> {self.outcome}"


@dataclass(frozen=True, slots=True)
class State:
    """The outside, the runs in it, what may still go wrong, and tokens that a fault has lost for good."""

    world: World
    runs: tuple[Run, ...]
    faults: int
    deliveries: int
    excused: frozenset[str] = frozenset()
    spurious: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What may become of a call: the outside afterwards, the answer, and a run that it leaves behind."""

    name: str
    world: World
    answer: Answer
    leaves: tuple[Run, ...] = ()


class Broken(AssertionError):
    """An invariant does not hold."""


class Rules(Protocol):
    """What must be true, and how a message is handled."""

    def before(self, state: State, run: Run, call: Call) -> None:  # noqa: ARG002
        """Judge a call that is about to be carried out. Raises Broken."""
        return

    def at(self, state: State) -> None:
        """Judge a state. Raises Broken."""
        ...

    def in_the_end(self, state: State) -> None:
        """Let everything come to rest without faults, and judge what that leaves. Raises Broken."""
        ...

    def is_private(self, call: Call) -> bool:  # noqa: ARG002
        """Return whether no other run can see or influence what this call reads and writes: its order is no matter."""
        return False

    def handler(self, message: Message) -> Callable[..., Any]:
        """Return the code that handles a message, and returns whether it is done with."""
        ...

    def excuses(self, state: State, run: Run, outcome: str, after: World) -> frozenset[str]:  # noqa: ARG002
        """Return the tokens that this outcome of the run's call loses for good."""
        return frozenset()

    def outcomes(self, state: State, run: Run, call: Call) -> Iterable[Outcome]:  # noqa: ARG002
        """Return outcomes of a call that only these rules know. Each costs a fault."""
        return ()

    def is_possible(self, state: State) -> bool:  # noqa: ARG002
        """Return whether the outside can be like this."""
        return True

    def has_ended(self, state: State, run: Run) -> bool:  # noqa: ARG002
        """Return whether the platform has ended this run, because its time is over."""
        return False

    def reported(self, run: Run) -> Any:  # noqa: ARG002
        """Return what a run that has ended told its caller, as far as it makes a difference."""
        return None


@dataclass(slots=True)
class Found:
    """What a search came to. `broken` is the first violation, `trace` how it came to be."""

    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    broken: str | None = None
    trace: tuple[Step, ...] = ()
    choices: tuple[tuple[Any, ...], ...] = ()

    def __str__(self) -> str:
        return "\n".join([str(self.broken), *(f"  {step}" for step in self.trace)])


@dataclass(slots=True)
class Search:
    """Depth first, each state once."""

    outside: Outside
    rules: Rules
    bounds: Bounds
    _started: dict[Any, Run] = field(default_factory=dict)
    _ends: set[Any] = field(default_factory=set)

    def run(self, world: World, runs: Sequence[Run], *, deliveries: int = 0) -> Found:
        """Search all that can follow when `deliveries` messages may meet the runs."""
        begun = monotonic()
        first = State(
            world, tuple(each.started() for each in runs), self.bounds.faults, self.bounds.deliveries + deliveries
        )
        found = Found()
        came_from: dict[Any, tuple[Any, Step] | None] = {self._key(first): None}
        todo = [(first, self._key(first))]
        try:
            while todo:
                state, key = todo.pop()
                at: tuple[Any, Step | None] = key, None
                for step, following in self._following(state, at_end := [False]):
                    at = key, step
                    if following is None:
                        raise Broken(step.outcome)  # noqa: TRY301 - judged with all others
                    if not self.rules.is_possible(following):
                        continue
                    found.transitions += 1
                    name = self._key(following)
                    if name in came_from:
                        continue
                    came_from[name] = key, step
                    at = name, None
                    self.rules.at(following)
                    todo.append((following, name))
                at = key, None
                if at_end[0]:
                    self._end(state)
        except Broken as broken:
            found.broken, found.trace = str(broken), _trace(came_from, *at)
        found.states, found.seconds = len(came_from), monotonic() - begun
        return found

    def _key(self, state: State) -> Any:
        runs = tuple(self._name(run) for run in state.runs)
        return self.outside.key(state.world), runs, state.faults, state.deliveries, state.excused, state.spurious

    def _name(self, run: Run) -> Any:
        return (run.name, run.message, self.rules.reported(run)) if run.ended else run.number

    def _end(self, state: State) -> None:
        reported = tuple((run.name, self.rules.reported(run)) for run in state.runs)
        key = self.outside.key(state.world), state.excused, state.spurious, reported
        if key not in self._ends:
            self.rules.in_the_end(state)
            self._ends.add(key)

    def _following(self, state: State, at_end: list[bool]) -> Any:
        live = [at for at, run in enumerate(state.runs) if not run.ended]
        at_end[0] = not live
        calls: list[Any] = [state.runs[at].call for at in live]
        alone = [at for at, call in zip(live, calls, strict=True) if call.is_local or self.rules.is_private(call)]
        for at in alone[:1] or live:
            yield from self._go(state, at)
        if any(call.is_local for call in calls):
            return
        if not alone and len(live) <= 1 and state.deliveries:
            for message in dict.fromkeys(state.world.queue):
                if message.visible_at <= state.world.now:
                    yield self._deliver(state, message, again=False)
                    if state.faults:
                        yield self._deliver(state, message, again=True)
        if live and state.faults:
            for seconds in self.bounds.jumps:
                world = replace(state.world, now=state.world.now + seconds)
                yield Step("time", f"{seconds:g} s", "pass"), replace(state, world=world, faults=state.faults - 1)

    def _deliver(self, state: State, message: Message, *, again: bool) -> tuple[Step, State]:
        queue = list(state.world.queue)
        queue.remove(message)
        if again:
            queue.append(replace(message, visible_at=message.visible_at + _HIDDEN))
        name = message, state.world.now
        if name not in self._started:
            self._started[name] = Run(
                f"message-{len(self._started)}", self.rules.handler(message), state.world.now, message=message
            ).started()
        run = self._started[name]
        world = replace(state.world, queue=tuple(queue))
        after = replace(
            state,
            world=self._taken(world, run),
            runs=(*state.runs, run),
            deliveries=state.deliveries - 1,
            faults=state.faults - again,
        )
        return Step("queue", message.body[:60], "delivered, to come again" if again else "delivered"), after

    def _taken(self, world: World, run: Run) -> World:
        """Put the message of a run back that has ended without being done with it."""
        if run.message is None or not run.ended or (run.error is None and run.result):
            return world
        back = replace(run.message, visible_at=world.now + _HIDDEN)
        return replace(world, queue=(*world.queue, back))

    def _go(self, state: State, at: int) -> Any:
        run, world = state.runs[at], state.world
        call = run.call
        assert call is not None
        if self.rules.has_ended(state, run):
            yield self._went(state, at, "crash", world, None, cost=0)
            return
        try:
            self.rules.before(state, run, call)
        except Broken as broken:
            yield Step(run.name, str(call), str(broken)), None
            return
        after, answer = self.outside.carry_out(world, call, asked_at=run.now)
        yield self._went(state, at, "ok", after, run.after(answer), cost=0)
        if not state.faults or call.service in {"sleep", "person"}:
            return
        yield self._went(state, at, "failed", world, run.after(failed(call, world.now)))
        yield self._went(state, at, "crash", world, None)
        if call.changes_something:
            yield self._went(state, at, "lost", after, run.after(lost(call, after.now)))
        if call.changes_something and call.service in {"dynamodb", "sqs"} and call.operation != "transact_write_items":
            twice, second = self.outside.carry_out(after, call, asked_at=run.now)
            yield self._went(state, at, "twice", twice, run.after(second))
        for each in self.rules.outcomes(state, run, call):
            yield self._went(state, at, each.name, each.world, run.after(each.answer), leaves=each.leaves)

    def _went(
        self,
        state: State,
        at: int,
        outcome: str,
        world: World,
        run: Run | None,
        *,
        cost: int = 1,
        leaves: tuple[Run, ...] = (),
    ) -> tuple[Step, State]:
        former = state.runs[at]
        excused = state.excused | self.rules.excuses(state, former, outcome, world)
        crashed = run is None
        if run is None:
            run = Run(former.name, former.body, former.started_at, error=_CRASH, message=former.message)
        runs = (*state.runs[:at], run, *state.runs[at + 1 :], *leaves)
        after = replace(state, world=self._taken(world, run), runs=runs, faults=state.faults - cost, excused=excused)
        return Step(former.name, str(former.call), "crash" if crashed else outcome), after


_CRASH = RuntimeError("crashed")


def _trace(came_from: dict[Any, tuple[Any, Step] | None], key: Any, last: Step | None) -> tuple[Step, ...]:
    steps = [last] if last is not None else []
    while (before := came_from[key]) is not None:
        key, step = before
        steps.append(step)
    return tuple(reversed(steps))
