"""The page as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from zoom_simulator.model import Delivery, Meeting, Subscription, Visit
from zoom_simulator.pages import tools
from zoom_simulator.pages.layout import SCRIPT, STYLE, at, choice, columns, field, form, hidden, menu, section, tag
from zoom_simulator.pages.people import people
from zoom_simulator.simulator import Simulator

MEETINGS, PARTICIPANTS, DELIVERIES = 12, 6, 40  # how many are shown
AHEAD = ((60, "1 minute"), (600, "10 minutes"), (3600, "1 hour"), (86_400, "1 day"), (604_800, "1 week"))
RATES = (
    (0.0, "stopped"),
    (1.0, "as real time"),
    (10.0, "10 times as fast"),
    (60.0, "a minute a second"),
    (3600.0, "an hour a second"),
)
LIVE_ACTIONS = (
    ("record", "Record"),
    ("pause-recording", "Pause the recording"),
    ("resume-recording", "Resume the recording"),
    ("stop-recording", "Stop the recording"),
    ("alert", "Report bad quality"),
    ("chat", "Send a chat message"),
)
PARTICIPANT_ACTIONS = {
    "admit": "Admit",
    "leave": "Leave",
    "share": "Share the screen",
    "unshare": "Stop sharing",
    "hold": "Put in the waiting room",
    "return": "Return from the room",
    "breakout": "Go to a breakout room",
}
STATE_CLASS = {"delivered": "good", "failed": "bad", "refused": "bad", "dropped": "bad", "retrying": "wait"}


async def show(request: Request) -> Response:
    """The page: what is on first, then who is there, where events go, and what has been delivered."""
    sim: Simulator = request.app.state.sim
    problem = request.query_params.get("problem", "")
    warning = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    parts = (
        meetings(sim),
        people(sim),
        subscriptions(sim),
        deliveries(sim),
        tools.faults(sim),
        tools.crowd(sim, request.app.state.crowds),
        tools.switches(sim),
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated Zoom</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style>{_header(sim)}'
        f"{warning}<main>{''.join(parts)}</main><script>{SCRIPT}</script></html>"
    )


def _header(sim: Simulator) -> str:
    account = next(iter(sim.state.accounts.values()))
    now = sim.clock.now()
    then = datetime.fromtimestamp(now, UTC)
    clock = (
        f'<time data-now="{now:.3f}" data-rate="{sim.clock.rate:g}"><span>{then:%a %-d %b %Y}</span> '
        f"<span>{then:%H:%M:%S} UTC</span></time>"
    )
    ahead = "".join(f'<option value="{seconds}">{name}' for seconds, name in AHEAD)
    rates = {f"{rate:g}": name for rate, name in RATES} | {f"{sim.clock.rate:g}": _speed(sim.clock.rate)}
    rate = "".join(
        f'<option value="{value}"{" selected" if float(value) == sim.clock.rate else ""}>{name}'
        for value, name in rates.items()
    )
    return (
        f"<header><h1>Simulated Zoom</h1><div><small>{escape(sim.base_url)} &middot; app {escape(sim.app.name)} "
        f"<code>{escape(sim.app.client_id)}</code> &middot; account <code>{escape(account.id)}</code> "
        f'({account.plan})</small></div><div class="clock">{clock}</div><div class="controls">'
        + form("/_sim/clock", choice("advance", "How far ahead", ahead) + "<button>Skip ahead</button>")
        + form("/_sim/clock", choice("rate", "Speed of the clock", rate) + "<button>Set speed</button>")
        + form("/_sim/save", "<button>Save</button>")
        + '<label><input type="checkbox" id="auto" checked> Refresh</label></div></header>'
    )


def _speed(rate: float) -> str:
    return next((name for known, name in RATES if known == rate), f"{rate:g} times as fast")


def meetings(sim: Simulator) -> str:
    """Those that are on first, then the newest."""
    found = [each for each in sim.state.meetings.values() if each.deleted_at is None]
    found.sort(key=lambda each: (bool(each.live_uuid), each.created_at), reverse=True)
    rows = "".join(_meeting(sim, each) for each in found[:MEETINGS])
    users = "".join(f"<option>{escape(user.email)}" for user in sim.state.users.values())
    add = form(
        "/_sim/meetings",
        '<input name="topic" aria-label="Topic" value="A meeting">'
        + choice("user", "Host", users)
        + choice("kind", "Kind", "<option>meeting<option>webinar")
        + choice("auto_recording", "Recording", '<option value="cloud">recorded<option value="none">not recorded')
        + '<button class="go">Schedule</button>',
    )
    more = f'<p class="empty">and {len(found) - MEETINGS} older ones</p>' if len(found) > MEETINGS else ""
    head = columns("Topic", "Starts", "State", "People")
    table = f"<table>{head}{rows}</table>{more}" if rows else '<p class="empty">Nothing is scheduled yet.</p>'
    return section(f"Meetings ({len(found)})", table, beside=add, wide=True)


def _meeting(sim: Simulator, meeting: Meeting) -> str:
    instance = sim.state.instances.get(meeting.live_uuid)
    recording = sim.state.recordings.get(meeting.live_uuid or meeting.uuid)
    path = f"/_sim/meetings/{meeting.id}"
    state = tag("live", "good") if instance else tag("waiting")
    if recording:
        state += " " + tag("recording" if recording.state == "recording" else f"recording {recording.state}", "wait")
    here = [visit for visit in instance.visits if visit.left_at is None] if instance else []
    who = "".join(_participant(path, meeting, visit) for visit in here[:PARTICIPANTS])
    more = f"<div>and {len(here) - PARTICIPANTS} more</div>" if len(here) > PARTICIPANTS else ""
    starts = at(meeting.start, now=sim.clock.now()) if meeting.start is not None else "no fixed time"
    main = form(f"{path}/end", "<button>End</button>") if instance else ""
    main = main or form(f"{path}/start", '<button class="go">Start</button>')
    return (
        f"<tr><td>{escape(meeting.topic)} {tag('webinar') if meeting.kind == 'webinar' else ''}"
        f"<small>{meeting.id} &middot; {escape(meeting.uuid)}</small><td>{starts}<td class='short'>{state}"
        f"<td class='people'>{who}{more}<td class='acts'>{_join(path)} {main} {_meeting_menu(path, meeting)}</tr>"
    )


def _join(path: str) -> str:
    return form(f"{path}/join", field("name", "Name") + "<button>Join</button>")


def _meeting_menu(path: str, meeting: Meeting) -> str:
    acts = []
    if meeting.live_uuid:
        acts.append(form(f"{path}/join", hidden("host", "1") + "<button>Host joins</button>"))
        acts += [form(f"{path}/{name}", f"<button>{label}</button>") for name, label in LIVE_ACTIONS]
        acts.append("<hr>")
    fields = field("email", "E-mail") + field("first_name", "First name")
    acts.append(form(f"{path}/register", fields + "<button>Register</button>", kind="row"))
    if meeting.registrants:
        everybody = (("approve", "Approve all"), ("deny", "Deny all"), ("cancel", "Cancel all"))
        acts += [form(f"{path}/{name}", f"<button>{label}</button>") for name, label in everybody]
    return menu(f"meeting-{meeting.id}", f"More for {meeting.topic}", "".join(acts))


def _participant(path: str, meeting: Meeting, visit: Visit) -> str:
    state = tag("waits", "wait") if visit.waiting else tag(visit.role) if visit.role != "attendee" else ""
    if visit.room:
        state += " " + tag(escape(visit.room), "wait")
    if visit.sharing:
        state += " " + tag("shares", "good")
    actions = ["admit", "leave"] if visit.waiting else ["leave", "unshare" if visit.sharing else "share"]
    if not visit.waiting and meeting.kind == "meeting":
        actions += ["hold", "return" if visit.room else "breakout"]
    if not visit.waiting:
        actions.append("role")
    who = hidden("participant", visit.user_id)
    buttons = "".join(form(f"{path}/{action}", who + _button(action, visit)) for action in actions)
    more = menu(f"visit-{meeting.id}-{visit.user_id}", f"More for {visit.name}", buttons)
    return f'<div class="visit"><span class="who">{escape(visit.name)} {state}</span>{more}</div>'


def _button(action: str, visit: Visit) -> str:
    if action != "role":
        return f"<button>{PARTICIPANT_ACTIONS[action]}</button>"
    role, label = ("co-host", "Make co-host") if visit.role == "attendee" else ("attendee", "Make attendee")
    return hidden("role", role) + f"<button>{label}</button>"


def subscriptions(sim: Simulator) -> str:
    """Where events go."""
    rows = "".join(_subscription(each, sim.clock.now()) for each in sim.state.subscriptions.values())
    add = form(
        "/_sim/subscriptions",
        field("url", "https://...", kind="", more=" required")
        + field("secret", "Secret token")
        + field("events", "Events: *")
        + '<button class="go">Subscribe</button>',
    )
    notices = "".join(f"<div>{tag(escape(each), 'wait')}</div>" for each in sim.validator.notices[-5:])
    head = columns("Endpoint", "State", "Next challenge")
    table = f"<table>{head}{rows}</table>" if rows else '<p class="empty">Events go nowhere yet.</p>'
    return section("Event subscriptions", f"{table}{add}{notices}")


def _subscription(each: Subscription, now: float) -> str:
    state = tag("enabled", "good") if each.enabled else tag(each.disabled_reason or "disabled", "bad")
    state += " " + (tag("validated", "good") if each.validated else tag("not validated", "wait"))
    path = f"/_sim/subscriptions/{each.id}"
    other, press = ("false", "Disable") if each.enabled else ("true", "Enable")
    buttons = form(f"{path}/challenge", "<button>Challenge now</button>")
    buttons += form(path, hidden("enabled", other) + f"<button>{press}</button>")
    buttons += form(f"{path}/remove", "<button>Remove</button>")
    challenge = at(each.next_challenge_at, now=now) if each.next_challenge_at else "-"
    more = menu(f"subscription-{each.id}", f"More for {each.url}", buttons)
    return (
        f"<tr><td>{escape(each.url)}<small>{escape(', '.join(each.events))}</small><td class='short'>{state}"
        f"<td>{challenge}<td class='acts'>{more}</tr>"
    )


def deliveries(sim: Simulator) -> str:
    """The newest deliveries."""
    newest = [*reversed(sim.state.deliveries.values())][:DELIVERIES]
    rows = "".join(_delivery(each, sim.clock.now()) for each in newest)
    head = columns("Created", "Event", "State", "Attempts", "Answer")
    table = f"<table>{head}{rows}</table>" if rows else '<p class="empty">Nothing has happened yet.</p>'
    title = f"Deliveries ({len(sim.state.deliveries)}, {sim.deliveries.sent} sent)"
    return section(title, table, wide=True)


def _delivery(each: Delivery, now: float) -> str:
    attempts = "<br>".join(
        f"{at(attempt.at, now=now)} {attempt.status or escape(attempt.error)} in {attempt.milliseconds:.0f} ms"
        for attempt in each.attempts
    )
    answer = escape(each.attempts[-1].answer[:160]) if each.attempts else ""
    again = form(f"/_sim/deliveries/{each.id.replace('#', '%23')}/redeliver", "<button>Again</button>")
    due = f"<small>next {at(each.next_at, now=now)}</small>" if each.next_at else ""
    note = f" {tag(escape(each.note), 'wait')}" if each.note else ""
    return (
        f"<tr><td>{at(each.created_at, now=now)}<td><code>{escape(each.event)}</code>{note}"
        f"<td class='short'>{tag(each.state, STATE_CLASS.get(each.state, ''))}{due}"
        f"<td>{attempts}<td><code>{answer}</code><td class='acts'>{again}</tr>"
    )


ROUTES = [Route("/", show, methods=["GET"])]
