"""Scheduled meetings and webinars: they are found, created, changed and expanded here; `rest` does the HTTP."""

from __future__ import annotations

import re
from typing import Any

from zoom_simulator import check
from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock
from zoom_simulator.ids import Ids
from zoom_simulator.meetings.fields import MEETING, MEETING_DEFAULTS, WEBINAR, WEBINAR_DEFAULTS
from zoom_simulator.model import Account, Json, Kind, Meeting, Occurrence, User
from zoom_simulator.recurrence import expand
from zoom_simulator.users import DEPENDENT, allows
from zoom_simulator.world import World

INSTANT, SCHEDULED, NO_FIXED_TIME, PERSONAL, FIXED_TIME, SHARE_ONLY = 1, 2, 3, 4, 8, 10
WEBINAR_ONCE, WEBINAR_NO_FIXED_TIME, WEBINAR_FIXED_TIME = 5, 6, 9
RECURRING_FIXED = (FIXED_TIME, WEBINAR_FIXED_TIME)
WITHOUT_TIME = (INSTANT, NO_FIXED_TIME, PERSONAL, WEBINAR_NO_FIXED_TIME)
DAY = 86_400
EXPIRY_DAYS = {SCHEDULED: 30, SHARE_ONLY: 30, WEBINAR_ONCE: 30, INSTANT: 1}
RECURRING_EXPIRY_DAYS = 365


