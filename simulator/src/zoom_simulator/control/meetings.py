"""Control: starts, fills, records and ends meetings."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.routing import Route

from zoom_simulator.clock import iso
from zoom_simulator.control.endpoint import Refused, endpoint, the_meeting, the_user
from zoom_simulator.model import Json, Meeting, Registrant, Visit
from zoom_simulator.scenarios import actions
from zoom_simulator.scenarios.crowds import Crowds, Plan
from zoom_simulator.scenarios.scripts import play
from zoom_simulator.simulator import Simulator


async def create(_: Request, sim: Simulator, body: Json) -> Json:
    """Schedule something as a person does in the web portal: `user`, `kind` and the fields of Zoom's API."""
    user = the_user(sim, str(body.pop("user", "")))
    recording = body.pop("auto_recording", "")
    if recording:
        body["settings"] = {**body.get("settings", {}), "auto_recording": recording}
    return meeting_view(sim, actions.schedule(sim, user, body))


async def listing(_: Request, sim: Simulator, __: Json) -> Json:
    """All meetings and webinars, the newest first."""
    found = [each for each in sim.state.meetings.values() if each.deleted_at is None]
    return {"meetings": [meeting_view(sim, each) for each in reversed(found)][:200], "total": len(found)}


async def show(request: Request, sim: Simulator, _: Json) -> Json:
    """One meeting with the people who are there."""
    return meeting_view(sim, the_meeting(sim, request.path_params["meeting"]))


async def act(request: Request, sim: Simulator, body: Json) -> Json:
    """Do something to a meeting: see `actions.ACTIONS`."""
    meeting = the_meeting(sim, request.path_params["meeting"])
    result = actions.perform(sim, meeting, request.path_params["action"], body)
    answer = meeting_view(sim, meeting)
    if isinstance(result, Visit):
        answer["participant"] = visit_view(result)
    elif isinstance(result, Registrant):
        answer["registrant"] = {"id": result.id, "email": result.email, "status": result.status}
    elif isinstance(result, dict):
        answer |= result
    return answer


async def crowds(request: Request, sim: Simulator, body: Json) -> Json:
    """Show the crowds, start one, or stop all."""
    if request.method == "POST":
        return crowds_of(request).begin(Plan.read(body))
    if request.method == "DELETE":
        await stop_crowds(request, sim, body)
    return {"crowds": crowds_of(request).describe(), "mishaps": sim.mishaps[-50:]}


async def stop_crowds(request: Request, _: Simulator, __: Json) -> Json:
    """Stop all crowds."""
    running = crowds_of(request)
    running.stop()
    return {"crowds": running.describe()}


def crowds_of(request: Request) -> Crowds:
    """Return the crowds of the simulator that answers the request."""
    found: Crowds = request.app.state.crowds
    return found


async def script(_: Request, sim: Simulator, body: Json) -> Json:
    """Play a script: `steps`, each with `at` (seconds), `action`, `meeting` and what the action takes."""
    steps = body.get("steps")
    if isinstance(steps, str):  # from a form
        steps = json.loads(steps)
    if not isinstance(steps, list):
        raise Refused("steps is missing")
    play(sim, steps)
    return {"steps": len(steps)}


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
    Route("/_sim/crowds", endpoint(crowds), methods=["GET", "POST", "DELETE"]),
    Route("/_sim/crowds/stop", endpoint(stop_crowds), methods=["POST"]),
    Route("/_sim/scripts", endpoint(script), methods=["POST"]),
    Route("/_sim/meetings", endpoint(listing), methods=["GET"]),
    Route("/_sim/meetings", endpoint(create), methods=["POST"]),
    Route("/_sim/meetings/{meeting:path}", endpoint(show), methods=["GET"]),
    Route("/_sim/meetings/{meeting:path}/{action}", endpoint(act), methods=["POST"]),
]
