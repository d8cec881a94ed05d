"""Runs ordinary code as a function of the answers that it has had so far.

The code under search knows nothing of the search. Its clients ask a `Line`. A line gives the answers of a history one
after the other, and stops the code where the history ends: that request is what the code does next. So any code can be
stopped between any two of its requests, and continued with any answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.search.outside import Answer, Call

type Body = Callable[[Line], Any]

_numbers = count()


class Stopped(BaseException):
    """The history ends here."""


class Line:
    """What the clients of one run ask. `now` is the moment of the last answer, in epoch seconds."""

    def __init__(self, answers: list[Answer], now: float) -> None:
        self._answers = answers
        self._at = 0
        self.now = now
        self.next: Call | None = None

    def clock(self) -> float:
        """Return the time as this run knows it."""
        return self.now

    def ask(self, service: str, operation: str = "", request: Any = None) -> Any:
        """Return or raise the answer to a request. Raises Stopped where the history ends, then again and again."""
        if self.next is not None:
            raise Stopped
        call = Call(service, operation, request)
        if self._at == len(self._answers):
            self.next = call
            raise Stopped
        answer = self._answers[self._at]
        self._at += 1
        self.now = answer.now
        if answer.error is not None:
            raise answer.error
        return answer.value


@dataclass(slots=True, eq=False)
class Run:
    """One run after some answers: the call it makes next, or its end. `received` are the answers' values."""

    name: str
    body: Body
    started_at: float
    answers: tuple[Answer, ...] = ()
    call: Call | None = None
    result: Any = None
    error: Exception | None = None
    message: Any = None  # the queue's message that it handles
    number: int = field(default_factory=lambda: next(_numbers))
    _next: dict[Any, Run] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """The moment of the last answer."""
        return self.answers[-1].now if self.answers else self.started_at

    @property
    def ended(self) -> bool:
        """Return whether it makes no more calls."""
        return self.call is None

    def started(self) -> Run:
        """Return this run, gone on to its first call."""
        line = Line(list(self.answers), self.started_at)
        try:
            self.result = self.body(line)
        except Stopped:
            self.call = line.next
        except Exception as error:  # noqa: BLE001 - how a run ends is for the search to judge
            if line.next is None:
                self.error = error
            else:
                self.call = line.next
        else:
            if line.next is not None:
                self.call = line.next
        return self

    def after(self, answer: Answer) -> Run:
        """Return the run once it has had this answer; the same one for the same answer."""
        about = getattr(answer.value, "body", None), getattr(answer.error, "response", None)
        name = answer.now, repr(answer.value), repr(answer.error), repr(about)
        known = self._next.get(name)
        if known is None:
            known = Run(self.name, self.body, self.started_at, (*self.answers, answer), message=self.message).started()
            self._next[name] = known
        return known
