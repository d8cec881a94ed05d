"""The page: meetings and webinars, who is there, and what can happen."""

from __future__ import annotations

from html import escape

from zoom_simulator.model import Meeting, Visit
from zoom_simulator.page.layout import form, hidden, tag
from zoom_simulator.simulator import Simulator

SHOWN = 12
PEOPLE = 6


def meetings(sim: Simulator) -> str:
    """Those that are on first, then the newest."""
    found = [each for each in sim.state.meetings.values() if each.deleted_at is None]
    found.sort(key=lambda each: (bool(each.live_uuid), each.created_at), reverse=True)
    rows = "".join(_meeting(sim, each) for each in found[:SHOWN])
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
    people = "".join(_person(path, meeting, visit) for visit in here[:PEOPLE])
    more = f"<div>and {len(here) - PEOPLE} more</div>" if len(here) > PEOPLE else ""
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


def _person(path: str, meeting: Meeting, visit: Visit) -> str:
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
