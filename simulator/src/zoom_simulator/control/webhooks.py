"""Control: subscriptions, deliveries and events made by hand."""

from __future__ import annotations

import asyncio
import json

from starlette.requests import Request
from starlette.routing import Route

from zoom_simulator.clock import iso
from zoom_simulator.control.endpoint import Refused, endpoint, the_meeting, the_user
from zoom_simulator.events.by_name import emit, rows
from zoom_simulator.model import Delivery, Json, Subscription
from zoom_simulator.simulator import Simulator

POLL_SECONDS = 0.02
IDLE_LIMIT_SECONDS = 60.0


async def subscriptions(request: Request, sim: Simulator, body: Json) -> Json:
    """Show subscriptions, or add one: `url`, `secret`, `events` (patterns), `name`, `client_id`."""
    if request.method == "POST":
        if not body.get("url"):
            raise Refused("url is missing")
        events = body.get("events") or ["*"]
        subscription = sim.subscribe(
            str(body["url"]),
            str(body.get("secret") or sim.settings.webhook_secret),
            events.split(",") if isinstance(events, str) else [str(each) for each in events],
            client_id=str(body.get("client_id", "")),
            name=str(body.get("name", "")),
        )
        if sim.behaviour.challenge_on_save:
            await sim.validator.challenge(subscription)
        return subscription_view(subscription)
    return {
        "subscriptions": [subscription_view(each) for each in sim.state.subscriptions.values()],
        "notices": sim.validator.notices,
    }


async def subscription(request: Request, sim: Simulator, body: Json) -> Json:
    """Change or remove a subscription; enabling one again clears its failures."""
    found = _subscription(request, sim)
    if request.method == "DELETE":
        return await remove(request, sim, body)
    if isinstance(body.get("enabled"), str):  # from a form
        body["enabled"] = body["enabled"] == "true"
    for name in ("url", "secret", "events", "enabled", "headers", "name"):
        if name in body:
            if type(body[name]) is not type(getattr(found, name)):
                raise Refused(f"{name} is a {type(getattr(found, name)).__name__}")
            setattr(found, name, body[name])
    if found.enabled and "enabled" in body:
        found.failed_challenges, found.disabled_reason = 0, ""
        sim.validator.schedule(found)
    return subscription_view(found)


async def remove(request: Request, sim: Simulator, _: Json) -> Json:
    """Remove a subscription; what buttons have for DELETE."""
    found = _subscription(request, sim)
    del sim.state.subscriptions[found.id]
    return {"removed": found.id}


async def challenge(request: Request, sim: Simulator, _: Json) -> Json:
    """Challenge the endpoint now."""
    found = _subscription(request, sim)
    return {"valid": await sim.validator.challenge(found), **subscription_view(found)}


async def deliveries(request: Request, sim: Simulator, _: Json) -> Json:
    """The latest deliveries with their answers; `event`, `state`, `limit` and `bodies` narrow and widen the list."""
    wanted = request.query_params
    found = [
        each
        for each in reversed(sim.state.deliveries.values())
        if wanted.get("event", each.event) == each.event and wanted.get("state", each.state) == each.state
    ]
    limit = int(wanted.get("limit", "50"))
    whole = wanted.get("bodies", "") in ("1", "true")
    return {"deliveries": [delivery_view(each, whole=whole) for each in found[:limit]], "total": len(found)}


async def redeliver(request: Request, sim: Simulator, _: Json) -> Json:
    """Send a delivery again, now: the same body and request id under a new signature."""
    found = sim.state.deliveries.get(request.path_params["delivery"])
    if found is None:
        raise Refused("no such delivery", 404)
    sim.deliveries.enqueue(found)
    return delivery_view(found, whole=False)


async def release(_: Request, sim: Simulator, __: Json) -> Json:
    """Release deliveries that were held back to arrive out of order."""
    sim.deliveries.release_all()
    return {"released": True}


async def idle(request: Request, sim: Simulator, _: Json) -> Json:
    """Answer once nothing is queued or on its way any more (retries that wait for their time do not count)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + min(float(request.query_params.get("timeout", "10")), IDLE_LIMIT_SECONDS)
    while not sim.deliveries.idle() and loop.time() < until:  # noqa: ASYNC110 - a test's convenience, not worth an event
        await asyncio.sleep(POLL_SECONDS)
    return {"idle": sim.deliveries.idle(), "sent": sim.deliveries.sent}


async def events(request: Request, sim: Simulator, body: Json) -> Json:
    """List the event types, or deliver one: by name with a body made for it, or with the `payload` that is given.

    `meeting` and `user` select the subject of a made body; `user_id` is the user of a given payload.
    """
    if request.method == "GET":
        return {"events": [{"event": row.name, "itself": row.itself} for row in rows()]}
    if not body.get("event"):
        raise Refused("event is missing")
    name, given = str(body["event"]), body.get("payload") or {}
    if isinstance(given, str):  # from a form
        given = json.loads(given)
    if not isinstance(given, dict):
        raise Refused("payload has to be an object")
    if not given:
        meeting = the_meeting(sim, str(body["meeting"])) if body.get("meeting") else None
        user = the_user(sim, str(body["user"])) if body.get("user") else None
        return {"published": name, "payload": emit(sim, name, meeting=meeting, user=user)}
    payload = {"account_id": next(iter(sim.state.accounts)), **given}
    sim.publisher.publish(name, payload, user_id=str(body.get("user_id", "")))
    return {"published": name, "payload": payload}


def subscription_view(each: Subscription) -> Json:
    """A subscription without its secret."""
    return {
        "id": each.id,
        "name": each.name,
        "url": each.url,
        "events": each.events,
        "enabled": each.enabled,
        "validated": each.validated,
        "failed_challenges": each.failed_challenges,
        "next_challenge_at": iso(each.next_challenge_at),
        "disabled_reason": each.disabled_reason,
    }


def delivery_view(each: Delivery, *, whole: bool) -> Json:
    """A delivery with every attempt and answer."""
    shown: Json = {
        "id": each.id,
        "event": each.event,
        "state": each.state,
        "created_at": iso(each.created_at),
        "next_at": iso(each.next_at) if each.next_at else None,
        "note": each.note,
        "attempts": [
            {
                "at": iso(attempt.at),
                "status": attempt.status,
                "error": attempt.error,
                "milliseconds": attempt.milliseconds,
                "answer": attempt.answer,
            }
            for attempt in each.attempts
        ],
    }
    if whole:
        shown["body"] = each.body
    return shown


def _subscription(request: Request, sim: Simulator) -> Subscription:
    found = sim.state.subscriptions.get(request.path_params["subscription"])
    if found is None:
        raise Refused("no such subscription", 404)
    return found


ROUTES = [
    Route("/_sim/subscriptions", endpoint(subscriptions), methods=["GET", "POST"]),
    Route("/_sim/subscriptions/{subscription}", endpoint(subscription), methods=["PATCH", "POST", "DELETE"]),
    Route("/_sim/subscriptions/{subscription}/remove", endpoint(remove), methods=["POST"]),
    Route("/_sim/subscriptions/{subscription}/challenge", endpoint(challenge), methods=["POST"]),
    Route("/_sim/deliveries", endpoint(deliveries), methods=["GET"]),
    Route("/_sim/deliveries/release", endpoint(release), methods=["POST"]),
    Route("/_sim/deliveries/{delivery}/redeliver", endpoint(redeliver), methods=["POST"]),
    Route("/_sim/idle", endpoint(idle), methods=["GET"]),
    Route("/_sim/events", endpoint(events), methods=["GET", "POST"]),
]
