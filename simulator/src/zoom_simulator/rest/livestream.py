"""Live streams of meetings and webinars, and what a meeting's invitation says."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from zoom_simulator.check import Field, check, problems
from zoom_simulator.clock import iso
from zoom_simulator.failures import ZoomError, validation_failed
from zoom_simulator.hooks import bodies
from zoom_simulator.model import Json, Kind
from zoom_simulator.render import join_url
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.registrants import target

STREAM = {
    "page_url": Field("string", required=True, longest=1024),
    "stream_key": Field("string", required=True, longest=512),
    "stream_url": Field("string", required=True, longest=1024),
    "resolution": Field("string"),
}
LONGEST_TTL = 7_776_000


def get_stream(kind: Kind, call: Call) -> Reply:
    """Where it is streamed to."""
    meeting = target(call, kind)
    names = ("page_url", "stream_key", "stream_url", "resolution")
    return Reply(200, {name: meeting.livestream.get(name, "") for name in names})


def set_stream(kind: Kind, call: Call) -> Reply:
    """Say where to stream to."""
    meeting = target(call, kind)
    check(call.body, STREAM)
    meeting.livestream |= {name: call.body[name] for name in STREAM if name in call.body}
    return Reply(204)


def change_stream(kind: Kind, call: Call) -> Reply:
    """Start or stop streaming; only a meeting that is on can be streamed."""
    meeting = target(call, kind)
    actions = ("start", "stop", "mode") if kind == "meeting" else ("start", "stop")
    check(call.body, {"action": Field("string", required=True, allowed=actions), "settings": Field("object")})
    if meeting.settings.get("encryption_type") == "e2ee":
        text = "End-to-end encrypted meetings currently do not support the livestreaming feature."
        raise ZoomError(400, 4400, text)
    if kind == "webinar" and not meeting.livestream.get("stream_url"):
        raise ZoomError(400, 3000, "The current webinar is not configured with a custom streaming service.")
    if not meeting.live_uuid:
        raise ZoomError(400, 4927, "Meeting {} has not started.", meeting.id)
    if kind == "meeting" and call.body["action"] != "mode":
        _announce(call, call.body["action"] == "start")
    return Reply(204)


def _announce(call: Call, started: bool) -> None:  # noqa: FBT001 - one of two events
    meeting = call.target_meeting()
    instance = call.sim.stage.live(meeting)
    stream = bodies.live_stream(meeting, iso(call.now))
    payload: Json = {
        "account_id": meeting.account_id,
        **bodies.operator(call.caller),
        "object": {**bodies.held(instance), "id": instance.shown_id, "live_streaming": stream},
    }
    what = "started" if started else "stopped"
    call.sim.publisher.publish(f"meeting.live_streaming_{what}", payload, user_id=meeting.host_id)


@operation("meetings.invitation", "GET", "/meetings/{meetingId}/invitation", label="Light",
           scope="meeting:read:invitation", classic="meeting:read")  # fmt: skip
def invitation(call: Call) -> Reply:
    """The text people paste into mails."""
    meeting = call.target_meeting()
    host = call.sim.state.users[meeting.host_id]
    number = str(meeting.pmi or meeting.id)
    spaced = f"{number[:3]} {number[3:7]} {number[7:]}"
    when = ""
    if meeting.start is not None:
        local = datetime.fromtimestamp(meeting.start, ZoneInfo(meeting.timezone))
        when = f"Time: {local.strftime('%b %-d, %Y %I:%M %p')} {meeting.timezone.replace('/', ', ')}\r\n"
    passcode = f"Passcode: {meeting.password}\r\n" if meeting.password else ""
    text = (
        f"{host.name} is inviting you to a scheduled Zoom meeting.\r\n\r\nTopic: {meeting.topic}\r\n{when}\r\n"
        f"Join Zoom Meeting\r\n{join_url(call.sim.base_url, meeting)}\r\n\r\nMeeting ID: {spaced}\r\n{passcode}\r\n"
        f"One tap mobile\r\n+15550100,,{number}# US (New York)\r\n\r\nDial by your location\r\n"
        f"+1 5550100 US (New York)\r\nMeeting ID: {spaced}\r\n{passcode}\r\n"
        f"Join by SIP\r\n{number}@zoomcrc.com\r\n\r\n"
    )
    return Reply(200, {"invitation": text, "sip_links": [f"{number}@zoomcrc.com"]})


def invite_links(kind: Kind, call: Call) -> Reply:
    """Personal links for named people."""
    meeting = target(call, kind)
    check(call.body, {"attendees": Field("array"), "ttl": Field("integer", lowest=0, highest=LONGEST_TTL)})
    people = call.body.get("attendees") or []
    person = {"name": Field("string", required=True, longest=64)}
    found = [
        problem
        for number, each in enumerate(people)
        for problem in problems(each if isinstance(each, dict) else {}, person, f"attendees[{number}].")
    ]
    if found:
        raise validation_failed(*found)
    base = join_url(call.sim.base_url, meeting).partition("?")[0]
    links = [{"name": each["name"], "join_url": f"{base}?tk={call.sim.ids.secret()}"} for each in people]
    return Reply(201, {"attendees": links})


ROWS = (
    ("livestream.get", "GET", "livestream", "read:livestream", get_stream),
    ("livestream.update", "PATCH", "livestream", "update:livestream", set_stream),
    ("livestream.status", "PATCH", "livestream/status", "update:livestream_status", change_stream),
    ("invite_links", "POST", "invite_links", "write:invite_links", invite_links),
)
KINDS: tuple[Kind, ...] = ("meeting", "webinar")
for _kind in KINDS:
    for _name, _method, _path, _scope, _handler in ROWS:
        operation(
            f"{_kind}s.{_name}",
            _method,
            f"/{_kind}s/{{{_kind}Id}}/{_path}",
            label="Light",
            scope=f"{_kind}:{_scope}",
            classic=f"{_kind}:{'read' if _method == 'GET' else 'write'}",
        )(partial(_handler, _kind))
