"""What people can do in a meeting, by name, for the control API, the command line, scripts and the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoom_simulator.check import check
from zoom_simulator.events.by_name import emit
from zoom_simulator.live.meetings import Guest, LiveMeetings, StateConflict
from zoom_simulator.live.recordings import Recorder
from zoom_simulator.meetings.fields import REGISTRANT, check_body
from zoom_simulator.model import Instance, Json, Kind, Meeting, Registrant, User, Visit
from zoom_simulator.simulator import Simulator
from zoom_simulator.webhooks import payloads

Action = Callable[[Simulator, Meeting, Json], Any]
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
    payload = {"account_id": user.account_id, **payloads.operator(user), "operation": operation}
    payload["object"] = payloads.created(meeting, sim.base_url)
    sim.publisher.publish(f"{kind}.created", payload, user_id=user.id)
    return meeting


def perform(sim: Simulator, meeting: Meeting, action: str, body: Json) -> Any:
    """Perform an action on a meeting and return its result. StateConflict for an unknown action."""
    function = ACTIONS.get(action)
    if function is None:
        raise StateConflict(f"no such action as {action}; there are {', '.join(ACTIONS)}")
    return function(sim, meeting, body)


def _start(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.live.start(meeting)


def _end(sim: Simulator, meeting: Meeting, _: Json) -> Json:
    return {"uuid": sim.live.end(meeting).uuid}


def _join(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    if body.get("host"):
        host = sim.state.users[meeting.host_id]
        return sim.live.arrive(meeting, Guest(host.name, host.email))
    return sim.live.arrive(meeting, Guest(**{name: str(body[name]) for name in GUEST if name in body}))


def _register(sim: Simulator, meeting: Meeting, body: Json) -> Registrant:
    check(body, REGISTRANT)
    sim.registration.check_open(meeting)
    return sim.registration.add(meeting, body)


def _decide(action: str) -> Action:
    def decide(sim: Simulator, meeting: Meeting, body: Json) -> Json:
        wanted = str(body.get("registrant", ""))
        chosen = [each for each in meeting.registrants if wanted in ("", each.id, each.email)]
        sim.registration.decide(meeting, chosen, action, sim.state.users[meeting.host_id])
        return {"registrants": len(chosen)}

    return decide


def _of_somebody(do: Callable[..., None], word: str | None = None, unsaid: str = "") -> Action:
    """Return an action on one participant. Its argument is the member `word` of the body, or `unsaid` by default."""

    def act(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
        instance = sim.live.current(meeting)
        visit = sim.live.visit_of(instance, str(body.get("participant", "")))
        do(sim.live, instance, visit, *([] if word is None else [str(body.get(word) or unsaid)]))
        return visit

    return act


def _of_recording(do: Callable[[Recorder, Instance], object]) -> Action:
    def act(sim: Simulator, meeting: Meeting, _: Json) -> None:
        do(sim.recorder, sim.live.current(meeting))

    return act


def _chat(sim: Simulator, meeting: Meeting, body: Json) -> None:
    instance = sim.live.current(meeting)
    instance.chatted = True
    if body.get("message"):
        author = sim.live.visit_of(instance, str(body["participant"])) if body.get("participant") else None
        emit(sim, f"{meeting.kind}.chat_message_sent", meeting=meeting, visit=author, text=str(body["message"]))


def _alert(sim: Simulator, meeting: Meeting, body: Json) -> None:
    issues = body.get("issues", ["Unstable audio quality"])
    sim.live.alert(sim.live.current(meeting), issues if isinstance(issues, list) else [str(issues)])


ACTIONS: dict[str, Action] = {
    "start": _start,
    "join": _join,
    "admit": _of_somebody(LiveMeetings.admit),
    "hold": _of_somebody(LiveMeetings.hold),
    "leave": _of_somebody(LiveMeetings.leave, "reason", "left the meeting"),
    "share": _of_somebody(LiveMeetings.share, "content", "desktop"),
    "unshare": _of_somebody(LiveMeetings.stop_sharing),
    "breakout": _of_somebody(LiveMeetings.enter_room, "room", "Room 1"),
    "return": _of_somebody(LiveMeetings.return_from_room),
    "role": _of_somebody(LiveMeetings.change_role, "role", "co-host"),
    "record": _of_recording(Recorder.start),
    "pause-recording": _of_recording(Recorder.pause),
    "resume-recording": _of_recording(Recorder.resume_recording),
    "stop-recording": _of_recording(Recorder.stop),
    "register": _register,
    "approve": _decide("approve"),
    "deny": _decide("deny"),
    "cancel": _decide("cancel"),
    "chat": _chat,
    "alert": _alert,
    "end": _end,
}
