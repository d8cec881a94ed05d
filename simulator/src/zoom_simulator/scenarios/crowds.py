"""Crowds: people who come and go at a given rate. The same seed gives the same sequence."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

from zoom_simulator.live.meetings import Guest, StateConflict
from zoom_simulator.model import Instance, Json, Meeting
from zoom_simulator.scenarios import actions
from zoom_simulator.simulator import Simulator

FIRST = ("Ada", "Alan", "Barbara", "Claude", "Edsger", "Frances", "Grace", "Hedy", "Jean", "Ken", "Margaret", "Niklaus")
LAST = ("Lovelace", "Turing", "Liskov", "Shannon", "Dijkstra", "Allen", "Hopper", "Lamarr", "Bartik", "Thompson")


@dataclass(frozen=True)
class Plan:
    """The size, rate and duration of a crowd."""

    seed: int = 1
    meetings: int = 5  # at once
    people: int = 20  # per meeting, at most
    steps_per_minute: float = 600.0  # a step is one thing somebody does; most make one event
    seconds: float = 60.0
    webinars: float = 0.2  # share of webinars
    recorded: float = 0.3  # share that is recorded
    waiting_rooms: float = 0.2
    registered: float = 0.3
    rooms: float = 0.0  # share of steps that lead to a breakout room, out of one, or to another role
    hosts: int = 0  # how many users host; 0: all

    @classmethod
    def read(cls, wanted: Json) -> Plan:
        """A plan from a request body or a form. ValueError for fields that do not exist."""
        whole = {field.name: isinstance(field.default, int) for field in fields(cls)}
        unknown = set(wanted) - set(whole)
        if unknown:
            raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {name: int(each) if whole[name] else float(each) for name, each in wanted.items()}
        for name in ("steps_per_minute", "meetings", "people"):
            if values.get(name, 1) <= 0:
                raise ValueError(f"{name} has to be more than 0")
        odd = [name for name, value in values.items() if name != "seed" and not (isfinite(value) and value >= 0)]
        if odd:
            raise ValueError(f"{odd[0]} cannot be {values[odd[0]]}")
        return cls(**values)


class Crowd:
    """One run of a plan."""

    def __init__(self, sim: Simulator, plan: Plan) -> None:
        self._sim = sim
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._began = sim.clock.now()
        self._own: list[Meeting] = []
        self.steps = 0
        self.running = False

    def begin(self) -> None:
        """Start; the first step is taken at the next turn."""
        self.running = True
        self._sim.timetable.at(self._began, self._step)

    def stop(self) -> None:
        """Stop, and end the crowd's meetings."""
        self.running = False
        for meeting in self._own:
            if meeting.live_uuid:
                self._sim.live.end(meeting)
        self._own.clear()

    def describe(self) -> Json:
        """Return the progress."""
        return {
            "seed": self._plan.seed,
            "running": self.running,
            "steps": self.steps,
            "live": sum(bool(meeting.live_uuid) for meeting in self._own),
        }

    def _step(self) -> None:
        if not self.running:
            return
        moment = self._began + self.steps * 60.0 / self._plan.steps_per_minute
        if moment - self._began >= self._plan.seconds:
            self.stop()
            return
        self.steps += 1
        self._act()
        self._sim.timetable.at(self._began + self.steps * 60.0 / self._plan.steps_per_minute, self._step)

    def _act(self) -> None:
        self._own = [meeting for meeting in self._own if meeting.live_uuid]
        if len(self._own) < self._plan.meetings:
            self._open()
            return
        meeting = self._random.choice(self._own)
        instance = self._sim.live.current(meeting)
        present = sum(visit.left_at is None for visit in instance.visits)
        if present >= self._plan.people or (present > 1 and self._random.random() < 0.01):  # noqa: PLR2004 - now and then
            self._sim.live.end(meeting)
            return
        if self._plan.rooms and self._random.random() < self._plan.rooms:
            self._wander(instance)
            return
        step = self._random.choices(
            (self._join, self._leave, self._admit, self._share, self._register), weights=(50, 20, 12, 12, 6)
        )[0]
        try:
            step(meeting, instance)
        except StateConflict:
            self._join(meeting, instance)

    def _open(self) -> None:
        users = [user for user in self._sim.state.users.values() if user.status == "active"]
        hosts = users[: self._plan.hosts or len(users)]
        webinar = self._random.random() < self._plan.webinars
        settings: Json = {
            "auto_recording": "cloud" if self._random.random() < self._plan.recorded else "none",
            "approval_type": 0 if self._random.random() < self._plan.registered else 2,
        }
        if not webinar:
            settings["waiting_room"] = self._random.random() < self._plan.waiting_rooms
        body: Json = {
            "kind": "webinar" if webinar else "meeting",
            "topic": f"Crowd {self._plan.seed}, {'webinar' if webinar else 'meeting'} {self.steps}",
            "settings": settings,
        }
        meeting = actions.schedule(self._sim, self._random.choice(hosts), body)
        self._own.append(meeting)
        self._sim.live.start(meeting)

    def _join(self, meeting: Meeting, _: Instance) -> None:
        name = f"{self._random.choice(FIRST)} {self._random.choice(LAST)}"
        self._sim.live.arrive(meeting, Guest(name=name, customer_key=f"crowd{self.steps}"))

    def _wander(self, instance: Instance) -> None:
        inside = [visit for visit in instance.visits if visit.left_at is None and not visit.waiting]
        if not inside:
            return
        visit = self._random.choice(inside)
        if instance.kind == "webinar" or self._random.random() < 0.2:  # noqa: PLR2004 - now and then
            self._sim.live.change_role(instance, visit, "co-host" if visit.role == "attendee" else "attendee")
        elif visit.room:
            self._sim.live.return_from_room(instance, visit)
        else:
            self._sim.live.enter_room(instance, visit, self._random.choice(("Kitchen", "Cellar", "Attic")))

    def _leave(self, _: Meeting, instance: Instance) -> None:
        here = [visit for visit in instance.visits if visit.left_at is None]
        if not here:
            raise StateConflict("nobody is there")
        self._sim.live.leave(instance, self._random.choice(here))

    def _admit(self, _: Meeting, instance: Instance) -> None:
        waiting = [visit for visit in instance.visits if visit.waiting and visit.left_at is None]
        if not waiting:
            raise StateConflict("nobody waits")
        self._sim.live.admit(instance, self._random.choice(waiting))

    def _share(self, _: Meeting, instance: Instance) -> None:
        inside = [visit for visit in instance.visits if visit.left_at is None and not visit.waiting]
        sharing = [visit for visit in inside if visit.sharing]
        if sharing:
            self._sim.live.stop_sharing(instance, sharing[0])
        elif inside:
            self._sim.live.share(instance, self._random.choice(inside))
        else:
            raise StateConflict("nobody can share")

    def _register(self, meeting: Meeting, _: Instance) -> None:
        if meeting.settings.get("approval_type") == 2:  # noqa: PLR2004 - no registration
            raise StateConflict("nobody registers for this one")
        first = self._random.choice(FIRST)
        body = {"email": f"{first.lower()}.{self.steps}@crowd.example", "first_name": first}
        self._sim.registration.add(meeting, {**body, "last_name": self._random.choice(LAST)})


class Crowds:
    """The crowds of one simulator, running and stopped."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._crowds: list[Crowd] = []

    def begin(self, plan: Plan) -> Json:
        """Start a crowd and return its description."""
        crowd = Crowd(self._sim, plan)
        self._crowds.append(crowd)
        crowd.begin()
        return crowd.describe()

    def stop(self) -> None:
        """Stop every crowd."""
        for crowd in self._crowds:
            crowd.stop()

    def describe(self) -> list[Json]:
        """Return the description of every crowd, oldest first."""
        return [crowd.describe() for crowd in self._crowds]
