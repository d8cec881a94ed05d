"""The page as a whole."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from zoom_simulator.clock import iso
from zoom_simulator.page import meetings, mischief, people, webhooks
from zoom_simulator.page.layout import SCRIPT, STYLE, form
from zoom_simulator.simulator import Simulator


async def show(request: Request) -> Response:
    """The page."""
    sim: Simulator = request.app.state.sim
    problem = request.query_params.get("problem", "")
    warning = f'<p class="problem">{escape(problem)}</p>' if problem else ""
    parts = (
        people.people(sim),
        webhooks.subscriptions(sim),
        meetings.meetings(sim),
        mischief.faults(sim),
        mischief.crowd(sim, request.app.state.crowds),
        webhooks.deliveries(sim),
        mischief.switches(sim),
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated Zoom</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>{_header(sim)}{warning}'
        f"<main>{''.join(parts)}</main><script>{SCRIPT}</script></html>"
    )


def _header(sim: Simulator) -> str:
    account = next(iter(sim.state.accounts.values()))
    return (
        f"<header><h1>Simulated Zoom</h1><small>{escape(sim.base_url)} · client id "
        f"<code>{escape(sim.app.client_id)}</code> · account <code>{escape(account.id)}</code> · {account.plan}</small>"
        f"<span>{iso(sim.clock.now())}</span>"
        + form("/_sim/clock", '<input class="s" name="advance" value="3600"><button>advance s</button>')
        + form("/_sim/clock", f'<input class="s" name="rate" value="{sim.clock.rate:g}"><button>set rate</button>')
        + form("/_sim/save", "<button>save</button>")
        + '<label><input type="checkbox" id="auto" checked> refresh</label></header>'
    )


ROUTES = [Route("/", show, methods=["GET"])]
