"""The pages behind a meeting's links: to join or start it, and to register."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from zoom_simulator.links import registration_url
from zoom_simulator.meetings.views import registers
from zoom_simulator.model import Meeting
from zoom_simulator.oauth.consent_page import document
from zoom_simulator.pages.layout import form, hidden
from zoom_simulator.simulator import Simulator

NOT_FOUND = 404
GONE = "<h1>This link leads nowhere (any more).</h1>"


async def join_page(request: Request) -> Response:
    """`/j/` and `/w/` let a person join by name, `/s/` lets the host start."""
    sim: Simulator = request.app.state.sim
    meeting = sim.meetings.find(request.path_params["number"])
    if meeting is None:
        return HTMLResponse(document("Not found", GONE), NOT_FOUND)
    if request.url.path.startswith("/s/"):
        button = hidden("host", "1") + '<button class="go">Start as the host</button>'
    else:
        button = '<input name="name" placeholder="Your name" aria-label="Your name"> <button class="go">Join</button>'
    return HTMLResponse(document(meeting.topic, _title(meeting) + form(f"/_sim/meetings/{meeting.id}/join", button)))


async def registration_page(request: Request) -> Response:
    """The registration page of a meeting or webinar."""
    sim: Simulator = request.app.state.sim
    key = request.path_params["key"]
    for meeting in sim.state.meetings.values():
        open_for_all = registers(meeting) and meeting.deleted_at is None
        if open_for_all and registration_url("", meeting).endswith(f"/{key}"):
            fields = (("email", "E-mail"), ("first_name", "First name"), ("last_name", "Last name"))
            inputs = "".join(
                f'<p><input name="{name}" placeholder="{label}" aria-label="{label}"></p>' for name, label in fields
            )
            action = f"/_sim/meetings/{meeting.id}/register"
            body = _title(meeting) + form(action, inputs + '<button class="go">Register</button>')
            return HTMLResponse(document(meeting.topic, body))
    return HTMLResponse(document("Not found", GONE), NOT_FOUND)


def _title(meeting: Meeting) -> str:
    return f'<p class="brand">simulated zoom</p><h1>{escape(meeting.topic)}</h1><p><small>{meeting.id}</small></p>'


ROUTES = [
    *(Route(f"/{letter}/{{number}}", join_page, methods=["GET"]) for letter in "jws"),
    *(Route(f"/{kind}/register/{{key}}", registration_page, methods=["GET"]) for kind in ("meeting", "webinar")),
]
