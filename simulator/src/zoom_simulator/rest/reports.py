"""Reports: only for administrators, never for less than two participants, never older than they are kept."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from zoom_simulator.clock import day, iso
from zoom_simulator.errors import ZoomError, validation_failed
from zoom_simulator.model import Instance, Json, Kind, User
from zoom_simulator.rest import scheduling
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page
from zoom_simulator.rest.past import (
    YEAR,
    people_count,
    require_paid,
    require_webinars,
    stay,
    total_minutes,
    whole_minutes,
)

MONTH_DAYS = 31
HALF_YEAR = 184 * 86_400
SEVERAL = 2
CLASSIC = "report:read"
DAYS_GIVEN = ("from", "to")


@operation("reports.daily", "GET", "/report/daily", label="Heavy", scope="report:read:daily_usage", classic=CLASSIC,
           admin_only=True)  # fmt: skip
def daily(call: Call) -> Reply:
    """The account's use, day by day, in one of the last six months."""
    require_paid(call)
    today = datetime.fromtimestamp(call.now, UTC)
    year, month = call.number("year", today.year, 2000, 2100), call.number("month", today.month, 1, 12)
    begin = datetime(year, month, 1, tzinfo=UTC).timestamp()
    if begin > call.now or call.now - begin > HALF_YEAR:
        text = "Daily report can only be provided for a month that falls within the recent 6 months."
        raise ZoomError(400, 300, text)
    dates = []
    for number in range(monthrange(year, month)[1]):
        start = begin + number * 86_400
        held = _held(call, start, start + 86_400)
        new = sum(start <= user.created_at < start + 86_400 for user in call.sim.world.users_of(call.account_id))
        dates.append({
            "date": day(start),
            "new_users": new,
            "meetings": len(held),
            "participants": sum(people_count(each) for each in held),
            "meeting_minutes": sum(total_minutes(each, call.now) for each in held),
        })  # fmt: skip
    return Reply(200, {"year": year, "month": month, "dates": dates})


@operation("reports.users", "GET", "/report/users", label="Heavy", scope="report:read:list_users", classic=CLASSIC,
           admin_only=True)  # fmt: skip
def hosts(call: Call) -> Reply:
    """Who hosted something in a period, or who did not."""
    require_paid(call)
    begin, end = _period(call)
    wanted = call.text("type", "active", ("active", "inactive")) == "active"
    held = _held(call, begin, end)
    rows: list[Json] = []
    for user in call.sim.world.users_of(call.account_id):
        own = [each for each in held if each.host_id == user.id]
        if bool(own) == wanted:
            rows.append(_host_row(call, user, own))
    chunk, about = page(call, rows)
    totals = {
        "total_meetings": sum(row["meetings"] for row in rows),
        "total_participants": sum(row["participants"] for row in rows),
        "total_meeting_minutes": sum(row["meeting_minutes"] for row in rows),
    }
    return Reply(200, {"from": day(begin), "to": day(end - 1), **about, **totals, "users": chunk})


@operation("reports.user_meetings", "GET", "/report/users/{userId}/meetings", label="Heavy", scope="report:read:user",
           classic=CLASSIC, admin_only=True)  # fmt: skip
def user_meetings(call: Call) -> Reply:
    """What a user hosted or joined in a period: meetings of two and more (`past`), of one (`pastOne`)."""
    require_paid(call)
    user = call.target_user()
    begin, end = _period(call)
    kind = call.text("type", "past", ("past", "pastOne", "pastJoined"))
    rows = []
    for instance in _held(call, begin, end):
        people = people_count(instance)
        joined = any(visit.zoom_id == user.id for visit in instance.visits)
        hosted = instance.host_id == user.id
        fits = {"past": hosted and people >= SEVERAL, "pastOne": hosted and people < SEVERAL, "pastJoined": joined}
        if fits[kind]:
            rows.append(_meeting_row(call, instance))
    chunk, about = page(call, rows)
    return Reply(200, {"from": day(begin), "to": day(end - 1), **about, "meetings": chunk})


@operation("reports.meeting", "GET", "/report/meetings/{meetingId}", label="Heavy", scope="report:read:meeting",
           classic=CLASSIC, admin_only=True)  # fmt: skip
def meeting(call: Call) -> Reply:
    """One meeting."""
    return Reply(200, _details(call, _instance(call, "meeting")))


@operation("reports.meeting_participants", "GET", "/report/meetings/{meetingId}/participants", label="Heavy",
           scope="report:read:list_meeting_participants", classic=CLASSIC, admin_only=True)  # fmt: skip
def meeting_participants(call: Call) -> Reply:
    """Who was in a meeting."""
    return _participants(call, _instance(call, "meeting"))


@operation("reports.webinar", "GET", "/report/webinars/{webinarId}", label="Heavy", scope="report:read:webinar",
           classic=CLASSIC, admin_only=True)  # fmt: skip
def webinar(call: Call) -> Reply:
    """One webinar."""
    return Reply(200, _details(call, _instance(call, "webinar")))


