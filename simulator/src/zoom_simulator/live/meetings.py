"""Live meetings: they start, people wait, join, share and leave, and they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock, iso
from zoom_simulator.ids import Ids
from zoom_simulator.meetings.definitions import PERSONAL, RECURRING_FIXED, Meetings
from zoom_simulator.model import Instance, Json, Meeting, Registrant, User, Visit
from zoom_simulator.webhooks import payloads
from zoom_simulator.webhooks.publisher import Publisher
from zoom_simulator.world import World


class StateConflict(Exception):
    """The action does not fit the state of the meeting. The control API answers 409."""


def instance_of(meeting: Meeting, duration: int, now: float) -> Instance:
    """Return a new instance of `meeting` that begins at `now`; `duration` is the scheduled one, in minutes."""
    return Instance(
        uuid=meeting.uuid,
        meeting_id=meeting.id,
        shown_id=meeting.pmi or meeting.id,
        kind=meeting.kind,
        account_id=meeting.account_id,
        host_id=meeting.host_id,
        topic=meeting.topic,
        type=PERSONAL if meeting.pmi and meeting.kind == "meeting" else meeting.type,
        timezone=meeting.timezone,
        duration=duration,
        started_at=now,
        tracking_fields=[{"field": each["field"], "value": each.get("value", "")} for each in meeting.tracking_fields],
    )


@dataclass(frozen=True)
class Guest:
    """A person who joins. An e-mail address of the account makes them a colleague, a registrant id a registrant."""

    name: str = ""
    email: str = ""
    registrant_id: str = ""
    customer_key: str = ""
    phone_number: str = ""


class LiveMeetings:
    """Starts and ends meetings, and moves their participants."""

    def __init__(
        self,
        world: World,
        *,
        meetings: Meetings,
        publisher: Publisher,
        clock: Clock,
        ids: Ids,
        behaviour: Behaviour,
    ) -> None:
        self._world = world
        self._meetings = meetings
        self._publisher = publisher
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour
        self.on_start: list[Callable[[Meeting, Instance], None]] = []
        self.on_end: list[Callable[[Instance], None]] = []

    # the meeting

    def start(self, meeting: Meeting) -> Instance:
        """Start a meeting. Every start after the first gets a new UUID. StateConflict when it is live already."""
        if meeting.live_uuid:
            raise StateConflict("the meeting is on already")
        now = self._clock.now()
        if any(each.meeting_id == meeting.id for each in self._world.held(meeting.id)):
            meeting.uuid = self._ids.uuid(awkward=self._behaviour.awkward_uuids)
        occurrence = self._meetings.next_occurrence(meeting, now)
        duration = occurrence.duration if occurrence and meeting.type in RECURRING_FIXED else meeting.duration
        instance = instance_of(meeting, duration, now)
        meeting.live_uuid, meeting.last_used_at = instance.uuid, now
        self._world.add_instance(instance)
        self._publish(instance, "started", payloads.started(instance, self._host(instance)))
        for listener in self.on_start:
            listener(meeting, instance)
        return instance

    def end(self, meeting: Meeting) -> Instance:
        """End a meeting; everybody leaves in the same moment. StateConflict when it is not live."""
        instance, now = self.current(meeting), self._clock.now()
        for visit in [each for each in instance.visits if each.left_at is None]:
            self.leave(instance, visit, "Host ended the meeting.", at=now)
        instance.ended_at = now
        meeting.live_uuid, meeting.last_used_at = "", instance.ended_at
        self._world.live.pop(instance.uuid, None)
        shown = payloads.started(instance, self._host(instance))
        if instance.kind == "webinar":
            shown["practice_session"] = False
        if self._behaviour.ended_without_end_time:
            shown.pop("end_time", None)
        self._publish(instance, "ended", shown)
        for listener in self.on_end:
            listener(instance)
        return instance

    def current(self, meeting: Meeting) -> Instance:
        """Return the live instance of a meeting. StateConflict when there is none."""
        if not meeting.live_uuid:
            raise StateConflict("the meeting is not on")
        return self._world.state.instances[meeting.live_uuid]

    # the people

    def arrive(self, meeting: Meeting, guest: Guest) -> Visit:
        """A person opens the link: they join, or wait for the host, or wait in the waiting room."""
        visit = self._visit(meeting, guest)
        if not meeting.live_uuid:
            self._before_host(meeting, visit)
        instance = self.current(meeting)
        waits = bool(meeting.settings.get("waiting_room")) and visit.zoom_id != meeting.host_id
        instance.visits.append(visit)
        if waits and meeting.kind == "meeting":
            visit.waiting = True
            self._about(instance, "participant_joined_waiting_room", visit, date_time=iso(visit.joined_at))
        else:
            self._join(instance, visit)
        return visit

    def admit(self, instance: Instance, visit: Visit) -> None:
        """The host admits a person. StateConflict when they do not wait."""
        if not visit.waiting:
            raise StateConflict("that participant is not in the waiting room")
        now = iso(self._clock.now())
        self._about(instance, "participant_admitted", visit, date_time=now)
        self._about(instance, "participant_left_waiting_room", visit, date_time=now)
        visit.waiting, visit.joined_at = False, self._clock.now()
        if self._behaviour.waiting_room_user_ids:
            visit.user_id = self._ids.session_number()
        self._join(instance, visit)

    def hold(self, instance: Instance, visit: Visit) -> None:
        """The host puts a person back into the waiting room."""
        if visit.waiting or visit.left_at is not None:
            raise StateConflict("that participant is not in the meeting")
        self._leave_place(instance, visit, "was put into the waiting room")
        visit.waiting = True
        self._about(instance, "participant_put_in_waiting_room", visit, date_time=iso(self._clock.now()))

    def leave(
        self, instance: Instance, visit: Visit, reason: str = "left the meeting", at: float | None = None
    ) -> None:
        """A person leaves the meeting or the waiting room. StateConflict when they have left."""
        if visit.left_at is not None:
            raise StateConflict("that participant has left")
        self._leave_place(instance, visit, reason)
        visit.left_at = self._clock.now() if at is None else at
        visit.left_reason = payloads.leave_reason(visit, reason)
        when = iso(visit.left_at)
        if visit.waiting:
            visit.waiting = False
            self._about(instance, "participant_left_waiting_room", visit, date_time=when)
            if self._behaviour.left_after_waiting:
                reason = "Leave waiting room."
                self._about(instance, "participant_left", visit, leave_time=when, leave_reason=reason)
        else:
            self._about(instance, "participant_left", visit, leave_time=when, leave_reason=visit.left_reason)

    def share(self, instance: Instance, visit: Visit, content: str = "desktop") -> None:
        """A person starts sharing the screen."""
        if visit.left_at is not None or visit.waiting or visit.sharing:
            raise StateConflict("that participant cannot share now")
        visit.sharing = {"content": content, "date_time": iso(self._clock.now())}
        instance.shared = True
        self._about_sharing(instance, "sharing_started", visit)

    def stop_sharing(self, instance: Instance, visit: Visit) -> None:
        """A person stops sharing. StateConflict when they do not share."""
        if not visit.sharing:
            raise StateConflict("that participant does not share")
        visit.sharing["date_time"] = iso(self._clock.now())
        self._about_sharing(instance, "sharing_ended", visit)
        visit.sharing = {}

    def enter_room(self, instance: Instance, visit: Visit, room: str) -> None:
        """A person goes to a breakout room, from the meeting or from another room."""
        if visit.left_at is not None or visit.waiting or instance.kind == "webinar":
            raise StateConflict("that participant cannot go to a breakout room now")
        self._leave_place(instance, visit, "left the breakout room")
        self._renew_session(instance, visit)
        instance.rooms.setdefault(room, self._ids.uuid(awkward=self._behaviour.awkward_uuids))
        visit.room, visit.room_user_id = room, self._ids.session_number()
        self._about_room(instance, "participant_joined_breakout_room", visit, join_time=iso(self._clock.now()))

    def return_from_room(self, instance: Instance, visit: Visit, reason: str = "left the breakout room") -> None:
        """A person returns from a breakout room. StateConflict when they are in none."""
        self._exit_room(instance, visit, reason)
        self._renew_session(instance, visit)

    def change_role(self, instance: Instance, visit: Visit, role: str) -> None:
        """A person becomes host, co-host or attendee."""
        if role not in ("host", "co-host", "attendee") or visit.left_at is not None:
            raise StateConflict("a role is host, co-host or attendee, of somebody who is there")
        shown = payloads.role_changed(instance, visit, visit.role, role, iso(self._clock.now()))
        visit.role = role  # type: ignore[assignment]
        self._publish(instance, "participant_role_changed", shown)

    def alert(self, instance: Instance, issues: list[str]) -> None:
        """Publish an alert about the quality of a meeting."""
        self._publish(instance, "alert", {**payloads.held(instance), "issues": issues})

    def visit_of(self, instance: Instance, reference: str) -> Visit:
        """Return the visit of a person who is present, by `user_id`, e-mail address, name, UUID or registrant id."""
        for visit in reversed(instance.visits):
            names = (visit.user_id, visit.email, visit.name, visit.uuid, visit.registrant_id)
            if visit.left_at is None and reference in names:
                return visit
        raise StateConflict(f"nobody called {reference} is there")

    def _join(self, instance: Instance, visit: Visit) -> None:
        is_host = visit.zoom_id == instance.host_id
        if is_host and not self._behaviour.host_join_event:
            return
        addresses = {"public_ip": visit.public_ip, "private_ip": "10.0.0.7"} if visit.public_ip else {}
        self._about(
            instance,
            "participant_joined",
            visit,
            **{self._behaviour.joined_at_field: iso(visit.joined_at)},
            **addresses,
        )

    def _before_host(self, meeting: Meeting, visit: Visit) -> None:
        if visit.zoom_id == meeting.host_id:
            self.start(meeting)
            return
        shown = payloads.before_host(meeting, visit)
        early = meeting.kind == "meeting" and bool(meeting.settings.get("join_before_host"))
        name = "meeting.participant_jbh_joined" if early else "meeting.participant_jbh_waiting"
        if meeting.kind == "meeting":
            payload = {"account_id": meeting.account_id, "object": shown}
            self._publisher.publish(name, payload, user_id=meeting.host_id)
        if not early:
            raise StateConflict("the host has not started the meeting")
        self.start(meeting)

    def _visit(self, meeting: Meeting, guest: Guest) -> Visit:
        registrant = self._registrant(meeting, guest)
        email = registrant.email if registrant else guest.email
        colleague = self._world.user(email) if email else None
        if colleague is not None and colleague.account_id != meeting.account_id:
            colleague = None
        name = guest.name or (registrant.first_name if registrant else "")
        if not name:
            name = colleague.name if colleague else f"Guest {self._ids.digits(3)}"
        return Visit(
            user_id=self._ids.session_number(),
            uuid=self._ids.participant_uuid(),
            name=name,
            joined_at=self._clock.now(),
            email=email if registrant or colleague else "",  # hidden for people from outside
            zoom_id=colleague.id if colleague else "",
            registrant_id=registrant.id if registrant else "",
            customer_key=guest.customer_key,
            phone_number=guest.phone_number,
            internal=colleague is not None,
            role="host" if colleague is not None and colleague.id == meeting.host_id else "attendee",
            public_ip=f"203.0.113.{self._ids.digits(2)}" if self._behaviour.participant_addresses else "",
        )

    def _registrant(self, meeting: Meeting, guest: Guest) -> Registrant | None:
        for each in meeting.registrants:
            if each.status == "approved" and (
                each.id == guest.registrant_id or (guest.email and each.email.lower() == guest.email.lower())
            ):
                return each
        if guest.registrant_id:
            raise StateConflict("no approved registrant has that id")
        return None

    def _about(self, instance: Instance, what: str, visit: Visit, **extra: str) -> None:
        shown = {**payloads.held(instance), "participant": {**payloads.participant(visit), **extra}}
        self._publish(instance, what, shown)

    def _leave_place(self, instance: Instance, visit: Visit, reason: str) -> None:
        if visit.sharing:
            self.stop_sharing(instance, visit)
        if visit.room:
            self._exit_room(instance, visit, reason)

    def _exit_room(self, instance: Instance, visit: Visit, reason: str) -> None:
        if not visit.room:
            raise StateConflict("that participant is in no breakout room")
        if visit.sharing:
            self.stop_sharing(instance, visit)
        when = {"leave_time": iso(self._clock.now()), "leave_reason": payloads.leave_reason(visit, reason)}
        self._about_room(instance, "participant_left_breakout_room", visit, **when)
        visit.room = visit.room_user_id = ""

    def _renew_session(self, instance: Instance, visit: Visit) -> None:
        """Leave and join within one second: a new `user_id`, the same participant UUID, in either order."""
        if not self._behaviour.room_moves_renew_sessions:
            return
        now = self._clock.now()
        before = replace(visit, left_at=now, left_reason=payloads.leave_reason(visit, "left the meeting"))
        instance.visits.insert(next(at for at, each in enumerate(instance.visits) if each is visit), before)
        visit.user_id, visit.joined_at = self._ids.session_number(), now
        moves = sum(each.uuid == visit.uuid for each in instance.visits)
        if self._behaviour.swapped_room_moves and moves % 2:
            self._join(instance, visit)
        self._about(instance, "participant_left", before, leave_time=iso(now), leave_reason=before.left_reason)
        if not (self._behaviour.swapped_room_moves and moves % 2):
            self._join(instance, visit)

    def _about_room(self, instance: Instance, what: str, visit: Visit, **extra: str) -> None:
        self._publish(instance, what, payloads.in_breakout_room(instance, instance.rooms[visit.room], visit, **extra))

    def _about_sharing(self, instance: Instance, what: str, visit: Visit) -> None:
        person = payloads.sharer(visit)
        shown: Json = {**payloads.held(instance), "participant": person}
        if visit.room:
            what = f"breakout_room_{what}"
            shown["breakout_room_uuid"] = instance.rooms[visit.room]
            person |= {"user_id": visit.room_user_id, "parent_user_id": visit.user_id}
        self._publish(instance, what, shown)

    def _publish(self, instance: Instance, what: str, shown: Json) -> None:
        if self._behaviour.live_ids == "number":
            shown["id"] = instance.shown_id
        payload = {"account_id": instance.account_id, "object": shown}
        self._publisher.publish(f"{instance.kind}.{what}", payload, user_id=instance.host_id)

    def _host(self, instance: Instance) -> User:
        return self._world.someone(instance.host_id)
