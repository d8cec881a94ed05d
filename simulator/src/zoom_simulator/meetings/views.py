"""Meetings and webinars as the REST API shows them."""

from __future__ import annotations

from zoom_simulator.clock import iso
from zoom_simulator.links import encrypted, join_url, registration_url
from zoom_simulator.meetings.definitions import RECURRING_FIXED, Meetings
from zoom_simulator.model import Json, Meeting, Occurrence, User

NO_REGISTRATION = 2


def occurrence(each: Occurrence) -> Json:
    """One date of a series."""
    return {
        "occurrence_id": each.id,
        "start_time": iso(each.start),
        "duration": each.duration,
        "status": each.status,
    }


def registers(meeting: Meeting) -> bool:
    """Whether people have to register."""
    return bool(meeting.settings.get("approval_type", NO_REGISTRATION) != NO_REGISTRATION)


def list_entry(meeting: Meeting, host: User, base_url: str, start: float | None) -> Json:
    """A meeting or webinar in a list."""
    entry: Json = {
        "uuid": meeting.uuid,
        "id": meeting.id,
        "host_id": host.id,
        "topic": meeting.topic,
        "type": meeting.type,
        "duration": meeting.duration,
        "timezone": meeting.timezone,
        "created_at": iso(meeting.created_at),
        "join_url": join_url(base_url, meeting),
    }
    if meeting.agenda:
        entry["agenda"] = meeting.agenda
    if start is not None:
        entry["start_time"] = iso(start)
    if meeting.pmi:
        entry["pmi"] = str(meeting.pmi)
    return entry


def details(meeting: Meeting, host: User, base_url: str, start_url: str) -> Json:
    """Everything that GET and the answer to POST show."""
    shown: Json = {
        "uuid": meeting.uuid,
        "id": meeting.id,
        "host_id": host.id,
        "host_email": host.email,
        "topic": meeting.topic,
        "type": meeting.type,
        "status": "started" if meeting.live_uuid else "waiting",
        "timezone": meeting.timezone,
        "agenda": meeting.agenda,
        "created_at": iso(meeting.created_at),
        "start_url": start_url,
        "join_url": join_url(base_url, meeting),
        "settings": dict(meeting.settings),
        "creation_source": meeting.creation_source,
    }
    if meeting.password:
        shown["password"] = meeting.password
        secret = encrypted(meeting.password)
        if meeting.kind == "webinar":
            shown |= {"encrypted_passcode": secret, "h323_passcode": meeting.password}
        else:
            shown |= {"h323_password": meeting.password, "pstn_password": meeting.password}
            shown["encrypted_password"] = secret
    if meeting.kind == "meeting":
        shown["pre_schedule"] = bool(meeting.extra.get("pre_schedule", False))
    if meeting.start is not None:
        shown |= {"start_time": iso(meeting.start), "duration": meeting.duration}
    if registers(meeting):
        shown["registration_url"] = registration_url(base_url, meeting)
    if meeting.pmi and meeting.kind == "meeting":
        shown["pmi"] = str(meeting.pmi)
    if meeting.tracking_fields:
        shown["tracking_fields"] = meeting.tracking_fields
    shown |= {name: value for name, value in meeting.extra.items() if name not in ("schedule_for", "pre_schedule")}
    if meeting.kind == "webinar":
        shown.pop("status")
    return shown


def with_occurrences(shown: Json, meeting: Meeting, meetings: Meetings, now: float, *, previous: bool) -> Json:
    """Add the recurrence rule and its dates; past ones only where they were asked for."""
    if meeting.type not in RECURRING_FIXED or meeting.recurrence is None:
        return shown
    shown["recurrence"] = meeting.recurrence
    shown["occurrences"] = [
        occurrence(each) for each in meeting.occurrences if previous or each.start + each.duration * 60 > now
    ]
    coming = meetings.next_occurrence(meeting, now)
    if coming is not None:
        shown |= {"start_time": iso(coming.start), "duration": coming.duration}
    return shown


def one_occurrence(shown: Json, each: Occurrence) -> Json:
    """A series as it is on one of its dates."""
    shown |= {"start_time": iso(each.start), "duration": each.duration}
    for name in ("topic", "agenda", "timezone"):
        if name in each.changes:
            shown[name] = each.changes[name]
    if "settings" in each.changes:
        shown["settings"] = {**shown["settings"], **each.changes["settings"]}
    return shown
