"""The page at `/`: people, meetings, deliveries with their answers, and a button for everything."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.zoom.clock import iso
from local.zoom.control.webhooks import subscription_view
from local.zoom.faults import DELIVERY_EFFECTS, PRESETS, REQUEST_EFFECTS
from local.zoom.model import Delivery, Json, Meeting, Subscription, User
from local.zoom.simulator import Simulator

SHOWN = 40
SHOWN_MEETINGS = 12
STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{font:14px/1.45 system-ui,sans-serif;margin:0;background:#f3f5fa;color:#1b2333}
header{background:#0b3b8c;color:#fff;padding:.8rem 1.4rem;display:flex;gap:1.4rem;align-items:center;flex-wrap:wrap}
header h1{font-size:1.1rem;margin:0}header form{display:inline-flex;gap:.3rem}header small{opacity:.85}
main{padding:1rem 1.4rem;display:grid;gap:1rem;grid-template-columns:repeat(2,minmax(0,1fr))}
section{background:#fff;border-radius:10px;padding:.8rem 1rem;box-shadow:0 1px 4px #1b233322;min-width:0}
section{overflow-x:auto}
section.wide{grid-column:1/-1}h2{font-size:.95rem;margin:.1rem 0 .6rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.28rem .5rem .28rem 0;vertical-align:top}
th{color:#5b6475;font-weight:600;border-bottom:1px solid #e1e6f0}tr+tr td{border-top:1px solid #eef1f7}
code{font:12px ui-monospace,monospace}form{display:inline-flex;gap:.25rem;flex-wrap:wrap;margin:.1rem 0}
button{font:inherit;font-size:12px;padding:.15rem .5rem;border:1px solid #c6cfdf;border-radius:6px;background:#fff}
button:hover{background:#eaf0ff}button.go{background:#0b5cff;border-color:#0b5cff;color:#fff}
input,select{font:inherit;font-size:12px;padding:.15rem .35rem;border:1px solid #c6cfdf;border-radius:6px}
input.s{width:5.5rem}.tag{font-size:11px;padding:.05rem .4rem;border-radius:99px;background:#e7ebf3}
.good{background:#d9f4e1}.bad{background:#ffdede}.wait{background:#fff0c9}
.problem{background:#ffdede;padding:.5rem 1.4rem}
"""
SCRIPT = """
const box=document.getElementById('auto');
setInterval(async()=>{if(!box.checked||document.activeElement.matches('input:not(#auto),select'))return;
const text=await(await fetch(location.pathname)).text();
const fresh=new DOMParser().parseFromString(text,'text/html');
document.querySelector('main').replaceWith(fresh.querySelector('main'));},2000);
"""
STATE_CLASS = {"delivered": "good", "failed": "bad", "refused": "bad", "dropped": "bad", "retrying": "wait"}


async def show(request: Request) -> Response:
    """The page."""
    sim: Simulator = request.app.state.sim
    problem = request.query_params.get("problem", "")
    warning = f'<p class="problem">{escape(problem)}</p>' if problem else ""
    parts = (_people(sim), _webhooks(sim), _meetings(sim), _faults(sim), _crowd(sim), _deliveries(sim))
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
        + _form("/_sim/clock", '<input class="s" name="advance" value="3600"><button>advance s</button>')
        + _form("/_sim/save", "<button>save</button>")
        + '<label><input type="checkbox" id="auto" checked> refresh</label></header>'
    )


def _people(sim: Simulator) -> str:
    rows = "".join(_person(sim, user) for user in sim.state.users.values())
    add = _form(
        "/_sim/users",
        '<input name="email" placeholder="e-mail" required><input class="s" name="first_name" placeholder="first">'
        '<input class="s" name="last_name" placeholder="last"><button class="go">add</button>',
    )
    head = "<tr><th>name<th>e-mail<th>role<th>PMI<th>connected<th></tr>"
    return f"<section><h2>People</h2><table>{head}{rows}</table>{add}</section>"


