"""How the API shows the projections. Names follow Zoom's REST API where it has one; times are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from zoom_common.events.projections.attendance import Attendee, Session
from zoom_common.events.projections.keys import LISTED, PLAN
from zoom_common.events.projections.occurrences import Planned
from zoom_common.events.projections.presence import Stay
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.session_projectors import WAITING_FOR_HOST

# The fields of the meeting itself in attendance and state.
ABOUT = ("topic", "host_id", "type", "timezone", "duration")


def user_view(user: str, record: Record) -> dict[str, Any]:
    """Return one user."""
    return {"id": user, **record.values, "updated_at": iso(record.newest_ms)}


def iso(epoch_ms: int | None) -> str | None:
    """Return a time in whole seconds, as Zoom writes it."""
    if epoch_ms is None:
        return None
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def definition_view(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition, with settings and occurrences in members of their own."""
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
        elif name not in {"kind", "exists", LISTED} and not name.startswith(PLAN):
            plain[name] = value
    listed = sorted(occurrences.values(), key=lambda each: (str(each.get("start_time")), each["occurrence_id"]))
    return {**plain, "settings": settings, **({"occurrences": listed} if listed else {})}


def by_arrival(sessions: Sequence[Session]) -> list[Session]:
    """Return sessions in the order of their first known times."""
    return sorted(sessions, key=lambda each: (min((at for _, at in each.record.marks), default=0), each.user_id))


def person_view(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that identify a person."""
    return {
        "id": values.get("zoom_user_id", ""),
        "name": values.get("user_name", ""),
        "user_email": values.get("email", ""),
        **{name: values[name] for name in ("registrant_id", "customer_key", "phone_number", "role") if name in values},
    }


def roster_view(session: Session) -> dict[str, Any]:
    """Return one session of the live roster, or of the waiting room."""
    values, stays = session.record.values, session.stays(None)
    early = not session.waiting and bool(session.record.moments(WAITING_FOR_HOST))
    return {
        **person_view(values),
        "user_id": "" if early else session.user_id,
        "join_time": iso(stays[-1].joined) if stays else None,
        "status": "waiting_for_host" if early else "in_waiting_room" if session.waiting else "in_meeting",
        "sharing": bool(values.get("sharing")),
    }


def attendee_view(attendee: Attendee, *, live: bool) -> dict[str, Any]:
    """Return one person with all their sessions."""
    stays = attendee.stays
    seconds = attendee.seconds()
    present = live and any(stay.left is None for _, stay in stays)
    return {
        **person_view(attendee.newest),
        "guest": attendee.guest,
        "join_time": iso(next((stay.joined for _, stay in stays if stay.joined is not None), None)),
        "leave_time": None if present else iso(max((stay.left for _, stay in stays if stay.left), default=None)),
        "present": present,
        "duration": seconds,
        "minutes": round(seconds / 60, 1),
        "sessions": [_session(session, stay) for session, stay in stays],
        **({"waiting": [_wait(each) for each in attendee.waits]} if attendee.waits else {}),
    }


def _wait(wait: Stay) -> dict[str, Any]:
    """Return one time in the waiting room."""
    assumed = {"leave_time_assumed": True} if wait.assumed else {}
    return {"join_time": iso(wait.joined), "leave_time": iso(wait.left), **assumed}


def _session(session: Session, stay: Stay) -> dict[str, Any]:
    known = stay.joined is not None and stay.left is not None
    return {
        "user_id": session.user_id,
        "uuid": session.uuid,
        "name": session.name(stay),
        "join_time": iso(stay.joined),
        "leave_time": iso(stay.left),
        "duration": ((stay.left or 0) - (stay.joined or 0)) // 1000 if known else None,
        **({"leave_time_assumed": True} if stay.assumed else {}),
    }


def maybe_same_view(others: Sequence[Attendee]) -> dict[str, Any]:
    """Return the first sessions of the people who may be the same person."""
    first = [each.stays[0][0] for each in others]
    return {"maybe_same_as": [{"uuid": each.uuid, "user_id": each.user_id} for each in first]} if first else {}


def share_view(present_ms: int, length_ms: int, present_from: float) -> dict[str, Any]:
    """Return the share of the held time in which a person was present, and whether it is enough; null while it runs."""
    if not length_ms:
        return {"share": None, "attended": None}
    share = min(1.0, present_ms / length_ms)
    return {"share": round(share, 4), "attended": share >= present_from}


def plan_view(planned: Planned | None) -> dict[str, Any]:
    """Return the planned occurrence of an instance."""
    return {"unplanned": True} if planned is None else {"occurrence": iso(planned.start)}


def recording_view(uuid: str, record: Record, files: list[tuple[str, Record]]) -> dict[str, Any]:
    """Return the recording of one instance with its files."""
    shown = [_file(name, file, record) for name, file in files]
    left = {file["availability"] for file in shown}
    whole = record.latest.get("status")
    status = next((each for each in ("available", "trashed", "deleted") if each in left), whole[1] if whole else None)
    return {"uuid": uuid, **record.values, "status": status or record.values.get("capture"), "recording_files": shown}


def _file(name: str, file: Record, recording: Record) -> dict[str, Any]:
    """Return a file, with the state from the newest event about it or about the whole recording."""
    said = [part for part in (file.latest.get("availability"), recording.latest.get("status")) if part]
    newest = max(said, key=lambda each: each[0])[1] if said else "available"
    return {"id": name, **file.values, "availability": newest}
