"""The payloads of events. `object.id` is a string while a meeting is held and a number everywhere else, as at Zoom."""

from __future__ import annotations

from zoom_simulator.clock import iso, milliseconds
from zoom_simulator.links import join_url
from zoom_simulator.model import Instance, Json, Meeting, Occurrence, Recording, Registrant, User, Visit

OF_RENAMED = ("uuid", "id", "topic", "type", "host_id")
SETTINGS_OF_CREATED = ("use_pmi", "alternative_hosts", "meeting_invitees", "join_before_host", "jbh_time")
NO_TIME = ""


def operator(user: User | None) -> Json:
    """The operator of an event."""
    return {"operator": user.email if user else "", "operator_id": user.id if user else ""}


def scheduled(meeting: Meeting) -> Json:
    """A definition in a deleted, recovered or registration event."""
    shown: Json = {
        "uuid": meeting.uuid,
        "id": meeting.pmi or meeting.id,
        "host_id": meeting.host_id,
        "topic": meeting.topic,
        "type": meeting.type,
        "start_time": iso(meeting.start if meeting.start is not None else meeting.created_at),
        "duration": meeting.duration,
        "timezone": meeting.timezone,
    }
    return shown


def occurrence_reference(each: Occurrence) -> Json:
    """An occurrence in a deleted or registration event."""
    return {"occurrence_id": each.id, "start_time": iso(each.start)}


def created(meeting: Meeting, base_url: str) -> Json:
    """The object of `meeting.created` and `webinar.created`."""
    shown = scheduled(meeting)
    shown |= {"join_url": join_url(base_url, meeting), "creation_source": meeting.creation_source}
    if meeting.password:
        shown["password"] = meeting.password
    if meeting.pmi:
        shown["pmi"] = str(meeting.pmi)
    settings = {name: meeting.settings[name] for name in SETTINGS_OF_CREATED if name in meeting.settings}
    shown["settings"] = {"use_pmi": False, **settings}
    if meeting.recurrence is not None:
        shown["recurrence"] = meeting.recurrence
        shown["occurrences"] = [
            {**occurrence_reference(each), "duration": each.duration, "status": each.status}
            for each in meeting.occurrences
        ]
    if meeting.tracking_fields and meeting.kind == "meeting":
        shown["tracking_fields"] = meeting.tracking_fields
    return shown


def comparable(meeting: Meeting, base_url: str) -> Json:
    """The fields of which `updated` events carry those that changed."""
    shown: Json = {
        "topic": meeting.topic,
        "type": meeting.type,
        "agenda": meeting.agenda,
        "duration": meeting.duration,
        "timezone": meeting.timezone,
        "password": meeting.password,
        "start_time": iso(meeting.start) if meeting.start is not None else NO_TIME,
        "join_url": join_url(base_url, meeting),
        "settings": dict(meeting.settings),
        "recurrence": dict(meeting.recurrence or {}),
        "occurrences": [
            {**occurrence_reference(each), "duration": each.duration, "status": each.status}
            for each in meeting.occurrences
        ],
    }
    if meeting.kind == "meeting":
        shown["tracking_fields"] = meeting.tracking_fields
    else:
        shown.pop("join_url")
    return shown


def of_occurrence(meeting: Meeting, each: Occurrence) -> Json:
    """What `updated` events compare of one date of a series."""
    changes = each.changes
    return {
        "topic": changes.get("topic", meeting.topic),
        "agenda": changes.get("agenda", meeting.agenda),
        "settings": {**meeting.settings, **changes.get("settings", {})},
        "occurrences": [{**occurrence_reference(each), "duration": each.duration, "status": each.status}],
    }


def difference(meeting: Meeting, before: Json, after: Json) -> tuple[Json, Json]:
    """`object` and `old_object` of an `updated` event: id, uuid and only what changed, so not even the host."""
    new: Json = {"id": meeting.pmi or meeting.id, "uuid": meeting.uuid}
    old: Json = {"id": meeting.pmi or meeting.id}
    for name, value in after.items():
        was = before.get(name)
        if was == value:
            continue
        if name == "settings":
            keys = [key for key in value if was is None or was.get(key) != value[key]]
            new[name] = {key: value[key] for key in keys}
            old[name] = {key: was[key] for key in keys if was and key in was}
        elif value not in ({}, [], NO_TIME) or was not in ({}, [], NO_TIME):
            new[name] = value
            old[name] = was
    return new, old


