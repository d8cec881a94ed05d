"""SIP addresses that carry the passcode, for rooms that dial in."""

from __future__ import annotations

from zoom_simulator.check import Field, check
from zoom_simulator.model import Json
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.registrants import target

PASSCODE = {"passcode": Field("string")}
SECONDS = 7200


def _address(call: Call, number: str) -> Json:
    check(call.body, PASSCODE)
    code = call.sim.ids.secret()[:11].lower()
    return {
        "sip_dialing": f"{number}.{call.body.get('passcode', '')}.{code}@zoomcrc.example",
        "paid_crc_plan_participant": True,
        "participant_identifier_code": code,
        "expire_in": SECONDS,
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
