"""What the API shows of the projections. Names follow Zoom's REST API where it has one; times are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from zoom_common.events.projections.attendance import Attendee, Session, attendees, covered, maybe_same, with_devices
from zoom_common.events.projections.occurrences import Held, Planned, belonging, planned_occurrences
from zoom_common.events.projections.presence import Stay
from zoom_common.events.projections.projectors import (
    DEFINITION,
    FILE,
    INSTANCE,
    LOBBY,
    PLAN,
    RECORDING,
    REGISTRANT,
    SESSION,
    WAITED_FOR_HOST,
    WAITING_FOR_HOST,
)
from zoom_common.events.projections.record import Record

_ABOUT = ("topic", "host_id", "type", "timezone", "duration")

# No meeting lasts longer at Zoom (https://support.zoom.com/hc/en/article?id=zm_kb&sysparm_article=KB0067966); whoever
# waits for longer has gone.
LONGEST_MEETING_MS = 30 * 3_600_000

_SERIES = 2  # occurrences, at least


@dataclass(frozen=True, slots=True)
class Instance:
    """One time a meeting was held. Only the last one can still run: a meeting never runs twice at once."""

    uuid: str
    record: Record
    last: bool = False
    before: int | None = None
    """When the next one began, in epoch milliseconds: this one was over by then."""
    now: int | None = None

    @property
    def started(self) -> int | None:
        """Since when, in epoch milliseconds. What `started` says counts before what others say."""
        values = self.record.values
        moment: int | None = values.get("start_event_ms") or values.get("started_ms")
        return moment

    @property
    def seen(self) -> int:
        """The first moment known of it, in epoch milliseconds."""
        return self.started or min((stamp[0] for stamp, _ in self.record.earliest.values()), default=0)

    @property
    def ended(self) -> int | None:
        """Until when, in epoch milliseconds, as far as an event tells a moment."""
        values = self.record.values
        moment: int | None = values.get("ended_ms") or values.get("end_event_ms")
        return None if moment is not None and values.get("last_start_ms", 0) > moment else moment

    @property
    def end_assumed(self) -> bool:
        """Whether it is over and no event says when."""
        return not self.live and (self.ended is None or not self.record.values.get("ended_ms"))

    @property
    def live(self) -> bool:
        """Whether it is on."""
        lost = self.now is not None and self.now - self.seen > LONGEST_MEETING_MS
        return self.last and not lost and self.ended is None and not self._ended_untimed

    @property
    def _ended_untimed(self) -> bool:
        values = self.record.values
        return bool(values.get("end_told")) and "ended_ms" not in values and "end_event_ms" not in values

    def end(self, sessions: Sequence[Session]) -> int | None:
        """When it ended, in epoch milliseconds: as told, else with the last thing known of it; None while it runs."""
        if self.live or self.ended is not None:
            return self.ended
        seen = max([self.seen, *(moment for each in sessions for _, moment in each.record.marks)])
        return seen if self.before is None else max(self.seen, min(seen, self.before))


@dataclass(frozen=True, slots=True)
class Meeting:
    """All records of one meeting or webinar, by sort key, and the time in epoch milliseconds (None: not known)."""

    number: str
    records: Mapping[str, Record] = field(repr=False)
    now: int | None = None

    def instances(self) -> list[Instance]:
        """The times it was held, in order."""
        found = [Instance(uuid, record) for uuid, record in self._under(INSTANCE)]
        found.sort(key=lambda each: (each.seen, each.uuid))
        nexts = [each.seen for each in found[1:]]
        return [
            Instance(each.uuid, each.record, at == len(found), nexts[at - 1] if at < len(found) else None, self.now)
            for at, each in enumerate(found, 1)
        ]

    def sessions(self, uuid: str) -> list[Session]:
        """Everybody's sessions of one instance."""
        return with_devices([Session(name, record, uuid) for name, record in self._under(f"{SESSION}{uuid}#")])

    @property
    def definition(self) -> Record:
        """What is planned."""
        return self.records.get(DEFINITION, Record())

    def planned(self) -> list[Planned]:
        """What is planned and was planned, in order."""
        return planned_occurrences(self.definition)

    def occurrences(self, planned: Sequence[Planned]) -> dict[str, Planned | None]:
        """The planned occurrence of each instance by uuid, None for the unplanned."""
        held = [Held(each.uuid, each.seen, self._end(each)) for each in self.instances()]
        return belonging(planned, held)

    def lobby(self) -> str | None:
        """The uuid of the instance that somebody waits for: the last that has not begun, after the last that has."""
        begun = {each.uuid for each in self.instances()}
        since = max((each.seen for each in self.instances()), default=0)
        waited = [(record.values.get("since_ms") or 0, uuid) for uuid, record in self._under(LOBBY)]
        return max((each for each in waited if each[1] not in begun and each[0] > since), default=(0, None))[1]

    def state(self) -> dict[str, Any]:
        """What it is, whether it is on, and who is there."""
        definition = self.definition.values
        instances = self.instances()
        last = instances[-1] if instances else None
        about = {**(last.record.values if last else {}), **definition}
        live = last if last and last.live else None
        sessions = self.sessions(live.uuid) if live else []
        present = [each for each in sessions if each.present]
        return {
            "id": self.number,
            "kind": about.get("kind", "meeting"),
            "status": self._status(last),
            **{name: about[name] for name in _ABOUT if name in about},
            "start_time": definition.get("start_time"),
            "definition": _nested(definition),
            "instance": self.instance_view(last) if last else None,
            "instances_used": [last.uuid] if last else [],
            "participants_count": len(present),
            "participants": [_present(each) for each in _by_arrival(present)],
            "waiting": [_present(each) for each in _by_arrival(self._waiting(live))],
            "updated_at": iso(max((record.newest_ms for record in self.records.values()), default=None)),
        }

    def attendance(self, instance: Instance, present_from: float | None = None) -> dict[str, Any]:
        """Who was there in one instance and for how long, one entry for each person."""
        return {
            "id": self.number,
            **self.instance_view(instance),
            **self._about_instances([instance], self.occurrences(self.planned()), present_from),
        }

    def occurrence(self, start: int, present_from: float | None = None) -> dict[str, Any] | None:
        """Who was there in all instances of the occurrence planned for `start`; None when it was never planned.

        Where nothing planned is known, the caller's word counts.
        """
        planned = self.planned() or [Planned(start)]
        if start not in {each.start for each in planned}:
            return None
        of = self.occurrences(planned)
        used = [each for each in self.instances() if (plan := of[each.uuid]) is not None and plan.start == start]
        live = any(each.live for each in used)
        ends = [] if live else [end for each in used if (end := self._end(each)) is not None]
        return {
            "id": self.number,
            "occurrence": iso(start),
            "uuid": used[0].uuid if used else None,
            "status": "live" if live else "ended" if used else "scheduled",
            "start_time": iso(used[0].started) if used else None,
            "end_time": iso(max(ends, default=None)),
            **({"end_time_assumed": True} if any(each.end_assumed for each in used) else {}),
            **self._about_instances(used, of, present_from),
        }

    def _about_instances(
        self, used: Sequence[Instance], of: Mapping[str, Planned | None], present_from: float | None
    ) -> dict[str, Any]:
        ends = {each.uuid: self._end(each) for each in used}
        people = attendees([session for each in used for session in self.sessions(each.uuid)], ends)
        length = covered((each.seen, end) for each in used if (end := ends[each.uuid]) is not None)
        live = any(each.live for each in used)
        values = {**self.definition.values, **(used[0].record.values if used else {})}
        found = [
            {
                **_attended(each, live=live),
                **_likely(others),
                **({} if present_from is None else _share(each, 0 if live else length, present_from)),
            }
            for each, others in zip(people, maybe_same(people), strict=True)
        ]
        return {
            **{name: value for name, value in values.items() if name in {*_ABOUT, "kind"}},
            "instances": [{**self.instance_view(each), **_plan(of.get(each.uuid))} for each in self.instances()],
            "instances_used": [each.uuid for each in used],
            **({} if present_from is None else {"present_from": present_from}),
            "participants": found,
        }

    def instance_view(self, instance: Instance) -> dict[str, Any]:
        """One instance in short."""
        return {
            "uuid": instance.uuid,
            "status": "live" if instance.live else "ended",
            "start_time": iso(instance.started),
            "end_time": iso(self._end(instance)),
            **({"end_time_assumed": True} if instance.end_assumed else {}),
        }

    def registrations(self) -> list[dict[str, Any]]:
        """Registrants by id."""
        return [{"id": name, **record.values} for name, record in self._under(REGISTRANT)]

    def recordings(self) -> list[dict[str, Any]]:
        """The recording of each instance with its files."""
        return [
            _recording(uuid, record, list(self._under(f"{FILE}{uuid}#"))) for uuid, record in self._under(RECORDING)
        ]

    def _under(self, prefix: str) -> list[tuple[str, Record]]:
        return [(sort[len(prefix) :], self.records[sort]) for sort in sorted(self.records) if sort.startswith(prefix)]

    def _end(self, instance: Instance) -> int | None:
        return instance.end(self.sessions(instance.uuid) if instance.ended is None else [])

    def _waiting(self, live: Instance | None) -> list[Session]:
        """Who waits to be let in; before it begins, for the host too."""
        if live:
            return [each for each in self.sessions(live.uuid) if each.waiting]
        uuid = self.lobby()
        return [each for each in self.sessions(uuid) if self._waits_early(each)] if uuid else []

    def _waits_early(self, session: Session) -> bool:
        marks = session.record.marks
        since = max((at for kind, at in marks if kind == WAITING_FOR_HOST), default=0)
        gone = any(kind == WAITED_FOR_HOST and at >= since for kind, at in marks)
        lost = self.now is not None and self.now - session.record.newest_ms > LONGEST_MEETING_MS
        return not lost and (session.waiting or (since > 0 and not gone))

    def _status(self, last: Instance | None) -> str:
        if last and last.live:
            return "live"
        if self.definition.values.get("exists") is False:
            return "deleted"
        return "scheduled" if last is None or self._goes_on(last) else "ended"

    def _goes_on(self, last: Instance) -> bool:
        """Return whether a series has another occurrence after the last instance.

        A meeting that is planned once has ended when it was held, also when it was held early.
        """
        planned, end = self.planned(), self._end(last) or last.seen
        if len(planned) < _SERIES:
            return False
        plan = self.occurrences(planned)[last.uuid]
        return any(each.start > end and each != plan and (self.now is None or each.end >= self.now) for each in planned)


