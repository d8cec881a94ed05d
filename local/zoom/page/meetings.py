"""The page: meetings and webinars, who is there, and what can happen."""

from __future__ import annotations

from html import escape

from local.zoom.model import Meeting
from local.zoom.page.layout import form, hidden, tag
from local.zoom.simulator import Simulator

SHOWN = 12
PEOPLE = 8


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
    people = "".join(
        f"<div>{escape(visit.name)} {tag('waits', 'wait') if visit.waiting else ''}"
        + "".join(
            form(f"{path}/{action}", hidden("participant", visit.user_id) + f"<button>{action}</button>")
            for action in (("admit", "leave") if visit.waiting else ("leave", "unshare" if visit.sharing else "share"))
        )
        + "</div>"
        for visit in here[:PEOPLE]
    )
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
    if any(each.status == "pending" for each in meeting.registrants):
        actions += [form(f"{path}/{name}", f"<button>{name} all</button>") for name in ("approve", "deny")]
    return (
        f"<tr><td>{escape(meeting.topic)} {tag(meeting.kind)}<td><code>{meeting.id}</code><br>"
        f"<code>{escape(meeting.uuid)}</code><td>{state}<td>{people}{more}<td>{''.join(actions)}</tr>"
    )
