"""Lanes that run at the same time on a clock of their own: always the one whose time is the earliest goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tests.fakes.gateway import Time


class Killed(BaseException):
    """Another lane's function was killed, and this one with it."""


class LaneTime(Time):
    """A clock that each lane has for itself while lanes run. One lane runs at a time, so that a run can be repeated."""

    def __init__(self) -> None:
        self._base = 0.0
        self._lane = threading.local()
        self._times: dict[int, float] = {}
        self._turn = threading.Condition()
        self._killed = False
        super().__init__()

    @property
    def passed(self) -> float:
        """Seconds since the beginning, as the lane sees it that asks."""
        at = getattr(self._lane, "at", None)
        return self._base if at is None else self._times[at]

    @passed.setter
    def passed(self, value: float) -> None:
        at = getattr(self._lane, "at", None)
        if at is None:
            self._base = value
            return
        with self._turn:
            self._times[at] = value
            self._turn.notify_all()
            self._wait(at)

    def at_once[Found](self, tasks: Sequence[Callable[[], Found]]) -> list[Found]:
        """Run tasks that begin now, and return what they return when the last one has ended.

        What one raises that is no Exception ends all: they are killed together.
        """
        found: dict[int, Found] = {}
        failed: list[BaseException] = []
        self._killed, self._times = False, dict.fromkeys(range(len(tasks)), self._base)
        ended = self._base

        def run(at: int) -> None:
            nonlocal ended
            self._lane.at = at
            try:
                with self._turn:
                    self._wait(at)
                found[at] = tasks[at]()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001 - raised again below
                failed.append(error)
                self._killed = self._killed or not isinstance(error, Exception)
            finally:
                with self._turn:
                    ended = max(ended, self._times.pop(at))
                    self._turn.notify_all()

        threads = [threading.Thread(target=run, args=(at,)) for at in range(len(tasks))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._base = ended
        if failed:
            raise next((each for each in failed if not isinstance(each, Exception)), failed[0])
        return [found[at] for at in range(len(tasks))]

    def _wait(self, at: int) -> None:
        self._turn.wait_for(lambda: self._killed or min(self._times, key=lambda each: (self._times[each], each)) == at)
        if self._killed:
            raise Killed
