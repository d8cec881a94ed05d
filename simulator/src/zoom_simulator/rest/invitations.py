"""How people get in: the text of an invitation, personal links, and addresses for rooms that dial in by SIP."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from zoom_simulator.check import Field, check, problems
from zoom_simulator.errors import validation_failed
from zoom_simulator.links import join_url
from zoom_simulator.model import Json, Kind
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.scheduling import target

LONGEST_TTL = 7_776_000
PASSCODE = {"passcode": Field("string")}
SIP_SECONDS = 7200


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


def _address(call: Call, number: str) -> Json:
    check(call.body, PASSCODE)
    code = call.sim.ids.secret()[:11].lower()
    return {
        "sip_dialing": f"{number}.{call.body.get('passcode', '')}.{code}@zoomcrc.example",
        "paid_crc_plan_participant": True,
        "participant_identifier_code": code,
        "expire_in": SIP_SECONDS,
    }


@operation("meetings.sip_dialing", "POST", "/meetings/{meetingId}/sip_dialing", label="Medium",
           scope="meeting:write:sip_dialing", classic="meeting:write:sip_dialing")  # fmt: skip
def meeting_sip_dialing(call: Call) -> Reply:
    """A meeting's address, good for two hours."""
    return Reply(200, _address(call, str(target(call, "meeting").id)))


@operation("webinars.sip_dialing", "POST", "/webinars/{webinarId}/sip_dialing", label="Light",
           scope="webinar:write:sip_dialing", classic="webinar:write:sip_dialing")  # fmt: skip
def webinar_sip_dialing(call: Call) -> Reply:
    """A webinar's address; 201, where a meeting's is 200."""
    return Reply(201, _address(call, str(target(call, "webinar").id)))


KINDS: tuple[Kind, ...] = ("meeting", "webinar")
for _kind in KINDS:
    operation(
        f"{_kind}s.invite_links",
        "POST",
        f"/{_kind}s/{{{_kind}Id}}/invite_links",
        label="Light",
        scope=f"{_kind}:write:invite_links",
        classic=f"{_kind}:write",
    )(partial(invite_links, _kind))
