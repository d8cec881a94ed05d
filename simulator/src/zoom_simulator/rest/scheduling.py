"""What meetings and webinars have in common when they are created, changed and deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError, may_not_host, validation_failed
from zoom_simulator.meetings.definitions import PERSONAL, RECURRING_FIXED
from zoom_simulator.meetings.fields import check_body
from zoom_simulator.meetings.views import details, one_occurrence, with_occurrences
from zoom_simulator.model import Json, Kind, Meeting, Occurrence, User
from zoom_simulator.rest.call import WITHOUT_MEETINGS, Call
from zoom_simulator.webhooks import payloads

START_URL_SECONDS = 7200
DAY = 86_400
NO_PLAN = (
    "Webinar plan is missing. You must subscribe to the webinar plan and enable webinars for this user in order to "
    "perform this action."
)


def require_plan(call: Call) -> None:
    """400/200 where the account has no webinars; plan and permission share the code."""
    if not call.sim.state.accounts[call.account_id].webinars:
        raise ZoomError(400, 200, NO_PLAN)


def target(call: Call, kind: Kind) -> Meeting:
    """The meeting or webinar in the path."""
    if kind == "webinar":
        require_plan(call)
    return call.target_meeting(kind)


def create(call: Call, kind: Kind) -> Meeting:
    """Schedule something for the user in the path, or for the user named in `schedule_for`."""
    user = call.target_user()
    check_body(kind, call.body)
    _check_passcode(call)
    host = _scheduled_for(call, user)
    if host.type == WITHOUT_MEETINGS:
        raise may_not_host()
    call.spend_quota(host.id)
    account = call.sim.state.accounts[host.account_id]
    meeting = call.sim.meetings.new(kind, account, host, call.body)
    call.sim.world.add_meeting(meeting)
    announce(call, meeting, "created", {"operation": "all" if meeting.recurrence else "single"})
    return meeting


def _check_passcode(call: Call) -> None:
    """Refuse a passcode that the account's policy does not allow."""
    passcode, least = str(call.body.get("password") or ""), call.sim.behaviour.passcode_least_length
    if passcode and len(passcode) < least:
        raise validation_failed(("password", f"Passcode must have at least {least} characters."))


def shown(call: Call, meeting: Meeting) -> Json:
    """A meeting as GET and POST answer it, or as it is on the occurrence that was asked for."""
    host = call.sim.state.users[meeting.host_id]
    result = details(meeting, host, call.sim.base_url, start_url(call, meeting, host))
    previous = call.flag("show_previous_occurrences")
    result = with_occurrences(result, meeting, call.sim.meetings, call.now, previous=previous)
    occurrence = wanted_occurrence(call, meeting)
    return one_occurrence(result, occurrence) if occurrence else result


def update(call: Call, meeting: Meeting) -> None:
    """Change the meeting, the series or one occurrence, and publish what changed."""
    if call.body.get("type") == meeting.type == PERSONAL:
        del call.body["type"]  # a read gives it, and only a create refuses it
    check_body(meeting.kind, call.body)
    _check_passcode(call)
    call.spend_quota(meeting.host_id)
    before = payloads.comparable(meeting, call.sim.base_url)
    occurrence = wanted_occurrence(call, meeting)
    if occurrence is not None:
        _update_occurrence(call, meeting, occurrence)
    else:
        call.sim.meetings.apply(meeting, call.body)
        if call.body.get("schedule_for"):
            host = _scheduled_for(call, call.sim.state.users[meeting.host_id])
            call.sim.world.change_host(meeting, host.id)
    meeting.last_used_at = call.now
    after = payloads.comparable(meeting, call.sim.base_url)
    if before != after and occurrence is None:
        announce(call, meeting, "updated", _updated(call, meeting, before, after))


def _update_occurrence(call: Call, meeting: Meeting, occurrence: Occurrence) -> None:
    before = payloads.of_occurrence(meeting, occurrence)
    call.sim.meetings.apply_to_occurrence(meeting, occurrence, call.body)
    after = payloads.of_occurrence(meeting, occurrence)
    if before != after:
        announce(call, meeting, "updated", {**_updated(call, meeting, before, after), "scope": "single"})


def _updated(call: Call, meeting: Meeting, before: Json, after: Json) -> Json:
    return payloads.updated(meeting, before, after, call.now, host=call.sim.behaviour.updated_host_id)


