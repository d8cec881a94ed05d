"""Creates with an Idempotency-Key under search: the real service and store, and a Zoom that makes meetings.

A run is one call of a program, in a function of its own. The platform ends it soon after its deadline. Zoom may carry
a request out after nobody waits for the answer any more, within `SETTLED_AFTER`: that is what the service assumes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from tests.fakes import tables
from tests.fakes.gateway import BASE, ScriptedLimiter, Tokens, connection, principal
from tests.search.clients import Direct, DynamoDB, Transport, name_writers
from tests.search.explore import Broken, Outcome, Rules, State
from tests.search.meetings import BODY, Meetings, failure
from tests.search.outside import START, Answer, Call, Message, Outside, World
from tests.search.replay import Line, Run
from zoom_common.aws.table import Table
from zoom_common.deadline import Deadline
from zoom_common.errors import Conflict, OutcomeUnknown
from zoom_common.gateway import context
from zoom_common.gateway.http_client import RetryingHttpClient, ZoomApiClient
from zoom_common.gateway.idempotency import SETTLED_AFTER, Idempotency
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.token_rejections import RejectedRequests
from zoom_common.gateway.usage import UsageCounter
from zoom_common.transport import AnswerLost
from zoom_common.zoom.operations.table import match

# What `make test` searches.
QUICK = [
    "new/same+same",
    "new/same+other",
    *(f"{begun}/same+{who}{time}" for begun in ("sent", "made") for who in ("same", "other") for time in ("", "+61s")),
]

# A call looks for what was made when it has four seconds left, and waits for others until then: one poll or two.
SECONDS = 4.5
# The function ends this much later than the call's deadline, and before the lease of its record.
ENDS_AFTER = SECONDS + 2.0
# Two faults. After both, two keys may be told the same meeting (docs/retries-and-idempotency.md).
_NOT_STORED, _ENDED = "an answer was not stored", "the platform ended a call"
UNKNOWN, NOTHING = "unknown", "nothing"
_CONNECTION = connection()


class _Uncounted(UsageCounter):
    """Usage that nobody counts."""

    def __init__(self) -> None:
        """Count nothing."""

    def begin(self, tenant: str, stats: Any) -> None:
        """Count nothing."""


def create(line: Line, name: str, key: str) -> int:
    """Create the meeting under `key` and return its id. `name` makes the call's ids its own."""
    name_writers(name)
    service = Idempotency(
        store=IdempotencyStore(Table(cast("Any", DynamoDB(line)), tables.COORDINATION)),
        clock=line.clock,
        sleep=lambda seconds: line.ask("sleep", "", seconds),
        random=lambda: 0.5,
        new_id=lambda: name,
    )
    client = ZoomApiClient(
        tokens=Tokens(),
        http=RetryingHttpClient(
            transport=cast("Any", Transport(line)),
            limiter=ScriptedLimiter(),
            clock=line.clock,
            sleep=lambda seconds: line.ask("sleep", "", seconds),
            random=lambda: 0.5,
        ),
        usage=_Uncounted(),
        rejected=RejectedRequests(line.clock),
        api_base_url=BASE,
    )
    operation, ids = match("POST", "/v2/users/me/meetings")
    call = context.Call(
        principal=principal(),
        operation=operation,
        ids=ids,
        deadline=Deadline.after(SECONDS, clock=line.clock),
        headers={"content-type": "application/json"},
        body=json.dumps(BODY).encode(),
    )
    call.bind(_CONNECTION)
    response = service.once(call, key, client).response
    if response.status >= 500:
        raise OutcomeUnknown
    return int(json.loads(response.body)["id"])


def caller(name: str, key: str, *, at: float = START) -> Run:
    """Return a call with `key` that has not begun."""

    def body(line: Line) -> int:
        line.ask("person", "calls", lambda world: world)  # from now on its time passes
        return create(line, name, key)

    return Run(f"{name} {key}", body, at)


def later(seconds: float) -> Run:
    """Return a run that lets time pass once, at any moment, without a fault."""
    return Run("time", lambda line: line.ask("sleep", "", seconds), START)


class _Crash(BaseException):
    """The process ends here."""


class _Crashing(Direct):
    """A line whose process ends before the first call that `where` names."""

    def __init__(self, outside: Outside, world: World, where: Callable[[Call], bool]) -> None:
        super().__init__(outside, world)
        self._where = where

    def ask(self, service: str, operation: str = "", request: Any = None) -> Any:
        if self._where(Call(service, operation, request)):
            raise _Crash
        return super().ask(service, operation, request)


def crashed(outside: Outside, where: Callable[[Call], bool], key: str = "key-1") -> World:
    """Return the world after a call with `key` whose process ended before the call to the outside that `where` names.

    Its lease has ended too.
    """
    line = _Crashing(outside, outside.empty(Meetings()), where)
    try:
        create(line, "before", key)
    except _Crash:
        return replace(line.world, now=line.world.now + 20)
    raise AssertionError


def before_sending(call: Call) -> bool:
    """Whether a call is the create at Zoom."""
    return call.service == "zoom" and call.request.method == "POST"


