"""Past meetings and webinars: their instances and participants."""

from __future__ import annotations

from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError, no_meeting, no_permission, no_webinar, paid_only
from zoom_simulator.meetings.views import registers
from zoom_simulator.model import Instance, Json, Kind, Visit
from zoom_simulator.rest import scheduling
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page
from zoom_simulator.rest.registrants import shown as registrant

YEAR = 365 * 86_400
LONE = 1


def past_instance(call: Call, kind: Kind, reference: str) -> Instance:
    """The occasion that a UUID names, or the latest of a number. ZoomError 3001, or 12702 when it is too old."""
    missing = no_meeting(reference) if kind == "meeting" else no_webinar(reference)
    if reference.isdecimal():
        ended = [each for each in call.sim.world.held(int(reference)) if each.ended_at is not None]
        instance = ended[-1] if ended else None
    else:
        instance = call.sim.state.instances.get(reference)
    if instance is None or instance.ended_at is None or instance.kind != kind or not call.may_reach(instance.host_id):
        raise missing
    if call.now - instance.ended_at > YEAR:
        raise ZoomError(400, 12702, f"Can not access a {kind} a year ago.")
    return instance


def require_paid(call: Call) -> None:
    """400/200 on a free plan."""
    account = call.sim.state.accounts[call.account_id]
    if account.plan == "free":
        raise paid_only(account.id)


def require_webinars(call: Call) -> None:
    """400/200 where the account has no webinars."""
    require_paid(call)
    if not call.sim.state.accounts[call.account_id].webinars:
        raise no_permission()


def participants(call: Call, instance: Instance) -> list[Json]:
    """Every stay; nothing where only one person was there and the account does not show such meetings.

    The registrant stands there for who asks with `include_fields`.
    """
    settled = call.now >= (instance.ended_at or 0) + call.sim.behaviour.settle_seconds
    if people_count(instance) <= LONE and not call.sim.behaviour.show_lone_meetings:
        if call.sim.behaviour.lone_meetings == "not_found":
            raise no_meeting(instance.shown_id) if instance.kind == "meeting" else no_webinar(instance.shown_id)
        return []
    rows = []
    for visit in instance.visits:
        row = {**stay(visit, call.now, settled), "internal_user": visit.internal}
        if "registrant_id" in call.query.get("include_fields", ""):
            row["registrant_id"] = visit.registrant_id
        rows.append(row)
    return rows


@operation("past_meetings.get", "GET", "/past_meetings/{meetingId}", label="Light",
           scope="meeting:read:past_meeting", classic="meeting:read")  # fmt: skip
def past_meeting(call: Call) -> Reply:
    """What was."""
    require_paid(call)
    instance = past_instance(call, "meeting", call.params["meetingId"])
    host = call.sim.world.someone(instance.host_id)
    answer: Json = {
        "uuid": instance.uuid,
        "id": instance.shown_id,
        "host_id": instance.host_id,
        "type": instance.type,
        "topic": instance.topic,
        "user_name": host.name,
        "user_email": host.email,
        "start_time": iso(instance.started_at),
        "end_time": iso(instance.ended_at or call.now),
        "duration": whole_minutes(instance, call.now),
        "total_minutes": total_minutes(instance, call.now),
        "participants_count": people_count(instance),
        "dept": "",
        "source": "Zoom",
        "has_meeting_summary": False,
    }
    return Reply(200, answer)


@operation("past_meetings.instances", "GET", "/past_meetings/{meetingId}/instances", label="Medium",
           scope="meeting:read:list_past_instances", classic="meeting:read")  # fmt: skip
def past_instances(call: Call) -> Reply:
    """On which occasions it was held, within `from` and `to` where they are given."""
    return Reply(200, {"meetings": _instances(call, "meeting", call.params["meetingId"])})


@operation("past_meetings.participants", "GET", "/past_meetings/{meetingId}/participants", label="Medium",
           scope="meeting:read:list_past_participants", classic="meeting:read")  # fmt: skip
def past_participants(call: Call) -> Reply:
    """Who was there."""
    require_paid(call)
    instance = past_instance(call, "meeting", call.params["meetingId"])
    chunk, about = page(call, participants(call, instance), numbered=False)
    return Reply(200, {**about, "participants": chunk})