def _person(sim: Simulator, user: User) -> str:
    connected = ", ".join(grant.client_id for grant in sim.grants.living(user.id)) or "-"
    buttons = "".join(
        _form(f"/_sim/users/{user.id}/{action}", f"<button>{action}</button>")
        for action in ("sign-in", "revoke", "deauthorize", *(["accept"] if user.status == "pending" else []))
    )
    return (
        f"<tr><td>{escape(user.name)}<td>{escape(user.email)}<td>{user.role} {_tag(user.status)}<td>{user.pmi}"
        f"<td>{escape(connected)}<td>{buttons}</tr>"
    )


def _meetings(sim: Simulator) -> str:
    found = [each for each in sim.state.meetings.values() if each.deleted_at is None]
    found.sort(key=lambda each: (bool(each.live_uuid), each.created_at), reverse=True)
    rows = "".join(_meeting(sim, each) for each in found[:SHOWN_MEETINGS])
    users = "".join(f"<option>{escape(user.email)}</option>" for user in sim.state.users.values())
    add = _form(
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
    state = _tag("live", "good") if instance else _tag("waiting")
    if recording:
        state += " " + _tag(f"recording {recording.state}", "wait")
    here = [visit for visit in instance.visits if visit.left_at is None] if instance else []
    people = "".join(
        f"<div>{escape(visit.name)} {_tag('waits', 'wait') if visit.waiting else ''}"
        + "".join(
            _form(f"{path}/{action}", _hidden("participant", visit.user_id) + f"<button>{action}</button>")
            for action in (("admit", "leave") if visit.waiting else ("leave", "unshare" if visit.sharing else "share"))
        )
        + "</div>"
        for visit in here[:8]
    )
    more = f"<div>and {len(here) - 8} more</div>" if len(here) > 8 else ""  # noqa: PLR2004 - as many as were shown
    actions = [_form(f"{path}/join", '<input class="s" name="name" placeholder="name"><button>join</button>')]
    if instance:
        actions.append(_form(f"{path}/join", _hidden("host", "1") + "<button>host joins</button>"))
        names = ("record", "pause-recording", "resume-recording", "stop-recording", "alert", "chat")
        actions += [_form(f"{path}/{name}", f"<button>{name}</button>") for name in names]
        actions.append(_form(f"{path}/end", '<button class="go">end</button>'))
    else:
        actions.append(_form(f"{path}/start", '<button class="go">start</button>'))
    actions.append(
        _form(
            f"{path}/register",
            '<input class="s" name="email" placeholder="e-mail"><input class="s" name="first_name" placeholder="first">'
            "<button>register</button>",
        )
    )
    if any(each.status == "pending" for each in meeting.registrants):
        actions += [_form(f"{path}/{name}", f"<button>{name} all</button>") for name in ("approve", "deny")]
    return (
        f"<tr><td>{escape(meeting.topic)} {_tag(meeting.kind)}<td><code>{meeting.id}</code><br>"
        f"<code>{escape(meeting.uuid)}</code><td>{state}<td>{people}{more}<td>{''.join(actions)}</tr>"
    )


def _webhooks(sim: Simulator) -> str:
    rows = "".join(_subscription(each) for each in sim.state.subscriptions.values())
    add = _form(
        "/_sim/subscriptions",
        '<input name="url" placeholder="https://..." required><input class="s" name="secret" placeholder="secret">'
        '<input class="s" name="events" placeholder="events: *"><button class="go">subscribe</button>',
    )
    notices = "".join(f"<div>{_tag(escape(each), 'wait')}</div>" for each in sim.validator.notices[-5:])
    head = "<tr><th>URL<th>events<th>state<th>next challenge<th></tr>"
    return f"<section><h2>Event subscriptions</h2><table>{head}{rows}</table>{add}{notices}</section>"


def _subscription(each: Subscription) -> str:
    shown: Json = subscription_view(each)
    state = _tag("enabled", "good") if each.enabled else _tag(each.disabled_reason or "disabled", "bad")
    state += " " + (_tag("validated", "good") if each.validated else _tag("not validated", "wait"))
    path = f"/_sim/subscriptions/{each.id}"
    other = "false" if each.enabled else "true"
    buttons = _form(f"{path}/challenge", "<button>challenge</button>")
    buttons += _form(path, _hidden("enabled", other) + f"<button>{'disable' if each.enabled else 'enable'}</button>")
    return (
        f"<tr><td>{escape(each.url)}<td>{escape(', '.join(each.events))}<td>{state}<td>{shown['next_challenge_at']}"
        f"<td>{buttons}</tr>"
    )


def _faults(sim: Simulator) -> str:
    rows = "".join(
        f"<tr><td>{escape(rule.effect)} {rule.status if rule.effect == 'status' else ''}<td>{escape(rule.target)}"
        f"<td>{'always' if rule.count is None else rule.count}<td>{rule.fired} of {rule.seen}</tr>"
        for rule in sim.faults.rules.values()
    )
    names = dict.fromkeys([*PRESETS, *REQUEST_EFFECTS, *DELIVERY_EFFECTS])
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    add = _form(
        "/_sim/faults",
        f'<select name="fault">{options}</select><input name="target" placeholder="target, e.g. meetings.*">'
        '<input class="s" name="count" placeholder="count"><input class="s" name="probability" placeholder="prob.">'
        '<input class="s" name="seconds" placeholder="seconds"><button class="go">break it</button>',
    )
    clear = _form("/_sim/faults/clear", "<button>repair all</button>")
    head = "<tr><th>fault<th>target<th>count<th>fired</tr>"
    return f"<section><h2>Faults</h2><table>{head}{rows}</table>{add}{clear}</section>"


def _crowd(sim: Simulator) -> str:
    rows = "".join(
        f"<tr><td>seed {about['seed']}<td>{_tag('running', 'good') if about['running'] else _tag('gone')}"
        f"<td>{about['steps']} steps<td>{about['live']} live</tr>"
        for about in (crowd.describe() for crowd in sim.crowds[-5:])
    )
    add = _form(
        "/_sim/crowds",
        "".join(
            f'<label>{name} <input class="s" name="{name}" value="{value}"></label>'
            for name, value in (
                ("seed", 1),
                ("meetings", 5),
                ("people", 20),
                ("steps_per_minute", 600),
                ("seconds", 60),
            )
        )
        + '<button class="go">let them in</button>',
    )
    stop = _form("/_sim/crowds/stop", "<button>all go home</button>")
    counts = " ".join(f"{_tag(f'{escape(name)} {count}')}" for name, count in sorted(sim.publisher.counts.items()))
    return f"<section><h2>Crowd</h2>{add}{stop}<table>{rows}</table><h2>Events so far</h2>{counts or '-'}</section>"


def _deliveries(sim: Simulator) -> str:
    newest = [*reversed(sim.state.deliveries.values())][:SHOWN]
    rows = "".join(_delivery(each) for each in newest)
    head = "<tr><th>created<th>event<th>state<th>attempts<th>answer<th></tr>"
    title = f"Deliveries ({len(sim.state.deliveries)}, {sim.courier.sent} sent)"
    return f'<section class="wide"><h2>{title}</h2><table>{head}{rows}</table></section>'


def _delivery(each: Delivery) -> str:
    attempts = "<br>".join(
        f"{iso(attempt.at)[11:19]} {attempt.status or escape(attempt.error)} in {attempt.milliseconds:.0f} ms"
        for attempt in each.attempts
    )
    answer = escape(each.attempts[-1].answer[:160]) if each.attempts else ""
    again = _form(f"/_sim/deliveries/{each.id.replace('#', '%23')}/redeliver", "<button>again</button>")
    due = f"<br>next {iso(each.next_at)}" if each.next_at else ""
    note = f" {_tag(escape(each.note), 'wait')}" if each.note else ""
    return (
        f"<tr><td>{iso(each.created_at)[11:19]}<td><code>{escape(each.event)}</code>{note}"
        f"<td>{_tag(each.state, STATE_CLASS.get(each.state, ''))}{due}"
        f"<td>{attempts}<td><code>{answer}</code><td>{again}</tr>"
    )


def _form(action: str, content: str) -> str:
    return f'<form method="post" action="{escape(action)}">{content}</form>'


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _tag(text: str, kind: str = "") -> str:
    return f'<span class="tag {kind}">{text}</span>'


ROUTES = [Route("/", show, methods=["GET"])]
