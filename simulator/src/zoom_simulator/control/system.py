"""Control: the clock, the behaviour, faults, people, grants, and saving."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.routing import Route

from zoom_simulator.clock import iso
from zoom_simulator.control.accounts import user_view
from zoom_simulator.control.endpoint import Refused, endpoint
from zoom_simulator.faults import DELIVERY_EFFECTS, PRESETS, REQUEST_EFFECTS, numbers
from zoom_simulator.model import Json
from zoom_simulator.simulator import Simulator


async def health(_: Request, sim: Simulator, __: Json) -> Json:
    """200 once it is ready."""
    return {"status": "ok", "time": iso(sim.clock.now()), "client_id": sim.app.client_id}


async def overview(_: Request, sim: Simulator, __: Json) -> Json:
    """Accounts, people, apps and counts."""
    return {
        "base_url": sim.base_url,
        "time": iso(sim.clock.now()),
        "accounts": [{"id": a.id, "name": a.name, "plan": a.plan} for a in sim.state.accounts.values()],
        "users": [user_view(sim, user) for user in sim.state.users.values()],
        "apps": [
            {"client_id": a.client_id, "name": a.name, "redirect_uris": a.redirect_uris, "published": a.published}
            for a in sim.state.apps.values()
        ],
        "meetings": len(sim.state.meetings),
        "live": list(sim.world.live),
        "recordings": len(sim.state.recordings),
        "deliveries": len(sim.state.deliveries),
        "events": sim.publisher.counts,
        "refused_by_limits": sim.limits.refused,
    }


async def clock(_: Request, sim: Simulator, body: Json) -> Json:
    """Move time: `advance` seconds, `set` an ISO time, or run at `rate` (0 freezes)."""
    if "set" in body:
        moment = datetime.fromisoformat(str(body["set"]))
        sim.clock.set((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    if "rate" in body:
        sim.clock.run_at(float(body["rate"]))
    if "advance" in body:
        sim.clock.advance(float(body["advance"]))
    ran = sim.timetable.run_due() if body else 0
    return {"time": iso(sim.clock.now()), "rate": sim.clock.rate, "jobs_run": ran}


async def behaviour(request: Request, sim: Simulator, body: Json) -> Json:
    """Show the switches, or change some."""
    if request.method == "POST":
        sim.behaviour.change_text({str(body.get("name", "")): str(body.get("value", ""))})
    elif request.method == "PATCH":
        sim.behaviour.change(body)
    return sim.behaviour.as_dict()


async def faults(request: Request, sim: Simulator, body: Json) -> Json:
    """Show, add or clear faults."""
    if request.method == "POST":
        return sim.faults.add(numbers(body)).as_dict()
    if request.method == "DELETE":
        sim.faults.clear()
    return {
        "faults": [rule.as_dict() for rule in sim.faults.rules.values()],
        "presets": list(PRESETS),
        "effects": {**REQUEST_EFFECTS, **DELIVERY_EFFECTS},
    }


async def clear_faults(_: Request, sim: Simulator, __: Json) -> Json:
    """Take all faults out of force."""
    sim.faults.clear()
    return {"faults": []}


async def fault(request: Request, sim: Simulator, _: Json) -> Json:
    """Take one fault out of force."""
    if not sim.faults.remove(request.path_params["fault"]):
        raise Refused("no such fault", 404)
    return {"removed": request.path_params["fault"]}


async def save(_: Request, sim: Simulator, __: Json) -> Json:
    """Write the state file now."""
    sim.save()
    return {"saved": True}


async def limits(_: Request, sim: Simulator, __: Json) -> Json:
    """Start all rate limits anew."""
    sim.limits.reset()
    return {"reset": True}


ROUTES = [
    Route("/_sim/health", endpoint(health), methods=["GET"]),
    Route("/_sim/state", endpoint(overview), methods=["GET"]),
    Route("/_sim/clock", endpoint(clock), methods=["GET", "POST"]),
    Route("/_sim/behaviour", endpoint(behaviour), methods=["GET", "PATCH", "POST"]),
    Route("/_sim/faults", endpoint(faults), methods=["GET", "POST", "DELETE"]),
    Route("/_sim/faults/clear", endpoint(clear_faults), methods=["POST"]),
    Route("/_sim/faults/{fault}", endpoint(fault), methods=["DELETE"]),
    Route("/_sim/faults/{fault}/remove", endpoint(fault), methods=["POST"]),
    Route("/_sim/save", endpoint(save), methods=["POST"]),
    Route("/_sim/limits", endpoint(limits), methods=["DELETE"]),
    Route("/_sim/limits/reset", endpoint(limits), methods=["POST"]),
]
