"""The page as a whole."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from zoom_simulator.clock import iso
from zoom_simulator.control.webhooks import subscription_view
from zoom_simulator.model import Delivery, Json, Meeting, Subscription, User, Visit
from zoom_simulator.pages import tools
from zoom_simulator.pages.layout import SCRIPT, STYLE, form, hidden, tag
from zoom_simulator.simulator import Simulator

MEETINGS, PARTICIPANTS, DELIVERIES = 12, 6, 40  # how many are shown
STATE_CLASS = {"delivered": "good", "failed": "bad", "refused": "bad", "dropped": "bad", "retrying": "wait"}


async def show(request: Request) -> Response:
    """The page."""
    sim: Simulator = request.app.state.sim
    problem = request.query_params.get("problem", "")
    warning = f'<p class="problem">{escape(problem)}</p>' if problem else ""
    parts = (
        people(sim),
        subscriptions(sim),
        meetings(sim),
        tools.faults(sim),
        tools.crowd(sim, request.app.state.crowds),
        deliveries(sim),
        tools.switches(sim),
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


def people(sim: Simulator) -> str:
    """Everybody."""
    rows = "".join(_user(sim, user) for user in sim.state.users.values())
    add = form(
        "/_sim/users",
        '<input name="email" placeholder="e-mail" required><input class="s" name="first_name" placeholder="first">'
        '<input class="s" name="last_name" placeholder="last"><button class="go">add</button>',
    )
    head = "<tr><th>name<th>e-mail<th>role<th>PMI<th>connected<th></tr>"
    return f"<section><h2>People</h2><table>{head}{rows}</table>{add}</section>"


def _user(sim: Simulator, user: User) -> str:
    connected = ", ".join(grant.client_id for grant in sim.grants.living(user.id)) or "-"
    buttons = "".join(
        form(f"/_sim/users/{user.id}/{action}", f"<button>{action}</button>")
        for action in (
            "sign-in",
            "sign-out",
            "sign-out-everywhere",
            "change-password",
            "expire",
            "revoke",
            "deauthorize",
            *(["accept"] if user.status == "pending" else []),
        )
    )
    return (
        f"<tr><td>{escape(user.name)}<td>{escape(user.email)}<td>{user.role} {tag(user.status)}<td>{user.pmi}"
        f"<td>{escape(connected)}<td>{buttons}</tr>"
    )


def meetings(sim: Simulator) -> str:
    """Those that are on first, then the newest."""
    found = [each for each in sim.state.meetings.values() if each.deleted_at is None]
    found.sort(key=lambda each: (bool(each.live_uuid), each.created_at), reverse=True)
    rows = "".join(_meeting(sim, each) for each in found[:MEETINGS])
    users = "".join(f"<option>{escape(user.email)}</option>" for user in sim.state.users.values())
    add = form(
        "/_sim/meetings",
        f'<input name="topic" value="A meeting"><select name="user">{users}</select>'
        '<select name="kind"><option>meeting<option>webinar</select>'
        '<select name="auto_recording"><option>cloud<option>none</select><button class="go">schedule</button>',
    )
    head = "<tr><th>topic<th>id<th>state<th>people<th>what happens</tr>"
    return f'<section class="wide"><h2>Meetings ({len(found)})</h2>{add}<table>{head}{rows}</table></section>'


def _meeting(sim: Simulator, meeting: Meeting) -> str:
    instance = sim.state.instances.get(meeting.live_uuid)
    recording = sim.state.recordings.get(meeting.live_uuid or meeting.uuid)
    path = f"/_sim/meetings/{meeting.id}"
    state = tag("live", "good") if instance else tag("waiting")
    if recording:
        state += " " + tag(f"recording {recording.state}", "wait")
    here = [visit for visit in instance.visits if visit.left_at is None] if instance else []
    people = "".join(_participant(path, meeting, visit) for visit in here[:PARTICIPANTS])
    more = f"<div>and {len(here) - PARTICIPANTS} more</div>" if len(here) > PARTICIPANTS else ""
    actions = [form(f"{path}/join", '<input class="s" name="name" placeholder="name"><button>join</button>')]
    if instance:
        actions.append(form(f"{path}/join", hidden("host", "1") + "<button>host joins</button>"))
        names = ("record", "pause-recording", "resume-recording", "stop-recording", "alert", "chat")
        actions += [form(f"{path}/{name}", f"<button>{name}</button>") for name in names]
        actions.append(form(f"{path}/end", '<button class="go">end</button>'))
    else:
        actions.append(form(f"{path}/start", '<button class="go">start</button>'))
    actions.append(
        form(
            f"{path}/register",
            '<input class="s" name="email" placeholder="e-mail"><input class="s" name="first_name" placeholder="first">'
            "<button>register</button>",
        )
    )
    if meeting.registrants:
        actions += [form(f"{path}/{name}", f"<button>{name} all</button>") for name in ("approve", "deny", "cancel")]
    return (
        f"<tr><td>{escape(meeting.topic)} {tag(meeting.kind)}<td><code>{meeting.id}</code><br>"
        f"<code>{escape(meeting.uuid)}</code><td>{state}<td class='people'>{people}{more}<td>{''.join(actions)}</tr>"
    )


def _participant(path: str, meeting: Meeting, visit: Visit) -> str:
    state = tag("waits", "wait") if visit.waiting else tag(visit.role) if visit.role != "attendee" else ""
    if visit.room:
        state += " " + tag(escape(visit.room), "wait")
    actions = ["admit", "leave"] if visit.waiting else ["leave", "unshare" if visit.sharing else "share"]
    if not visit.waiting and meeting.kind == "meeting":
        actions += ["hold", "return" if visit.room else "breakout"]
    if not visit.waiting:
        actions.append("role")
    who = hidden("participant", visit.user_id)
    buttons = "".join(form(f"{path}/{action}", who + _button(action, visit)) for action in actions)
    return f'<div><span class="who">{escape(visit.name)} {state}</span>{buttons}</div>'


def _button(action: str, visit: Visit) -> str:
    if action != "role":
        return f"<button>{action}</button>"
    role = "co-host" if visit.role == "attendee" else "attendee"
    return hidden("role", role) + f"<button>{role}</button>"


def subscriptions(sim: Simulator) -> str:
    """Where events go."""
    rows = "".join(_subscription(each) for each in sim.state.subscriptions.values())
    add = form(
        "/_sim/subscriptions",
        '<input name="url" placeholder="https://..." required><input class="s" name="secret" placeholder="secret">'
        '<input class="s" name="events" placeholder="events: *"><button class="go">subscribe</button>',
    )
    notices = "".join(f"<div>{tag(escape(each), 'wait')}</div>" for each in sim.validator.notices[-5:])
    head = "<tr><th>URL<th>events<th>state<th>next challenge<th></tr>"
    return f"<section><h2>Event subscriptions</h2><table>{head}{rows}</table>{add}{notices}</section>"


def _subscription(each: Subscription) -> str:
    shown: Json = subscription_view(each)
    state = tag("enabled", "good") if each.enabled else tag(each.disabled_reason or "disabled", "bad")
    state += " " + (tag("validated", "good") if each.validated else tag("not validated", "wait"))
    path = f"/_sim/subscriptions/{each.id}"
    other = "false" if each.enabled else "true"
    buttons = form(f"{path}/challenge", "<button>challenge</button>")
    buttons += form(path, hidden("enabled", other) + f"<button>{'disable' if each.enabled else 'enable'}</button>")
    buttons += form(f"{path}/remove", "<button>remove</button>")
    return (
        f"<tr><td>{escape(each.url)}<td>{escape(', '.join(each.events))}<td>{state}<td>{shown['next_challenge_at']}"
        f"<td>{buttons}</tr>"
    )


def deliveries(sim: Simulator) -> str:
    """The newest deliveries."""
    newest = [*reversed(sim.state.deliveries.values())][:DELIVERIES]
    rows = "".join(_delivery(each) for each in newest)
    head = "<tr><th>created<th>event<th>state<th>attempts<th>answer<th></tr>"
    title = f"Deliveries ({len(sim.state.deliveries)}, {sim.deliveries.sent} sent)"
    return f'<section class="wide"><h2>{title}</h2><table>{head}{rows}</table></section>'


def _delivery(each: Delivery) -> str:
    attempts = "<br>".join(
        f"{iso(attempt.at)[11:19]} {attempt.status or escape(attempt.error)} in {attempt.milliseconds:.0f} ms"
        for attempt in each.attempts
    )
    answer = escape(each.attempts[-1].answer[:160]) if each.attempts else ""
    again = form(f"/_sim/deliveries/{each.id.replace('#', '%23')}/redeliver", "<button>again</button>")
    due = f"<br>next {iso(each.next_at)}" if each.next_at else ""
    note = f" {tag(escape(each.note), 'wait')}" if each.note else ""
    return (
        f"<tr><td>{iso(each.created_at)[11:19]}<td><code>{escape(each.event)}</code>{note}"
        f"<td>{tag(each.state, STATE_CLASS.get(each.state, ''))}{due}"
        f"<td>{attempts}<td><code>{answer}</code><td>{again}</tr>"
    )


ROUTES = [Route("/", show, methods=["GET"])]