@operation("past_webinars.instances", "GET", "/past_webinars/{webinarId}/instances", label="Light",
           scope="webinar:read:list_past_instances", classic="webinar:read")  # fmt: skip
def past_webinar_instances(call: Call) -> Reply:
    """On which occasions it was held."""
    require_webinars(call)
    return Reply(200, {"webinars": _instances(call, "webinar", call.params["webinarId"])})


@operation("past_webinars.participants", "GET", "/past_webinars/{webinarId}/participants", label="Medium",
           scope="webinar:read:list_past_participants", classic="webinar:read")  # fmt: skip
def past_webinar_participants(call: Call) -> Reply:
    """Who was there."""
    require_webinars(call)
    instance = past_instance(call, "webinar", call.params["webinarId"])
    chunk, about = page(call, participants(call, instance), numbered=False)
    return Reply(200, {**about, "participants": chunk})


@operation("past_webinars.absentees", "GET", "/past_webinars/{webinarId}/absentees", label="Heavy",
           scope="webinar:read:list_absentees", classic="webinar:read")  # fmt: skip
def absentees(call: Call) -> Reply:
    """Who registered and never came."""
    require_webinars(call)
    instance = past_instance(call, "webinar", call.params["webinarId"])
    webinar = call.sim.state.meetings.get(instance.meeting_id)
    if webinar is None or not registers(webinar):
        raise ZoomError(400, 3000, "This webinar doesn't have registration required: {}.", instance.uuid)
    wanted = call.query.get("occurrence_id", "")
    if wanted and wanted not in {each.id for each in webinar.occurrences}:
        text = "The request could not be completed because you have provided an invalid occurrence ID: {}."
        raise ZoomError(400, 300, text, wanted)
    came = {visit.registrant_id for visit in instance.visits}
    absent = [each for each in webinar.registrants if each.status == "approved" and each.id not in came]
    chunk, about = page(call, absent)
    return Reply(200, {**about, "registrants": [registrant(each) for each in chunk]})


def _instances(call: Call, kind: Kind, reference: str) -> list[Json]:
    held = call.sim.world.held(int(reference)) if reference.isdecimal() else []
    visible = [each for each in held if each.kind == kind and call.may_reach(each.host_id)]
    definition = call.sim.meetings.find(reference)
    known = definition is not None and definition.kind == kind and call.may_reach(definition.host_id)
    if not visible and not known:
        raise no_meeting(reference) if kind == "meeting" else no_webinar(reference)
    if call.query.get("from") or call.query.get("to"):
        begin, end = scheduling.day_range(call, most_days=366, default_from=0.0 if not call.query.get("from") else None)
        visible = [each for each in visible if begin <= each.started_at < end]
    return [{"uuid": each.uuid, "start_time": iso(each.started_at)} for each in visible if each.ended_at is not None]


def whole_minutes(instance: Instance, now: float) -> int:
    """How long it lasted, in whole minutes, begun ones included."""
    return max(1, -(-int((instance.ended_at or now) - instance.started_at) // 60))


def total_minutes(instance: Instance, now: float) -> int:
    """The minutes of everybody together."""
    seconds = sum((visit.left_at or now) - visit.joined_at for visit in instance.visits)
    return -(-int(seconds) // 60)


def people_count(instance: Instance) -> int:
    """How many different people were there."""
    return len({visit.email or visit.zoom_id or visit.uuid for visit in instance.visits})


def stay(visit: Visit, now: float, settled: bool) -> Json:  # noqa: FBT001 - one property of the answer
    """One stay as a list of participants shows it; `duration` is in seconds, and 0 until the numbers have settled."""
    left = visit.left_at or now
    return {
        "id": visit.zoom_id,
        "user_id": visit.user_id,
        "name": visit.name,
        "user_email": visit.email,
        "join_time": iso(visit.joined_at),
        "leave_time": iso(left),
        "duration": int(left - visit.joined_at) if settled else 0,
        "failover": False,
        "status": "in_waiting_room" if visit.waiting else "in_meeting",
    }
