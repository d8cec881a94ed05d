"""The page: faults, crowds, scripts, switches and events by hand."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from zoom_simulator.events.by_name import rows
from zoom_simulator.faults import DELIVERY_EFFECTS, PRESETS, REQUEST_EFFECTS
from zoom_simulator.pages.layout import form, hidden, tag
from zoom_simulator.scenarios.crowds import Crowds
from zoom_simulator.simulator import Simulator

PLAN = (("seed", 1), ("meetings", 5), ("people", 20), ("steps_per_minute", 600), ("seconds", 60))


def faults(sim: Simulator) -> str:
    """What is broken, and how to break more."""
    rows = "".join(
        f"<tr><td>{escape(rule.effect)} {rule.status if rule.effect == 'status' else ''}<td>{escape(rule.target)}"
        f"<td>{'always' if rule.count is None else rule.count}<td>{rule.fired} of {rule.seen}"
        f"<td>{form(f'/_sim/faults/{rule.id}/remove', '<button>repair</button>')}</tr>"
        for rule in sim.faults.rules.values()
    )
    names = dict.fromkeys([*PRESETS, *REQUEST_EFFECTS, *DELIVERY_EFFECTS])
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    add = form(
        "/_sim/faults",
        f'<select name="fault">{options}</select><input name="target" placeholder="target, e.g. meetings.*">'
        '<input class="s" name="count" placeholder="count"><input class="s" name="probability" placeholder="prob.">'
        '<input class="s" name="seconds" placeholder="seconds"><button class="go">break it</button>',
    )
    clear = form("/_sim/faults/clear", "<button>repair all</button>")
    head = "<tr><th>fault<th>target<th>count<th>fired<th></tr>"
    return f"<section><h2>Faults</h2><table>{head}{rows}</table>{add}{clear}</section>"


def crowd(sim: Simulator, crowds: Crowds) -> str:
    """Crowds, and what has happened so far."""
    rows = "".join(
        f"<tr><td>seed {about['seed']}<td>{tag('running', 'good') if about['running'] else tag('gone')}"
        f"<td>{about['steps']} steps<td>{about['live']} live</tr>"
        for about in crowds.describe()[-5:]
    )
    add = form(
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
    stop = form("/_sim/crowds/stop", "<button>all go home</button>")
    counts = " ".join(f"{tag(f'{escape(name)} {count}')}" for name, count in sorted(sim.publisher.counts.items()))
    return f"<section><h2>Crowd</h2>{add}{stop}<table>{rows}</table><h2>Events so far</h2>{counts or '-'}</section>"


def switches(sim: Simulator) -> str:
    """The plan, the behaviour, and what happens by hand."""
    account = next(iter(sim.state.accounts.values()))
    plans = "".join(
        f"<option{' selected' if plan == account.plan else ''}>{plan}</option>" for plan in ("free", "pro", "business")
    )
    plan = form(f"/_sim/accounts/{account.id}", f'<select name="plan">{plans}</select><button>change plan</button>')
    plan += "".join(
        form(
            f"/_sim/apps/{escape(quote(sim.app.client_id, safe=''))}",
            hidden(name, str(not on).lower()) + _press(name, on),
        )
        for name, on in (("published", sim.app.published), ("enabled", sim.app.enabled))
    )
    names = sim.behaviour.as_dict()
    options = "".join(f"<option>{name}</option>" for name in names)
    switch = form(
        "/_sim/behaviour", f'<select name="name">{options}</select><input name="value"><button class="go">set</button>'
    )
    event = form(
        "/_sim/events",
        '<input name="event" placeholder="event" list="events" required>'
        '<input name="payload" placeholder="payload (else it is made)"><button>deliver</button>'
        f'<datalist id="events">{"".join(f"<option>{escape(row.name)}</option>" for row in rows())}</datalist>',
    )
    script = form(
        "/_sim/scripts",
        '<textarea name="steps" rows="2" cols="40" placeholder=\'[{"at": 0, "action": "schedule", "as": "m"}, ...]\'>'
        "</textarea><button>play script</button>",
    )
    rest = form("/_sim/limits/reset", "<button>reset limits</button>")
    rest += form("/_sim/deliveries/release", "<button>release held deliveries</button>")
    values = " ".join(tag(f"{name} = {escape(str(value))}") for name, value in names.items())
    return (
        f'<section class="wide"><h2>Switches</h2>{plan} {switch} {rest} {event} {script}'
        f"<details><summary>all switches</summary>{values}</details></section>"
    )


def _press(name: str, on: bool) -> str:  # noqa: FBT001 - the state of the app
    return f"<button>app: {'not ' if on else ''}{name}</button>"
