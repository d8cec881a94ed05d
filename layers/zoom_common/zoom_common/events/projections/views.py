"""What the API shows of the projections. Names follow Zoom's REST API where it has one; times are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from zoom_common.events.projections.attendance import Attendee, Session, Stay, attendees
from zoom_common.events.projections.projectors import DEFINITION, FILE, INSTANCE, RECORDING, REGISTRANT, SESSION
from zoom_common.events.projections.record import Record

_ABOUT = ("topic", "host_id", "type", "timezone", "duration")


@dataclass(frozen=True, slots=True)
class Instance:
    """One time a meeting was held. Only the last one can still run: a meeting never runs twice at once."""

    uuid: str
    record: Record
    last: bool = False

    @property
    def started(self) -> int | None:
        """Since when, in epoch milliseconds."""
        moment: int | None = self.record.values.get("started_ms")
        return moment

    @property
    def ended(self) -> int | None:
        """Until when, in epoch milliseconds."""
        moment: int | None = self.record.values.get("ended_ms")
        return moment

    @property
    def live(self) -> bool:
        """Whether it is on."""
        return self.last and self.ended is None


@dataclass(frozen=True, slots=True)
class Meeting:
    """All records of one meeting or webinar, by sort key."""

    number: str
    records: Mapping[str, Record] = field(repr=False)

    def instances(self) -> list[Instance]:
        """The times it was held, in order."""
        found = [(uuid, record) for uuid, record in self._under(INSTANCE)]
        found.sort(key=lambda each: (each[1].values.get("started_ms") or 0, each[0]))
        return [Instance(uuid, record, at == len(found)) for at, (uuid, record) in enumerate(found, 1)]

    def sessions(self, uuid: str) -> list[Session]:
        """Everybody's sessions of one instance."""
        return [Session(user_id, record) for user_id, record in self._under(f"{SESSION}{uuid}#")]

    def state(self) -> dict[str, Any]:
        """What it is, whether it is on, and who is there."""
        definition = self.records.get(DEFINITION, Record()).values
        instances = self.instances()
        last = instances[-1] if instances else None
        about = {**(last.record.values if last else {}), **definition}
        sessions = self.sessions(last.uuid) if last and last.live else []
        present = [each for each in sessions if each.present]
        return {
            "id": self.number,
            "kind": about.get("kind", "meeting"),
            "status": _status(definition, last),
            **{name: about[name] for name in _ABOUT if name in about},
            "start_time": definition.get("start_time"),
            "definition": _nested(definition),
            "instance": instance_view(last) if last else None,
            "participants_count": len(present),
            "participants": [_present(each) for each in _by_arrival(present)],
            "waiting": [_present(each) for each in _by_arrival(sessions) if each.waiting],
            "updated_at": iso(max((record.newest_ms for record in self.records.values()), default=None)),
        }

    def attendance(self, instance: Instance) -> dict[str, Any]:
        """Who was there in one instance and for how long, one entry for each person."""
        until = instance.ended if not instance.live else None
        people = attendees(self.sessions(instance.uuid))
        return {
            "id": self.number,
            **instance_view(instance),
            **{name: value for name, value in instance.record.values.items() if name in {*_ABOUT, "kind"}},
            "instances": [instance_view(each) for each in self.instances()],
            "participants": [_attended(each, instance, until) for each in people],
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


def instance_view(instance: Instance) -> dict[str, Any]:
    """One instance in short."""
    return {
        "uuid": instance.uuid,
        "status": "live" if instance.live else "ended",
        "start_time": iso(instance.started),
        "end_time": iso(instance.ended),
    }


def user_view(user: str, record: Record) -> dict[str, Any]:
    """One user."""
    return {"id": user, **record.values, "updated_at": iso(record.newest_ms)}


def iso(epoch_ms: int | None) -> str | None:
    """A moment in whole seconds as Zoom writes it."""
    if epoch_ms is None:
        return None
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def _status(definition: Mapping[str, Any], last: Instance | None) -> str:
    if last and last.live:
        return "live"
    if definition.get("exists") is False:
        return "deleted"
    return "ended" if last else "scheduled"


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
        elif name not in {"kind", "exists"}:
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
    return {
        **_person(values),
        "user_id": session.user_id,
        "join_time": iso(stays[-1].joined) if stays else None,
        "status": "in_waiting_room" if session.waiting else "in_meeting",
        "sharing": bool(values.get("sharing")),
    }


def _attended(attendee: Attendee, instance: Instance, until: int | None) -> dict[str, Any]:
    stays = attendee.stays(until)
    seconds = attendee.seconds(until)
    present = instance.live and any(stay.left is None for _, stay in stays)
    return {
        **_person(attendee.newest),
        "guest": attendee.person[0] != "zoom_user_id",
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
        "join_time": iso(stay.joined),
        "leave_time": iso(stay.left),
        "duration": ((stay.left or 0) - (stay.joined or 0)) // 1000 if known else None,
        **({"leave_time_assumed": True} if stay.assumed else {}),
    }


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
