"""What the control endpoints share: bodies, refusals and look-ups."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from zoom_simulator.errors import ZoomError
from zoom_simulator.live.meetings import StateConflict
from zoom_simulator.model import Account, Json, Meeting, User
from zoom_simulator.simulator import Simulator
from zoom_simulator.translations import translator

FORM = "application/x-www-form-urlencoded"
Endpoint = Callable[[Request, Simulator, Json], Awaitable[Any]]


class Refused(Exception):
    """The control request is invalid."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def endpoint(function: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a control function: JSON or form in, JSON out; a form of the page goes back to the page."""

    async def answer(request: Request) -> Response:
        sim: Simulator = request.app.state.sim
        try:
            body, is_form = await _body(request)
            result = await function(request, sim, body)
        except (Refused, StateConflict, ValueError, TypeError, ZoomError) as problem:
            if request.headers.get("content-type", "").startswith(FORM):
                return RedirectResponse("/?" + urlencode({"problem": _text(problem)}), status_code=303)
            return _refusal(problem)
        if is_form:
            return RedirectResponse("/", status_code=303)
        return result if isinstance(result, Response) else JSONResponse(result)

    return answer


def the_user(sim: Simulator, reference: str) -> User:
    """The user of this id or e-mail address; the account's owner when the reference is empty."""
    user = sim.world.user(reference or the_account(sim, "").owner_id)
    if user is None:
        raise Refused(f"no such user: {reference}", 404)
    return user


def the_account(sim: Simulator, reference: str) -> Account:
    """The account of this id; the first one when none is named."""
    found = sim.state.accounts.get(reference or next(iter(sim.state.accounts)))
    if found is None:
        raise Refused(f"no such account: {reference}", 404)
    return found


def the_meeting(sim: Simulator, reference: str) -> Meeting:
    """The meeting or webinar of this number or UUID, which may be encoded once more."""
    meeting = sim.meetings.find(unquote(reference))
    if meeting is None:
        raise Refused(f"no such meeting: {reference}", 404)
    return meeting


async def _body(request: Request) -> tuple[Json, bool]:
    raw = await request.body()
    if request.headers.get("content-type", "").startswith(FORM):
        return {name: value for name, value in parse_qsl(raw.decode()) if value}, True
    if not raw.strip():
        return {}, False
    value = json.loads(raw)
    if not isinstance(value, dict):
        raise Refused("the body has to be a JSON object")
    return value, False


def _text(problem: Exception) -> str:
    if not isinstance(problem, ZoomError):
        return str(problem)
    fields = "; ".join(f"{each['field']}: {each['message']}" for each in problem.errors or [])
    return " ".join(part for part in (str(problem.body(translator("en"))["message"]), fields) if part)


def _refusal(problem: Exception) -> Response:
    if isinstance(problem, ZoomError):
        return JSONResponse(problem.body(translator("en")), problem.status)
    status = problem.status if isinstance(problem, Refused) else 409 if isinstance(problem, StateConflict) else 400
    return JSONResponse({"error": str(problem)}, status)