def user_view(user: str, record: Record) -> dict[str, Any]:
    """One user."""
    return {"id": user, **record.values, "updated_at": iso(record.newest_ms)}


def iso(epoch_ms: int | None) -> str | None:
    """A moment in whole seconds as Zoom writes it."""
    if epoch_ms is None:
        return None
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def _nested(definition: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    occurrences: dict[str, dict[str, Any]] = {}
    plain = {}
    for name, value in definition.items():
        first, _, rest = name.partition(".")
        if first == "settings" and rest:
            settings[rest] = value
        elif first == "occurrences" and rest:
            occurrence, _, what = rest.rpartition(".")
            occurrences.setdefault(occurrence, {"occurrence_id": occurrence})[what] = value
        elif name not in {"kind", "exists"} and not name.startswith(PLAN):
            plain[name] = value
    listed = sorted(occurrences.values(), key=lambda each: (str(each.get("start_time")), each["occurrence_id"]))
    return {**plain, "settings": settings, **({"occurrences": listed} if listed else {})}


def _by_arrival(sessions: Sequence[Session]) -> list[Session]:
    return sorted(sessions, key=lambda each: (min((at for _, at in each.record.marks), default=0), each.user_id))


def _person(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": values.get("zoom_user_id", ""),
        "name": values.get("user_name", ""),
        "user_email": values.get("email", ""),
        **{name: values[name] for name in ("registrant_id", "customer_key", "phone_number", "role") if name in values},
    }


def _present(session: Session) -> dict[str, Any]:
    values, stays = session.record.values, session.stays(None)
    early = not session.waiting and bool(session.record.moments(WAITING_FOR_HOST))
    return {
        **_person(values),
        "user_id": "" if early else session.user_id,
        "join_time": iso(stays[-1].joined) if stays else None,
        "status": "waiting_for_host" if early else "in_waiting_room" if session.waiting else "in_meeting",
        "sharing": bool(values.get("sharing")),
    }


def _attended(attendee: Attendee, *, live: bool) -> dict[str, Any]:
    stays = attendee.stays
    seconds = attendee.seconds()
    present = live and any(stay.left is None for _, stay in stays)
    return {
        **_person(attendee.newest),
        "guest": attendee.guest,
        "join_time": iso(next((stay.joined for _, stay in stays if stay.joined is not None), None)),
        "leave_time": None if present else iso(max((stay.left for _, stay in stays if stay.left), default=None)),
        "present": present,
        "duration": seconds,
        "minutes": round(seconds / 60, 1),
        "sessions": [_session(session, stay) for session, stay in stays],
    }


def _session(session: Session, stay: Stay) -> dict[str, Any]:
    known = stay.joined is not None and stay.left is not None
    return {
        "user_id": session.user_id,
        "uuid": session.uuid,
        "name": session.record.values.get("user_name", ""),
        "join_time": iso(stay.joined),
        "leave_time": iso(stay.left),
        "duration": ((stay.left or 0) - (stay.joined or 0)) // 1000 if known else None,
        **({"leave_time_assumed": True} if stay.assumed else {}),
    }


def _likely(others: Sequence[Attendee]) -> dict[str, Any]:
    """The first sessions of those who may be the same person."""
    first = [each.stays[0][0] for each in others]
    return {"maybe_same_as": [{"uuid": each.uuid, "user_id": each.user_id} for each in first]} if first else {}


def _share(one: Attendee, length: int, present_from: float) -> dict[str, Any]:
    """Which part of the time held the person was there, and whether that is enough; null while it runs."""
    if not length:
        return {"share": None, "attended": None}
    share = min(1.0, covered(one.spans()) / length)
    return {"share": round(share, 4), "attended": share >= present_from}


def _plan(planned: Planned | None) -> dict[str, Any]:
    return {"unplanned": True} if planned is None else {"occurrence": iso(planned.start)}


def _recording(uuid: str, record: Record, files: list[tuple[str, Record]]) -> dict[str, Any]:
    shown = [_file(name, file, record) for name, file in files]
    left = {file["availability"] for file in shown}
    whole = record.latest.get("status")
    status = next((each for each in ("available", "trashed", "deleted") if each in left), whole[1] if whole else None)
    return {"uuid": uuid, **record.values, "status": status or record.values.get("capture"), "recording_files": shown}


def _file(name: str, file: Record, recording: Record) -> dict[str, Any]:
    """A file is where the newest word on it or on the whole recording says it is."""
    said = [part for part in (file.latest.get("availability"), recording.latest.get("status")) if part]
    newest = max(said, key=lambda each: each[0])[1] if said else "available"
    return {"id": name, **file.values, "availability": newest}
