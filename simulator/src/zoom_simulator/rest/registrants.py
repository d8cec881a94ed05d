"""Registrants of meetings and webinars: list, add, get, delete, decide, add many, and the questions they answer."""

from __future__ import annotations

from functools import partial

from zoom_simulator.check import Field, check, problems
from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError, no_meeting, validation_failed
from zoom_simulator.meetings.fields import REGISTRANT
from zoom_simulator.meetings.views import occurrence, registers
from zoom_simulator.model import Json, Kind, Meeting, Registrant
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page
from zoom_simulator.rest.scheduling import target

STATUSES = ("pending", "approved", "denied")
BATCH = 30
BASIC = 1
DAILY = (
    "You have exceeded the daily rate limit ({}) of registration API requests permitted for this registrant. "
    "You may resume these requests at GMT 00:00:00."
)


def list_registrants(kind: Kind, call: Call) -> Reply:
    """Registrants of one status, of the series or of one occurrence."""
    meeting = target(call, kind)
    status = call.text("status", "approved", STATUSES)
    wanted = call.query.get("occurrence_id", "")
    found = [
        each
        for each in meeting.registrants
        if each.status == status and (not wanted or not each.occurrence_ids or wanted in each.occurrence_ids)
    ]
    chunk, about = page(call, found)
    return Reply(200, {**about, "registrants": [shown(each) for each in chunk]})


def add_registrant(kind: Kind, call: Call) -> Reply:
    """Register somebody."""
    meeting = _open_meeting(call, kind)
    check(call.body, REGISTRANT)
    host = call.sim.state.users[meeting.host_id]
    email = call.body["email"].lower()
    if kind == "webinar" and email == host.email.lower():
        raise ZoomError(400, 3027, "Host cannot register.")
    _spend(call, call.sim.behaviour.registrations_per_day, "registration", str(meeting.id), email)
    ids = [each for each in call.query.get("occurrence_ids", "").split(",") if each]
    unknown = set(ids) - {each.id for each in meeting.occurrences}
    if unknown:
        raise ZoomError(400, 300, "Invalid parameter: occurrence_ids.")
    each = call.sim.registration.add(meeting, call.body, occurrence_ids=ids, approve=call.body.get("auto_approve"))
    answer: Json = {
        "id": meeting.id,
        "registrant_id": each.id,
        "join_url": each.join_url,
        "topic": meeting.topic,
        "start_time": iso(meeting.start if meeting.start is not None else call.now),
    }
    dates = [one for one in meeting.occurrences if one.id in ids] or meeting.occurrences
    if dates:
        answer["occurrences"] = [occurrence(one) for one in dates]
    return Reply(201, answer)


def get_registrant(kind: Kind, call: Call) -> Reply:
    """One registrant."""
    meeting = target(call, kind)
    return Reply(200, shown(_registrant(call, meeting)))


def delete_registrant(kind: Kind, call: Call) -> Reply:
    """Take a registrant off the list."""
    meeting = target(call, kind)
    _require_registration(meeting)
    call.sim.registration.remove(meeting, _registrant(call, meeting), call.caller)
    return Reply(204)


def decide(kind: Kind, call: Call) -> Reply:
    """Approve, deny or cancel registrants, each at most ten times a day."""
    meeting = target(call, kind)
    fields = {
        "action": Field("string", required=True, allowed=("approve", "cancel", "deny")),
        "registrants": Field("array"),
    }
    check(call.body, fields)
    _require_registration(meeting)
    wanted = [each for each in call.body.get("registrants") or [] if isinstance(each, dict)]
    ids = {str(each["id"]) for each in wanted if each.get("id")}
    emails = {str(each["email"]).lower() for each in wanted if each.get("email")}
    chosen = [each for each in meeting.registrants if each.id in ids or each.email.lower() in emails]
    newcomers = sum(each.status != "approved" for each in chosen) if call.body["action"] == "approve" else 0
    if newcomers > call.sim.registration.places_left(meeting):
        if kind == "webinar":
            raise ZoomError(400, 3035, "Webinar has reached maximum attendee capacity.")
        raise ZoomError(400, 3043, "Meeting has reached maximum attendee capacity.")
    for each in chosen:
        _spend(call, call.sim.behaviour.registrant_changes_per_day, "status", str(meeting.id), each.id)
    call.sim.registration.decide(meeting, chosen, call.body["action"], call.caller)
    return Reply(204)


