"""Control: meetings that start, fill, record and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from local.zoom.clock import iso
from local.zoom.control.common import Refused, endpoint, the_meeting, the_user
from local.zoom.hooks import bodies
from local.zoom.life.stage import Guest
from local.zoom.model import Instance, Json, Meeting, Visit
from local.zoom.rest.scheduling import check_body
from local.zoom.simulator import Simulator

Action = Callable[[Simulator, Meeting, Json], Any]


async def create(_: Request, sim: Simulator, body: Json) -> Json:
    """Schedule something as a person does in the web portal: `user`, `kind` and the fields of Zoom's API."""
    user = the_user(sim, str(body.pop("user", "")))
    kind = "webinar" if body.pop("kind", "meeting") == "webinar" else "meeting"
    check_body(kind, body)  # type: ignore[arg-type]
    meeting = sim.meetings.new(kind, sim.state.accounts[user.account_id], user, body)  # type: ignore[arg-type]
    meeting.creation_source = "web_portal"
    sim.world.add_meeting(meeting)
    payload = {"account_id": user.account_id, **bodies.operator(user), "operation": "single"}
    sim.publisher.publish(
        f"{kind}.created", {**payload, "object": bodies.created(meeting, sim.base_url)}, user_id=user.id
    )
    return meeting_view(sim, meeting)


async def listing(_: Request, sim: Simulator, __: Json) -> Json:
    """All meetings and webinars, the newest first."""
    found = [each for each in sim.state.meetings.values() if each.deleted_at is None]
    return {"meetings": [meeting_view(sim, each) for each in reversed(found)][:200], "total": len(found)}


async def show(request: Request, sim: Simulator, _: Json) -> Json:
    """One meeting with the people who are there."""
    return meeting_view(sim, the_meeting(sim, request.path_params["meeting"]))


async def act(request: Request, sim: Simulator, body: Json) -> Json:
    """Do something to a meeting: see ACTIONS."""
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        raise Refused(f"no such action; there are {', '.join(ACTIONS)}", 404)
    meeting = the_meeting(sim, request.path_params["meeting"])
    result = action(sim, meeting, body)
    answer = meeting_view(sim, meeting)
    if isinstance(result, Visit):
        answer["participant"] = visit_view(result)
    elif isinstance(result, dict):
        answer.update(result)
    return answer


def _start(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.stage.start(meeting)


def _end(sim: Simulator, meeting: Meeting, _: Json) -> Json:
    return {"uuid": sim.stage.end(meeting).uuid}


def _join(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
    fields = ("name", "email", "registrant_id", "customer_key", "phone_number")
    if body.get("host"):
        host = sim.state.users[meeting.host_id]
        return sim.stage.arrive(meeting, Guest(host.name, host.email))
    return sim.stage.arrive(meeting, Guest(**{name: str(body[name]) for name in fields if name in body}))


def _with_visit(function: Callable[[Simulator, Instance, Visit, Json], None]) -> Action:
    def act_on(sim: Simulator, meeting: Meeting, body: Json) -> Visit:
        instance = sim.stage.live(meeting)
        visit = sim.stage.visit_of(instance, str(body.get("participant", "")))
        function(sim, instance, visit, body)
        return visit

    return act_on


def _record(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.start(meeting, sim.stage.live(meeting))


def _pause(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.pause(sim.stage.live(meeting))


def _resume(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.resume_recording(sim.stage.live(meeting))


def _stop_recording(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.studio.stop(sim.stage.live(meeting))


def _chat(sim: Simulator, meeting: Meeting, _: Json) -> None:
    sim.stage.live(meeting).chatted = True


def _alert(sim: Simulator, meeting: Meeting, body: Json) -> None:
    issues = body.get("issues", ["Unstable audio quality"])
    sim.stage.alert(sim.stage.live(meeting), issues if isinstance(issues, list) else [str(issues)])


ACTIONS: dict[str, Action] = {
    "start": _start,
    "join": _join,
    "admit": _with_visit(lambda sim, instance, visit, _: sim.stage.admit(instance, visit)),
    "hold": _with_visit(lambda sim, instance, visit, _: sim.stage.hold(instance, visit)),
    "leave": _with_visit(
        lambda sim, instance, visit, body: sim.stage.leave(instance, visit, str(body.get("reason", "left the meeting")))
    ),
    "share": _with_visit(
        lambda sim, instance, visit, body: sim.stage.share(instance, visit, str(body.get("content", "desktop")))
    ),
    "unshare": _with_visit(lambda sim, instance, visit, _: sim.stage.stop_sharing(instance, visit)),
    "record": _record,
    "pause-recording": _pause,
    "resume-recording": _resume,
    "stop-recording": _stop_recording,
    "chat": _chat,
    "alert": _alert,
    "end": _end,
}


def meeting_view(sim: Simulator, meeting: Meeting) -> Json:
    """A meeting as the control API shows it."""
    instance = sim.state.instances.get(meeting.live_uuid)
    recording = sim.state.recordings.get(meeting.live_uuid or meeting.uuid)
    return {
        "id": meeting.id,
        "uuid": meeting.uuid,
        "kind": meeting.kind,
        "topic": meeting.topic,
        "type": meeting.type,
        "host_id": meeting.host_id,
        "start_time": iso(meeting.start) if meeting.start is not None else None,
        "live": instance is not None,
        "participants": [visit_view(each) for each in instance.visits if each.left_at is None] if instance else [],
        "recording": recording.state if recording else None,
        "registrants": len(meeting.registrants),
        "occurrences": len(meeting.occurrences),
    }


def visit_view(visit: Visit) -> Json:
    """A participant as the control API shows one; `user_id` names it in later calls."""
    return {
        "user_id": visit.user_id,
        "name": visit.name,
        "email": visit.email,
        "waiting": visit.waiting,
        "sharing": bool(visit.sharing),
        "left": visit.left_at is not None,
    }


ROUTES = [
    Route("/_sim/meetings", endpoint(listing), methods=["GET"]),
    Route("/_sim/meetings", endpoint(create), methods=["POST"]),
    Route("/_sim/meetings/{meeting}", endpoint(show), methods=["GET"]),
    Route("/_sim/meetings/{meeting}/{action}", endpoint(act), methods=["POST"]),
]