def before_storing(call: Call) -> bool:
    """Whether a call stores the answer of the create."""
    return call.operation == "transact_write_items"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One beginning."""

    name: str
    world: World
    runs: tuple[Run, ...]
    faults: int = 1


def scenarios(outside: Outside) -> Iterator[Scenario]:
    """Yield every beginning. Where an earlier call has crashed, that was the fault."""
    empty, sent, made = (
        outside.empty(Meetings()),
        crashed(outside, before_sending),
        crashed(outside, before_storing),
    )
    for seconds in (0.0, 20.0, SETTLED_AFTER + 1):
        time, word = ((later(seconds),), f"+{seconds:g}s") if seconds else ((), "")
        yield Scenario(f"new/same+same{word}", empty, (caller("first", "key-1"), caller("second", "key-1"), *time))
        yield Scenario(f"new/same+other{word}", empty, (caller("first", "key-1"), caller("second", "key-2"), *time))
        for name, world in (("sent", sent), ("made", made)):
            again = caller("first", "key-1", at=world.now)
            for who, key in (("same", "key-1"), ("other", "key-2")):
                runs = again, caller("second", key, at=world.now), *time
                yield Scenario(f"{name}/same+{who}{word}", world, runs, faults=0)


@dataclass(slots=True)
class CreateRules(Rules):
    """What must be true of creates with keys, as the callers see it."""

    outside: Outside
    _left: dict[tuple[int, float], Run] = field(default_factory=dict)

    def handler(self, message: Message) -> Callable[..., Any]:
        raise AssertionError(message)

    def reported(self, run: Run) -> Any:
        """Return the meeting that the caller was given, or that its outcome is unknown, or that nothing was made."""
        if isinstance(run.result, int):
            return run.result
        return UNKNOWN if isinstance(run.error, OutcomeUnknown) else NOTHING

    def outcomes(self, state: State, run: Run, call: Call) -> Iterator[Outcome]:
        """Zoom never carries a create out, or late, without an answer; or it answers that it failed, and has not."""
        if call.service != "zoom" or not call.changes_something:
            return
        world = state.world
        no_answer = Answer(world.now, error=AnswerLost())
        made, _ = world.zoom.answer(call.request, now=world.now)
        yield Outcome("vanishes", world, no_answer)
        yield Outcome("late", world, no_answer, (self._late(run, call, world.now),))
        yield Outcome("500, made", replace(world, zoom=made), Answer(world.now, failure()))
        yield Outcome("500, not made", world, Answer(world.now, failure()))

    def _late(self, run: Run, call: Call, now: float) -> Run:
        def carried_out(world: World) -> World:
            made, _ = world.zoom.answer(call.request, now=world.now)
            return replace(world, zoom=made)

        name = run.number, now
        if name not in self._left:
            ask: Callable[[Line], Any] = lambda line: line.ask("person", "carries it out late", carried_out)  # noqa: E731
            self._left[name] = Run("zoom", ask, now).started()
        return self._left[name]

    def is_possible(self, state: State) -> bool:
        """What Zoom carries out late, it carries out before the service trusts that it will not."""
        return all(
            run.ended or run.name != "zoom" or state.world.now < run.started_at + SETTLED_AFTER for run in state.runs
        )

    def has_ended(self, state: State, run: Run) -> bool:
        """Return whether the platform has ended the function of a call."""
        begun = run.answers[0].now if run.answers else state.world.now
        return _key(run) is not None and state.world.now > begun + ENDS_AFTER

    def excuses(self, state: State, run: Run, outcome: str, after: World) -> frozenset[str]:  # noqa: ARG002
        """Return what has happened of the two faults after which two keys may be told the same meeting."""
        if outcome == "failed" and run.call is not None and before_storing(run.call):
            return frozenset({_NOT_STORED})
        return frozenset({_ENDED} if outcome == "crash" and self.has_ended(state, run) else ())

    def at(self, state: State) -> None:
        """One meeting for each key at most, and no meeting for two keys."""
        self._judge(state, state.world, [(_key(run), self.reported(run)) for run in state.runs if run.ended])

    def in_the_end(self, state: State) -> None:
        """Every key that is sent again and again comes to one meeting, or to an outcome that nobody knows."""
        world, answers = state.world, [(_key(run), self.reported(run)) for run in state.runs]
        for key in sorted({key for key, _ in answers if key}):
            world, answer = self._again(world, key)
            answers.append((key, answer))
        self._judge(state, world, answers)

    def _judge(self, state: State, world: World, answers: Sequence[tuple[str | None, Any]]) -> None:
        keys = {_key(run) for run in state.runs} - {None}
        if len(world.zoom.made) > len(keys):
            raise Broken(f"{len(world.zoom.made)} meetings for {len(keys)} keys")
        if {_NOT_STORED, _ENDED} <= state.excused:
            return
        of_meeting: dict[int, Any] = {}
        of_key: dict[Any, int] = {}
        for key, made in answers:
            if not isinstance(made, int) or key is None:
                continue
            if of_key.setdefault(key, made) != made:
                raise Broken(f"{key} was given the meetings {of_key[key]} and {made}")
            if of_meeting.setdefault(made, key) != key:
                raise Broken(f"meeting {made} was given to {of_meeting[made]} and to {key}")

    def _again(self, world: World, key: str) -> tuple[World, Any]:
        unknown = 0
        for at in range(10):
            line = Direct(self.outside, world)
            try:
                made = create(line, f"again-{at}", key)
            except OutcomeUnknown:
                wait, unknown = SETTLED_AFTER + 1, unknown + 1
            except Conflict as conflict:
                wait = float(conflict.headers["retry-after"])
            else:
                return line.world, made
            world = replace(line.world, now=line.world.now + wait)
            if unknown > 1:
                return world, UNKNOWN
        raise Broken(f"in the end, {key} has no answer")


def _key(run: Run) -> str | None:
    return run.name.partition(" ")[2] or None
