"""Scripts: a list of steps, each at its time.

`{"at": 0, "action": "schedule", "as": "m", "topic": "..."}` names a meeting for later steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from zoom_simulator.live.meetings import StateConflict
from zoom_simulator.model import Json, Meeting
from zoom_simulator.scenarios import actions
from zoom_simulator.simulator import Simulator


def play(sim: Simulator, steps: list[Json], done: Callable[[], None] | None = None) -> None:
    """Schedule the steps of a script: each has `at` (seconds), `action` and `meeting`.

    `{"at": 0, "action": "schedule", "as": "m", "topic": "..."}` names a meeting for later steps; a number or UUID works
    too. ValueError when a step is not one.
    """
    if not all(isinstance(step, dict) and isinstance(step.get("action"), str) for step in steps):
        raise ValueError("every step is an object with an action")
    begin, names = sim.clock.now(), dict[str, Meeting]()
    for step in steps:
        sim.timetable.at(begin + float(step.get("at", 0)), partial(_take, sim, dict(step), names))
    if done is not None:
        sim.timetable.at(begin + max((float(step.get("at", 0)) for step in steps), default=0.0), done)


def _take(sim: Simulator, step: Json, names: dict[str, Meeting]) -> None:
    step.pop("at", None)
    action, reference, name = step.pop("action"), str(step.pop("meeting", "")), str(step.pop("as", ""))
    if action == "schedule":
        user = sim.world.user(str(step.pop("user", ""))) or next(iter(sim.state.users.values()))
        names[name] = actions.schedule(sim, user, step)
        return
    meeting = names.get(reference) or sim.meetings.find(reference)
    if meeting is None:
        sim.mishaps.append(f"script: no such meeting as {reference}")
        return
    try:
        actions.perform(sim, meeting, action, step)
    except StateConflict as problem:
        sim.mishaps.append(f"script: {action}: {problem}")
