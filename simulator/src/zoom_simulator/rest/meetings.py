"""Meetings: list, create, get, update, delete, end and recover."""

from __future__ import annotations

from zoom_simulator.check import Field, check
from zoom_simulator.errors import ZoomError, may_not_host, no_meeting
from zoom_simulator.meetings.definitions import INSTANT, PERSONAL, RECURRING_FIXED
from zoom_simulator.meetings.views import list_entry
from zoom_simulator.model import Json, Meeting, User
from zoom_simulator.rest import scheduling
from zoom_simulator.rest.call import WITHOUT_MEETINGS, Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page

LOCAL_RECORDING_SECONDS = 120
LISTS = ("scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings", "past")


@operation("meetings.list", "GET", "/users/{userId}/meetings", label="Medium",
           scope="meeting:read:list_meetings", classic="meeting:read")  # fmt: skip
def list_meetings(call: Call) -> Reply:
    """A user's meetings. Instant meetings and the personal room are never listed."""
    user = call.target_user()
    _check_listing(call, user)
    kind = call.text("type", "scheduled", LISTS)
    entries: list[tuple[float, Json]] = []
    for meeting in call.sim.world.meetings_of(user.id, "meeting"):
        if meeting.type in (INSTANT, PERSONAL) or call.sim.meetings.expired(meeting):
            continue
        for start in _listed_starts(call, meeting, kind):
            shown = list_entry(meeting, user, call.sim.base_url, start)
            entries.append((start or meeting.created_at, shown))
    if call.query.get("from") or call.query.get("to"):
        begin, end = scheduling.day_range(call, most_days=366)
        entries = [entry for entry in entries if begin <= entry[0] < end]
    chunk, about = page(call, scheduling.in_order(entries))
    return Reply(200, {**about, "meetings": chunk})


@operation("meetings.create", "POST", "/users/{userId}/meetings", label="Light",
           scope="meeting:write:meeting", classic="meeting:write")  # fmt: skip
def create_meeting(call: Call) -> Reply:
    """Schedule a meeting. Not idempotent: the same call twice makes two."""
    meeting = scheduling.create(call, "meeting")
    return Reply(201, scheduling.shown(call, meeting))


@operation("meetings.get", "GET", "/meetings/{meetingId}", label="Light",
           scope="meeting:read:meeting", classic="meeting:read")  # fmt: skip
def get_meeting(call: Call) -> Reply:
    """One meeting."""
    return Reply(200, scheduling.shown(call, call.target_meeting()))


@operation("meetings.update", "PATCH", "/meetings/{meetingId}", label="Light",
           scope="meeting:update:meeting", classic="meeting:write")  # fmt: skip
def update_meeting(call: Call) -> Reply:
    """Change a meeting, a series or one occurrence."""
    scheduling.update(call, call.target_meeting())
    return Reply(204)


@operation("meetings.delete", "DELETE", "/meetings/{meetingId}", label="Light",
           scope="meeting:delete:meeting", classic="meeting:write")  # fmt: skip
def delete_meeting(call: Call) -> Reply:
    """Delete a meeting, a series or one occurrence."""
    meeting = call.target_meeting()
    if meeting.type == PERSONAL:
        raise ZoomError(400, 3018, "Not allowed to delete PMI.")
    scheduling.delete(call, meeting)
    return Reply(204)


@operation("meetings.status", "PUT", "/meetings/{meetingId}/status", label="Light",
           scope="meeting:update:status", classic="meeting:write")  # fmt: skip
def change_status(call: Call) -> Reply:
    """End a meeting that is on, or recover a deleted one."""
    check(call.body, {"action": Field("string", required=True, allowed=("end", "recover"))})
    if call.body["action"] == "recover":
        _recover(call)
        return Reply(204)
    meeting = call.target_meeting()
    if meeting.live_uuid:
        call.sim.live.end(meeting)
    return Reply(204)


@operation("meetings.local_recording_token", "GET", "/meetings/{meetingId}/jointoken/local_recording", label="Light",
           scope="meeting:read:local_recording_token", classic="meeting_token:read:local_recording")  # fmt: skip
def local_recording_token(call: Call) -> Reply:
    """A token to join and record, good for two minutes."""
    meeting = call.target_meeting()
    host = call.sim.state.users[meeting.host_id]
    token = call.sim.user_tokens.local_recording(host, str(meeting.id), LOCAL_RECORDING_SECONDS, call.now)
    return Reply(200, {"expire_in": LOCAL_RECORDING_SECONDS, "token": token})


def _check_listing(call: Call, user: User) -> None:
    account = call.sim.state.accounts[user.account_id]
    others = user.id != call.principal.grant.user_id and not call.principal.account_level
    if others and not account.shows_meetings_for_others:
        text = "Not allowed to view meetings scheduled for others. To use this feature, enable the "
        text += "Display meetings scheduled for others setting in the Account Settings page of the Zoom web portal."
        raise ZoomError(403, 2306, text)
    if user.type == WITHOUT_MEETINGS:
        raise may_not_host()


def _recover(call: Call) -> None:
    reference = call.params["meetingId"]
    meeting = call.sim.state.meetings.get(int(reference)) if reference.isdecimal() else None
    if meeting is None or meeting.kind != "meeting" or not call.may_reach(meeting.host_id):
        raise no_meeting(reference)
    if meeting.deleted_at is not None:
        meeting.deleted_at = None
        scheduling.announce(call, meeting, "recovered", {"operation": "all" if meeting.recurrence else "single"})


def _listed_starts(call: Call, meeting: Meeting, kind: str) -> list[float | None]:
    if kind == "live":
        return [meeting.start] if meeting.live_uuid else []
    coming = scheduling.starts_of(meeting, call.now)
    if kind in {"previous_meetings", "past"}:  # programs send `past`; what Zoom makes of it is not known
        return [] if coming or meeting.live_uuid or meeting.start is None else [meeting.start]
    if kind == "scheduled":
        following = call.sim.meetings.next_occurrence(meeting, call.now) if meeting.type in RECURRING_FIXED else None
        return [following.start if following else meeting.start]
    if meeting.live_uuid and not coming:
        return [meeting.start]
    return list(coming)