class Meetings:
    """The scheduled meetings and webinars."""

    def __init__(self, world: World, *, clock: Clock, ids: Ids, behaviour: Behaviour) -> None:
        self._world = world
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour

    def find(self, reference: str) -> Meeting | None:
        """A meeting by its number, by the UUID of its present instance, or a personal room by its number."""
        if not reference.isdecimal():
            instance = self._world.instance(reference)
            meeting = self._world.state.meetings.get(instance.meeting_id) if instance else None
            return meeting if meeting and meeting.deleted_at is None else None
        number = int(reference)
        meeting = self._world.state.meetings.get(number)
        if meeting is None:
            owner = self._world.owner_of_pmi(number)
            return self.personal_room(owner) if owner else None
        if meeting.deleted_at is not None or self.expired(meeting):
            return None
        return meeting

    def personal_room(self, owner: User) -> Meeting:
        """The meeting that a personal meeting id always leads to."""
        room = self._world.state.meetings.get(owner.pmi)
        if room is None:
            account = self._world.state.accounts[owner.account_id]
            topic = f"{owner.name}'s Personal Meeting Room"
            room = self.new("meeting", account, owner, {"type": PERSONAL, "topic": topic})
            self._world.state.meetings.pop(room.id, None)
            room.id, room.pmi, room.type = owner.pmi, owner.pmi, PERSONAL
            self._world.add_meeting(room)
        return room

    def new(self, kind: Kind, account: Account, host: User, body: Json) -> Meeting:
        """Make a meeting or webinar from a request body that was checked; it is not in the world yet."""
        now = self._clock.now()
        timezone = body.get("timezone") or host.timezone or account.timezone
        number = self._ids.meeting_number()
        while number in self._world.state.meetings:
            number = self._ids.meeting_number()
        meeting = Meeting(
            id=number,
            uuid=self._ids.uuid(awkward=self._behaviour.awkward_uuids),
            kind=kind,
            account_id=account.id,
            host_id=host.id,
            topic=body.get("topic") or ("My Webinar" if kind == "webinar" else "Zoom Meeting"),
            type=body.get("type") or (WEBINAR_ONCE if kind == "webinar" else SCHEDULED),
            created_at=now,
            duration=body.get("duration") or 60,
            timezone=timezone,
            password=str(
                body.get("password") or ("" if body.get("default_password") is False else self._ids.passcode())
            ),
            agenda=body.get("agenda") or "",
            settings=default_settings(kind),
            tracking_fields=_tracking(body),
            last_used_at=now,
        )
        if meeting.type not in WITHOUT_TIME:
            meeting.start = self._start(body, timezone, now)
        self._merge_settings(meeting, body, host)
        if meeting.settings.get("use_pmi"):
            meeting.pmi = host.pmi
        if meeting.type in RECURRING_FIXED:
            meeting.recurrence = body.get("recurrence") or {"type": 1, "repeat_interval": 1, "end_times": 1}
            self.expand(meeting)
        for name in ("template_id", "schedule_for", "sensitivity_label_id", "pre_schedule", *WEBINAR_EXTRAS):
            if name in body:
                meeting.extra[name] = body[name]
        return meeting

    def expand(self, meeting: Meeting) -> None:
        """Lay out the occurrences anew; past and edited ones are replaced."""
        rule, start = meeting.recurrence, meeting.start
        if rule is None or start is None:
            meeting.occurrences = []
            return
        starts = expand(rule, start, meeting.timezone)
        meeting.occurrences = [Occurrence(str(int(each * 1000)), each, meeting.duration) for each in starts]
        if starts:
            meeting.start = starts[0]

    def apply(self, meeting: Meeting, body: Json) -> None:
        """Change the series, or a single meeting, as a PATCH says."""
        timezone = body.get("timezone") or meeting.timezone
        before = (meeting.start, meeting.duration, meeting.timezone, meeting.recurrence, meeting.type)
        for name in ("topic", "agenda", "type", "duration"):
            if body.get(name) is not None:
                setattr(meeting, name, body[name])
        if body.get("password") is not None:
            meeting.password = str(body["password"])
        meeting.timezone = timezone
        if meeting.type in WITHOUT_TIME:
            meeting.start, meeting.recurrence, meeting.occurrences = None, None, []
        elif body.get("start_time"):
            meeting.start = self._start(body, timezone, self._clock.now())
        elif meeting.start is None:
            meeting.start = self._clock.now()
        if "tracking_fields" in body:
            meeting.tracking_fields = _tracking(body)
        self._merge_settings(meeting, body, self._world.someone(meeting.host_id))
        self._follow_recurrence(meeting, body, before)

    def apply_to_occurrence(self, meeting: Meeting, occurrence: Occurrence, body: Json) -> None:
        """Change one date of a series."""
        timezone = body.get("timezone") or meeting.timezone
        if body.get("start_time"):
            occurrence.start = self._start(body, timezone, self._clock.now())
        if body.get("duration"):
            occurrence.duration = body["duration"]
        for name in ("topic", "agenda", "settings", "timezone"):
            if name in body:
                occurrence.changes[name] = body[name]

    def next_occurrence(self, meeting: Meeting, now: float) -> Occurrence | None:
        """The occurrence that is on or comes next; the last one when all are over."""
        left = [each for each in meeting.occurrences if each.status == "available"]
        for each in sorted(left, key=lambda one: one.start):
            if each.start + each.duration * 60 > now:
                return each
        return left[-1] if left else None

    def end_of(self, meeting: Meeting) -> float:
        """Return the end of the last scheduled occurrence, in epoch seconds."""
        if meeting.occurrences:
            return max(each.start + each.duration * 60 for each in meeting.occurrences)
        return (meeting.start or meeting.created_at) + meeting.duration * 60

    def expired(self, meeting: Meeting) -> bool:
        """Return whether the number was unused for so long that Zoom has deleted it."""
        if meeting.live_uuid or meeting.type == PERSONAL:
            return False
        days = EXPIRY_DAYS.get(meeting.type, RECURRING_EXPIRY_DAYS)
        last = max(meeting.last_used_at, self.end_of(meeting) if meeting.start else 0.0)
        return self._clock.now() > last + days * DAY

    def _follow_recurrence(self, meeting: Meeting, body: Json, before: tuple[Any, ...]) -> None:
        if meeting.type not in RECURRING_FIXED:
            meeting.recurrence, meeting.occurrences = None, []
            return
        if body.get("recurrence"):
            meeting.recurrence = body["recurrence"]
        elif meeting.recurrence is None:
            meeting.recurrence = {"type": 1, "repeat_interval": 1, "end_times": 1}
        if before != (meeting.start, meeting.duration, meeting.timezone, meeting.recurrence, meeting.type):
            self.expand(meeting)

    def _start(self, body: Json, timezone: str, now: float) -> float:
        text = body.get("start_time")
        if not text:
            return float(int(now))
        start = check.moment(text, timezone, offset=self._behaviour.start_time_offset)
        return max(start, float(int(now)))  # a past start becomes now, as documented

    def _merge_settings(self, meeting: Meeting, body: Json, host: User) -> None:
        """Apply known settings. Unknown ones, and those the host may not use, are ignored, as at Zoom."""
        known = WEBINAR if meeting.kind == "webinar" else MEETING
        for name, value in (body.get("settings") or {}).items():
            allowed = name not in DEPENDENT or allows(host, name)
            if name in known and value is not None and allowed:
                meeting.settings[name] = self._applied(name, value, host)

    def _applied(self, name: str, value: Any, host: User) -> Any:
        """Return a setting as Zoom stores it: unknown ones, and those that need a missing licence, are dropped."""
        if name == "alternative_hosts" and self._behaviour.unknown_alternative_hosts == "drop":
            named = re.split("[;,]", str(value))
            return ";".join(each.strip() for each in named if self._is_colleague(each.strip(), host))
        if name == "auto_recording" and value == "cloud" and self._behaviour.is_limited(host.type):
            return "none"
        return value

    def _is_colleague(self, reference: str, host: User) -> bool:
        user = self._world.user(reference)
        return user is not None and user.account_id == host.account_id


WEBINAR_EXTRAS = ("is_simulive", "record_file_id", "transition_to_live", "simulive_delay_start")


def _tracking(body: Json) -> list[Json]:
    given = body.get("tracking_fields") or []
    return [
        {"field": str(each.get("field", "")), "value": str(each.get("value", "")), "visible": True} for each in given
    ]


def default_settings(kind: Kind) -> Json:
    """The settings of something scheduled without any."""
    defaults = WEBINAR_DEFAULTS if kind == "webinar" else MEETING_DEFAULTS
    return {name: value.copy() if isinstance(value, list | dict) else value for name, value in defaults.items()}
