"""Everything that people can do, by name: for the control API, the command line, scripts and the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.zoom.check import check
from local.zoom.emit.deliver import emit
from local.zoom.hooks import bodies
from local.zoom.life.stage import Guest, NotNow
from local.zoom.model import Instance, Json, Kind, Meeting, Registrant, User, Visit
from local.zoom.rest.registrants import PERSON
from local.zoom.rest.scheduling import check_body

if TYPE_CHECKING:
    from local.zoom.simulator import Simulator

Action = Callable[["Simulator", Meeting, Json], Any]
GUEST = ("name", "email", "registrant_id", "customer_key", "phone_number")


def schedule(sim: Simulator, user: User, wanted: Json) -> Meeting:
    """Schedule something as a person does in the web portal. `kind` is meeting or webinar; the rest is Zoom's API."""
    body = dict(wanted)
    kind: Kind = "webinar" if body.pop("kind", "meeting") == "webinar" else "meeting"
    check_body(kind, body)
    meeting = sim.meetings.new(kind, sim.state.accounts[user.account_id], user, body)
    meeting.creation_source = "web_portal"
    sim.world.add_meeting(meeting)
    operation = "all" if meeting.recurrence else "single"
    payload = {"account_id": user.account_id, **bodies.operator(user), "operation": operation}
    payload["object"] = bodies.created(meeting, sim.base_url)
    sim.publisher.publish(f"{kind}.created", payload, user_id=user.id)
    return meeting


def perform(sim: Simulator, meeting: Meeting, action: str, body: Json) -> Any:
    """Do something to a meeting; what comes back depends on what. NotNow for an unknown action."""
    function = ACTIONS.get(action)
    if function is None:
        raise NotNow(f"no such action as {action}; there are {', '.join(ACTIONS)}")
    return function(sim, meeting, body)


def _start(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.stage.start(meeting)


def _end(sim: Simulator, meeting: Meeting, _: Json) -> Json:
    return {"uuid": sim.stage.end(meeting).uuid}


def _join(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    if body.get("host"):
        host = sim.state.users[meeting.host_id]
        return sim.stage.arrive(meeting, Guest(host.name, host.email))
    return sim.stage.arrive(meeting, Guest(**{name: str(body[name]) for name in GUEST if name in body}))


def _register(sim: Simulator, meeting: Meeting, body: Json) -> Registrant:
    check(body, PERSON)
    sim.registration.check_open(meeting)
    return sim.registration.add(meeting, body)


def _decide(action: str) -> Action:
    def decide(sim: Simulator, meeting: Meeting, body: Json) -> Json:
        wanted = str(body.get("registrant", ""))
        chosen = [each for each in meeting.registrants if wanted in ("", each.id, each.email)]
        sim.registration.decide(meeting, chosen, action, sim.state.users[meeting.host_id])
        return {"registrants": len(chosen)}

    return decide


def _there(sim: Simulator, meeting: Meeting, body: Json) -> tuple[Instance, Visit]:
    instance = sim.stage.live(meeting)
    return instance, sim.stage.visit_of(instance, str(body.get("participant", "")))


def _admit(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.admit(instance, visit)
    return visit


def _hold(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.hold(instance, visit)
    return visit


def _leave(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.leave(instance, visit, str(body.get("reason", "left the meeting")))
    return visit


def _share(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.share(instance, visit, str(body.get("content", "desktop")))
    return visit


def _unshare(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.stop_sharing(instance, visit)
    return visit


def _record(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.start(sim.stage.live(meeting))


def _pause_recording(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.pause(sim.stage.live(meeting))


def _resume_recording(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.resume_recording(sim.stage.live(meeting))


def _stop_recording(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.stop(sim.stage.live(meeting))


def _chat(sim: Simulator, meeting: Meeting, body: Json) -> None:
    instance = sim.stage.live(meeting)
    instance.chatted = True
    if body.get("message"):
        author = sim.stage.visit_of(instance, str(body["participant"])) if body.get("participant") else None
        emit(sim, f"{meeting.kind}.chat_message_sent", meeting=meeting, visit=author, text=str(body["message"]))


def _breakout(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.enter_room(instance, visit, str(body.get("room") or "Room 1"))
    return visit


def _return(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.return_from_room(instance, visit)
    return visit


def _role(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    instance, visit = _there(sim, meeting, body)
    sim.stage.change_role(instance, visit, str(body.get("role", "co-host")))
    return visit


def _alert(sim: Simulator, meeting: Meeting, body: Json) -> None:
    issues = body.get("issues", ["Unstable audio quality"])
    sim.stage.alert(sim.stage.live(meeting), issues if isinstance(issues, list) else [str(issues)])


ACTIONS: dict[str, Action] = {
    "start": _start,
    "join": _join,
    "admit": _admit,
    "hold": _hold,
    "leave": _leave,
    "share": _share,
    "unshare": _unshare,
    "breakout": _breakout,
    "return": _return,
    "role": _role,
    "record": _record,
    "pause-recording": _pause_recording,
    "resume-recording": _resume_recording,
    "stop-recording": _stop_recording,
    "register": _register,
    "approve": _decide("approve"),
    "deny": _decide("deny"),
    "cancel": _decide("cancel"),
    "chat": _chat,
    "alert": _alert,
    "end": _end,
}
