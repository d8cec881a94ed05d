"""The people and meetings of an event on demand: those of the simulator, or invented ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from zoom_simulator.clock import iso
from zoom_simulator.live.meetings import instance_of
from zoom_simulator.live.recordings import KINDS, new_file, new_recording
from zoom_simulator.model import Instance, Json, Kind, Meeting, Recording, Registrant, User, Visit
from zoom_simulator.simulator import Simulator

HOUR = 3600.0


@dataclass
class EventContext:
    """The people and things of one event. Invented ones are not stored."""

    sim: Simulator
    name: str
    meeting: Meeting
    user: User

    @property
    def kind(self) -> Kind:
        """Meeting or webinar."""
        return self.meeting.kind

    @property
    def now(self) -> float:
        """The simulated time."""
        return self.sim.clock.now()

    @property
    def when(self) -> str:
        """Now, as Zoom writes it."""
        return iso(self.now)

    @cached_property
    def instance(self) -> Instance:
        """The instance that is live, the last one, or an invented one that began an hour ago."""
        found = self.sim.world.instance(self.meeting.live_uuid or str(self.meeting.id))
        return found or instance_of(self.meeting, self.meeting.duration, self.now - HOUR)

    @cached_property
    def host(self) -> User:
        """The host of the meeting."""
        return self.sim.world.someone(self.meeting.host_id)

    @cached_property
    def visit(self) -> Visit:
        """A participant."""
        for each in reversed(self.instance.visits):
            if each.left_at is None:
                return each
        ids = self.sim.ids
        return Visit(
            user_id=ids.session_number(),
            uuid=ids.participant_uuid(),
            name="Grace Guest",
            joined_at=self.now,
            email="grace@guest.example",
            registrant_id=ids.opaque(),
            customer_key="grace1",
            phone_number="15550100",
        )

    @cached_property
    def registrant(self) -> Registrant:
        """A registrant."""
        if self.meeting.registrants:
            return self.meeting.registrants[-1]
        link = f"{self.sim.base_url}/{self.kind[0]}/{self.meeting.id}?tk={self.sim.ids.secret()}"
        answers: Json = {
            "last_name": "Guest",
            "address": "1 Harbour Street",
            "city": "Hamburg",
            "country": "DE",
            "zip": "20457",
            "state": "HH",
            "phone": "5550100",
            "industry": "Shipping",
            "org": "Guests Ltd",
            "job_title": "Pilot",
            "purchasing_time_frame": "1-3 months",
            "role_in_purchase_process": "Influencer",
            "no_of_employees": "1-20",
            "comments": "Looking forward to it",
            "custom_questions": [{"title": "What brings you here?", "value": "Curiosity"}],
        }
        made = Registrant(self.sim.ids.opaque(), "grace@guest.example", "Grace", self.now, link, "approved")
        made.answers = answers
        return made

    @cached_property
    def recording(self) -> Recording:
        """The recording of the instance, or an invented one."""
        found = self.sim.state.recordings.get(self.instance.uuid)
        if found is not None and found.files:
            return found
        made = new_recording(self.instance, self.sim.ids)
        segment = [self.instance.started_at, self.now]
        made.segments, made.state = [segment], "completed"
        made.files = [new_file(kind, segment, self.sim.ids, self.sim.behaviour.recording_bytes) for kind in KINDS]
        return made


def context(sim: Simulator, name: str, meeting: Meeting | None, user: User) -> EventContext:
    """Return the context of an event about `meeting`, or else about the newest of its kind, or else an invented one."""
    kind: Kind = "webinar" if name.startswith("webinar.") else "meeting"
    if meeting is not None and meeting.kind != kind and name.startswith(("meeting.", "webinar.")):
        raise ValueError(f"{name} is about a {kind}, and {meeting.id} is none")
    return EventContext(sim, name, meeting or _newest(sim, kind) or _invented(sim, kind, user), user)


def _newest(sim: Simulator, kind: Kind) -> Meeting | None:
    found = [each for each in sim.state.meetings.values() if each.kind == kind and each.deleted_at is None]
    live = [each for each in found if each.live_uuid]
    return next(reversed(live or found), None)


def _invented(sim: Simulator, kind: Kind, host: User) -> Meeting:
    account = sim.state.accounts[host.account_id]
    return sim.meetings.new(kind, account, host, {"topic": f"An invented {kind}"})