def delete(call: Call, meeting: Meeting) -> None:
    """Delete it all, or mark one occurrence as deleted."""
    occurrence = wanted_occurrence(call, meeting)
    if call.sim.behaviour.user_limit_counts_deletes:
        call.spend_quota(meeting.host_id)
    shown_object = payloads.scheduled(meeting)
    if occurrence is None:
        if meeting.live_uuid:
            raise ZoomError(400, 3002, "Sorry, you cannot delete this meeting since it's in progress.")
        meeting.deleted_at = call.now
        call.sim.purge_later(meeting)
        operation = "all" if meeting.recurrence else "single"
        shown_object |= {"occurrences": [payloads.occurrence_reference(each) for each in meeting.occurrences]}
    else:
        occurrence.status = "deleted"
        operation = "single"
        shown_object |= {"occurrences": [payloads.occurrence_reference(occurrence)]}
    if not shown_object["occurrences"]:
        del shown_object["occurrences"]
    announce(call, meeting, "deleted", {"operation": operation, "object": shown_object})


def announce(call: Call, meeting: Meeting, what: str, extra: Json) -> None:
    """An API call echoes as an event, with the caller as operator."""
    payload: Json = {"account_id": meeting.account_id, **payloads.operator(call.caller), **extra}
    if "object" not in payload:
        created = what == "created"
        payload["object"] = payloads.created(meeting, call.sim.base_url) if created else payloads.scheduled(meeting)
    call.sim.publisher.publish(f"{meeting.kind}.{what}", payload, user_id=meeting.host_id)


def wanted_occurrence(call: Call, meeting: Meeting) -> Occurrence | None:
    """The occurrence named in the query. ZoomError 300 when the series has no such one (any more)."""
    wanted = call.query.get("occurrence_id")
    if not wanted:
        return None
    for each in meeting.occurrences:
        if each.id == wanted and (each.status == "available" or call.operation.method == "GET"):
            return each
    raise ZoomError(400, 300, "Invalid parameter: occurrence_id.")


def start_url(call: Call, meeting: Meeting, host: User) -> str:
    """The host's own link: whoever opens it is the host, for two hours."""
    zak = call.sim.user_tokens.zak(host, START_URL_SECONDS, call.now)
    return f"{call.sim.base_url}/s/{meeting.pmi or meeting.id}?zak={zak}"


def in_order(entries: list[tuple[float, Any]]) -> list[Any]:
    """Return the entries sorted by time."""
    return [entry for _, entry in sorted(entries, key=lambda pair: pair[0])]


def starts_of(meeting: Meeting, now: float) -> list[float]:
    """When it is still to be held: every date of a series, the only one of the others."""
    if meeting.type in RECURRING_FIXED:
        return [
            each.start
            for each in meeting.occurrences
            if each.status == "available" and each.start + each.duration * 60 > now
        ]
    if meeting.start is None or meeting.start + meeting.duration * 60 <= now:
        return []
    return [meeting.start]


def _scheduled_for(call: Call, user: User) -> User:
    wanted = call.body.get("schedule_for")
    if not wanted:
        return user
    if call.body.get("type") == 1:
        raise ZoomError(400, 3000, "Instant meetings do not support the schedule_for parameter.")
    found = call.sim.world.user(str(wanted))
    if found is None or found.account_id != user.account_id:
        raise ZoomError(
            400,
            300,
            "The value that you entered in the schedule_for field is invalid. Enter a valid value and try again.",
        )
    return found


def day_range(call: Call, *, most_days: int, default_from: float | None = None) -> tuple[float, float]:
    """`from` and `to` as epoch seconds, `to` exclusive. Of a range that is too long only its end is meant.

    ZoomError 300 for bad dates, and where `long_spans` is `refuse` for ranges that are too long.
    """
    today = call.now - call.now % 86_400
    begin = _day(call, "from", today if default_from is None else default_from)
    end = _day(call, "to", today)
    too_long = bool(call.query.get("from")) and end - begin > most_days * DAY
    if too_long and call.sim.behaviour.long_spans == "last_month":
        begin = end - (most_days - 1) * DAY
    elif end < begin or too_long:
        raise validation_failed(("from", f"The range from {iso(begin)[:10]} to {iso(end)[:10]} is invalid."))
    return begin, end + 86_400


def _day(call: Call, name: str, default: float) -> float:
    text = call.query.get(name)
    if not text:
        return default
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise validation_failed((name, f"Invalid field: {name}.")) from None