@operation("reports.webinar_participants", "GET", "/report/webinars/{webinarId}/participants", label="Heavy",
           scope="report:read:list_webinar_participants", classic=CLASSIC, admin_only=True)  # fmt: skip
def webinar_participants(call: Call) -> Reply:
    """Who was in a webinar."""
    return _participants(call, _instance(call, "webinar"))


@operation("reports.cloud_recording", "GET", "/report/cloud_recording", label="Heavy",
           scope="report:read:cloud_recording", classic=CLASSIC, admin_only=True)  # fmt: skip
def cloud_recording(call: Call) -> Reply:
    """How much storage was in use on each day of a period."""
    require_paid(call)
    begin, end = _period(call)
    rows = []
    moment = begin
    while moment < end:
        used = sum(
            each.size
            for recording in call.sim.state.recordings.values()
            if recording.account_id == call.account_id and recording.start < moment + 86_400
            for each in recording.files
        )
        gigabytes = f"{used / 1e9:.2f} GB"
        rows.append({"date": day(moment), "free_usage": "0", "plan_usage": gigabytes, "usage": gigabytes})
        moment += 86_400
    return Reply(200, {"from": day(begin), "to": day(end - 1), "cloud_recording_storage": rows})


def _period(call: Call) -> tuple[float, float]:
    missing = [(name, "Required field.") for name in DAYS_GIVEN if not call.query.get(name)]
    if missing:
        raise validation_failed(*missing)
    begin, end = scheduling.day_range(call, most_days=MONTH_DAYS)
    if call.now - begin > HALF_YEAR:
        raise validation_failed(("from", "The date has to be within the last six months."))
    return begin, end


def _held(call: Call, begin: float, end: float) -> list[Instance]:
    return [
        each
        for each in call.sim.state.instances.values()
        if each.account_id == call.account_id and each.ended_at is not None and begin <= each.started_at < end
    ]


def _instance(call: Call, kind: Kind) -> Instance:
    (require_paid if kind == "meeting" else require_webinars)(call)
    reference = call.params[f"{kind}Id"]
    if reference.isdecimal():
        ended = [each for each in call.sim.world.held(int(reference)) if each.ended_at is not None]
        found = ended[-1] if ended else None
    else:
        found = call.sim.state.instances.get(reference)
    known = found is not None and found.ended_at is not None and found.kind == kind
    if found is None or not known or found.account_id != call.account_id or people_count(found) < SEVERAL:
        raise ZoomError(404, 3001, f"{kind.capitalize()} {{}} not found or has expired.", reference)
    if call.now - (found.ended_at or 0) > YEAR:
        raise ZoomError(400, 12702, f"Can not access {kind} a year ago.")
    return found


def _details(call: Call, instance: Instance) -> Json:
    host = call.sim.world.someone(instance.host_id)
    return {
        "uuid": instance.uuid,
        "id": instance.shown_id,
        "type": instance.type,
        "topic": instance.topic,
        "user_name": host.name,
        "user_email": host.email,
        "dept": "",
        "start_time": iso(instance.started_at),
        "end_time": iso(instance.ended_at or call.now),
        "duration": whole_minutes(instance, call.now),
        "total_minutes": total_minutes(instance, call.now),
        "participants_count": people_count(instance),
        "tracking_fields": instance.tracking_fields,
        "custom_keys": [],
    }


def _participants(call: Call, instance: Instance) -> Reply:
    settled = call.now >= (instance.ended_at or 0) + call.sim.behaviour.settle_seconds
    with_registrant = "registrant_id" in call.query.get("include_fields", "")
    rows = []
    for visit in instance.visits:
        row = stay(visit, call.now, settled)
        row |= {"customer_key": visit.customer_key, "participant_user_id": visit.zoom_id, "bo_mtg_id": ""}
        if with_registrant:
            row["registrant_id"] = visit.registrant_id
        rows.append(row)
    chunk, about = page(call, rows, numbered=False)
    return Reply(200, {**about, "participants": chunk})


def _host_row(call: Call, user: User, held: list[Instance]) -> Json:
    return {
        "id": user.id,
        "email": user.email,
        "user_name": user.name,
        "type": user.type,
        "dept": str(user.extra.get("dept", "")),
        "meetings": len(held),
        "participants": sum(people_count(each) for each in held),
        "meeting_minutes": sum(total_minutes(each, call.now) for each in held),
        "custom_attributes": [],
    }


def _meeting_row(call: Call, instance: Instance) -> Json:
    row = _details(call, instance)
    row.pop("tracking_fields")
    row.pop("dept")
    host = call.sim.world.someone(instance.host_id)
    return {
        **row,
        "source": "Zoom",
        "host_name": host.name,
        "host_organization": call.sim.state.accounts[instance.account_id].name,
        "schedule_time": "",
        "has_screen_share": instance.shared,
        "has_recording": instance.uuid in call.sim.state.recordings,
        "has_chat": instance.chatted,
        "meeting_encryption_status": 1,
        "participants_count_my_account": len({visit.zoom_id for visit in instance.visits if visit.internal}),
    }