def updated(meeting: Meeting, before: Json, after: Json, moment: float, *, host: bool = False) -> Json:
    """The payload of `meeting.updated` and `webinar.updated`, without account and operator."""
    new, old = difference(meeting, before, after)
    if host:
        new["host_id"] = meeting.host_id
    scope = "all" if meeting.recurrence else "single"
    return {"scope": scope, "time_stamp": milliseconds(moment), "object": new, "old_object": old}


def held(instance: Instance) -> Json:
    """The object of everything that happens while a meeting is on: here `id` is a string."""
    return {
        "id": str(instance.shown_id),
        "uuid": instance.uuid,
        "host_id": instance.host_id,
        "topic": instance.topic,
        "type": instance.type,
        "start_time": iso(instance.started_at),
        "timezone": instance.timezone,
        "duration": instance.duration,
    }


def started(instance: Instance, host: User) -> Json:
    """The object of `started` and, with `end_time`, `ended`."""
    shown = held(instance)
    shown["host_email"] = host.email
    if instance.ended_at is not None:
        shown["end_time"] = iso(instance.ended_at)
    return shown


def participant(visit: Visit) -> Json:
    """A participant; e-mail and ids are empty strings for guests from outside."""
    shown: Json = {
        "user_id": visit.user_id,
        "user_name": visit.name,
        "id": visit.zoom_id,
        "participant_uuid": visit.uuid,
        "email": visit.email,
        "participant_user_id": visit.zoom_id,
    }
    for name in ("registrant_id", "customer_key", "phone_number"):
        value = getattr(visit, name)
        if value:
            shown[name] = value
    return shown


def leave_reason(visit: Visit, reason: str) -> str:
    """Free text, not to be parsed."""
    return f"{visit.name} left the meeting.<br>Reason: {reason}"


def before_host(meeting: Meeting, visit: Visit) -> Json:
    """Somebody who is there before the host: no session number yet."""
    person: Json = {"id": visit.zoom_id, "user_name": visit.name, "customer_key": visit.customer_key}
    if visit.registrant_id:
        person["registrant_id"] = visit.registrant_id
    return {**scheduled(meeting), "id": str(meeting.pmi or meeting.id), "participant": person}


def in_breakout_room(instance: Instance, room: str, visit: Visit, **extra: str) -> Json:
    """Somebody in a breakout room, with a session number of that room's own beside the meeting's."""
    person = {**participant(visit), "user_id": visit.room_user_id or visit.user_id, "parent_user_id": visit.user_id}
    return {**held(instance), "breakout_room_uuid": room, "participant": {**person, **extra}}


def role_changed(instance: Instance, visit: Visit, old: str, new: str, when: str) -> Json:
    """Somebody gets another role: host, co-host or attendee."""
    return {
        **held(instance),
        "participant": {**participant(visit), "date_time": when, "old_role": old, "new_role": new},
    }


def live_stream(meeting: Meeting, when: str) -> Json:
    """Where it is streamed to."""
    names = ("stream_url", "stream_key", "page_url", "resolution")
    return {
        "custom_live_streaming_settings": {name: meeting.livestream.get(name, "") for name in names},
        "service": "Custom_Live_Streaming_Service",
        "date_time": when,
    }


def recorded(recording: Recording, instance: Instance) -> Json:
    """What is being, or was, recorded."""
    return {
        "uuid": recording.uuid,
        "id": recording.shown_id,
        "host_id": recording.host_id,
        "topic": recording.topic,
        "type": recording.type,
        "start_time": iso(instance.started_at),
        "timezone": recording.timezone,
        "duration": recording.duration,
    }


def sharer(visit: Visit) -> Json:
    """The participant of a sharing event."""
    return {
        "user_id": visit.user_id,
        "user_name": visit.name,
        "id": visit.zoom_id,
        "sharing_details": {
            "content": visit.sharing.get("content", "desktop"),
            "link_source": visit.sharing.get("link_source", ""),
            "file_link": visit.sharing.get("file_link", ""),
            "source": visit.sharing.get("source", ""),
            "date_time": visit.sharing.get("date_time", ""),
        },
    }


def registrant(each: Registrant) -> Json:
    """A registrant in a registration event."""
    return {
        "id": each.id,
        "first_name": each.first_name,
        "last_name": each.answers.get("last_name", ""),
        "email": each.email,
        **{name: value for name, value in each.answers.items() if name != "last_name"},
        "status": each.status,
        "join_url": each.join_url,
    }


def decided_registrant(each: Registrant) -> Json:
    """A registrant in the events of a decision, which show less."""
    shown = registrant(each)
    return {name: shown[name] for name in ("id", "first_name", "last_name", "email", "join_url")}