def add_many(kind: Kind, call: Call) -> Reply:
    """Register up to thirty people for a scheduled meeting or webinar; recurring ones are refused."""
    meeting = target(call, kind)
    if meeting.type not in (2, 5):
        code, text = (300, "webinars (type 5)") if kind == "webinar" else (303, "meeting(meeting type: 2)")
        raise ZoomError(400, code, "This API can only be used for scheduled {}.", text)
    if not registers(meeting):
        raise ZoomError(400, 404, "Registration has not been enabled for this meeting: {}.", meeting.id)
    call.sim.registration.check_open(meeting)
    people = call.body.get("registrants")
    if not isinstance(people, list) or not people or len(people) > BATCH:
        raise validation_failed(("registrants", "Invalid field."))
    found = [
        problem
        for number, person in enumerate(people)
        for problem in problems(person if isinstance(person, dict) else {}, REGISTRANT, f"registrants[{number}].")
    ]
    if found:
        raise validation_failed(*found)
    if len(people) > call.sim.registration.places_left(meeting):
        raise ZoomError(400, 3043 if kind == "meeting" else 3000, "The capacity does not suffice for that many people.")
    added = [
        call.sim.registration.add(meeting, person, approve=bool(call.body.get("auto_approve"))) for person in people
    ]
    answer = [{"email": each.email, "join_url": each.join_url, "registrant_id": each.id} for each in added]
    return Reply(201, {"registrants": answer})


def get_questions(kind: Kind, call: Call) -> Reply:
    """What registrants are asked."""
    meeting = target(call, kind)
    default: Json = {"questions": [{"field_name": "last_name", "required": False}], "custom_questions": []}
    return Reply(200, meeting.questions or default)


def change_questions(kind: Kind, call: Call) -> Reply:
    """Ask something else."""
    meeting = target(call, kind)
    check(call.body, {"questions": Field("array"), "custom_questions": Field("array")})
    meeting.questions = {"questions": [], "custom_questions": [], **meeting.questions, **call.body}
    return Reply(204)


def shown(each: Registrant) -> Json:
    """A registrant in answers."""
    return {
        "id": each.id,
        "email": each.email,
        "first_name": each.first_name,
        **each.answers,
        "status": each.status,
        "create_time": iso(each.created_at),
        "join_url": each.join_url,
    }


def _open_meeting(call: Call, kind: Kind) -> Meeting:
    try:
        meeting = target(call, kind)
    except ZoomError as problem:
        if kind == "meeting" and problem.status == no_meeting("").status:  # here, and only here, it is a 1001
            raise ZoomError(404, 1001, "Meeting does not exist: {}.", call.params["meetingId"]) from None
        raise
    host = call.sim.state.users[meeting.host_id]
    if host.type == BASIC:
        raise ZoomError(400, 200, "Only available for paid users: {}.", host.id)
    call.sim.registration.check_open(meeting)
    return meeting


def _registrant(call: Call, meeting: Meeting) -> Registrant:
    wanted = call.params["registrantId"]
    for each in meeting.registrants:
        if each.id == wanted:
            return each
    if meeting.kind == "webinar":
        raise ZoomError(400, 3079, "This registrant does not exist: {}.", wanted)
    text = "The value that you entered for the Registrant ID field is invalid. Enter a valid value and try again."
    raise ZoomError(400, 300, text)


def _require_registration(meeting: Meeting) -> None:
    if not registers(meeting):
        raise ZoomError(400, 300, "Registration has not been enabled for this meeting: {}.", meeting.id)


def _spend(call: Call, limit: int, *key: str) -> None:
    if not call.sim.limits.take_daily(call.now, limit, *key):
        raise ZoomError(429, 429, DAILY, limit)


ROWS = (
    # name, method, path below the meeting, label, granular scope, read or write, handler
    ("registrants.list", "GET", "registrants", "Medium", "read:list_registrants", list_registrants),
    ("registrants.add", "POST", "registrants", "Light", "write:registrant", add_registrant),
    ("registrants.get", "GET", "registrants/{registrantId}", "Light", "read:registrant", get_registrant),
    ("registrants.delete", "DELETE", "registrants/{registrantId}", "Light", "delete:registrant", delete_registrant),
    ("registrants.status", "PUT", "registrants/status", "Medium", "update:registrant_status", decide),
    ("registrants.batch", "POST", "batch_registrants", "Heavy", "write:batch_registrants", add_many),
    (
        "registrants.questions",
        "GET",
        "registrants/questions",
        "Light",
        "read:list_registration_questions",
        get_questions,
    ),
    ("registrants.ask", "PATCH", "registrants/questions", "Light", "update:registration_question", change_questions),
)
KINDS: tuple[Kind, ...] = ("meeting", "webinar")
for _kind in KINDS:
    for _name, _method, _path, _label, _scope, _handler in ROWS:
        operation(
            f"{_kind}s.{_name}",
            _method,
            f"/{_kind}s/{{{_kind}Id}}/{_path}",
            label=_label,  # type: ignore[arg-type]
            scope=f"{_kind}:{_scope}",
            classic=f"{_kind}:{'read' if _method == 'GET' else 'write'}",
        )(partial(_handler, _kind))
