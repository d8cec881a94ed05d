"""The page: faults, crowds, scripts, switches and events by hand."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from zoom_simulator.events.by_name import rows
from zoom_simulator.faults import DELIVERY_EFFECTS, PRESETS, REQUEST_EFFECTS
from zoom_simulator.pages.layout import choice, columns, field, form, hidden, section, tag
from zoom_simulator.scenarios.crowds import Crowds
from zoom_simulator.simulator import Simulator

PLAN = (
    ("seed", "Seed", 1),
    ("meetings", "Meetings", 5),
    ("people", "People", 20),
    ("steps_per_minute", "Steps a minute", 600),
    ("seconds", "Seconds", 60),
)


def faults(sim: Simulator) -> str:
    """The active faults, and a form to add one."""
    rows = "".join(
        f"<tr><td>{escape(rule.effect)} {rule.status if rule.effect == 'status' else ''}<td>{escape(rule.target)}"
        f"<td>{'always' if rule.count is None else rule.count}<td>{rule.fired} of {rule.seen}"
        f"<td>{form(f'/_sim/faults/{rule.id}/remove', '<button>Repair</button>')}</tr>"
        for rule in sim.faults.rules.values()
    )
    names = dict.fromkeys([*PRESETS, *REQUEST_EFFECTS, *DELIVERY_EFFECTS])
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    add = form(
        "/_sim/faults",
        choice("fault", "Fault", options)
        + field("target", "Target, e.g. meetings.*", kind="")
        + field("count", "Count")
        + field("probability", "Probability")
        + field("seconds", "Seconds")
        + '<button class="go">Break it</button>',
    )
    clear = form("/_sim/faults/clear", "<button>Repair all</button>")
    head = columns("Fault", "Target", "Count", "Fired")
    table = f"<table>{head}{rows}</table>" if rows else '<p class="empty">Nothing is broken.</p>'
    return section("Faults", f"{table}{add} {clear}")


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
            f'<label>{label} <input class="s" name="{name}" value="{value}"></label>' for name, label, value in PLAN
        )
        + '<button class="go">Let them in</button>',
    )
    stop = form("/_sim/crowds/stop", "<button>All go home</button>")
    counts = " ".join(f"{tag(f'{escape(name)} {count}')}" for name, count in sorted(sim.publisher.counts.items()))
    return section("Crowd", f"{add} {stop}<table>{rows}</table><h3>Events so far</h3>{counts or '-'}")


def switches(sim: Simulator) -> str:
    """The plan, the behaviour, and what happens by hand."""
    account = next(iter(sim.state.accounts.values()))
    plans = "".join(
        f"<option{' selected' if plan == account.plan else ''}>{plan}</option>" for plan in ("free", "pro", "business")
    )
    plan = form(f"/_sim/accounts/{account.id}", choice("plan", "Plan", plans) + "<button>Change plan</button>")
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
        "/_sim/behaviour", choice("name", "Switch", options) + field("value", "Value") + "<button>Set</button>"
    )
    event = form(
        "/_sim/events",
        '<input name="event" placeholder="Event" aria-label="Event" list="events" required>'
        '<input name="payload" placeholder="Payload (else it is made)" aria-label="Payload"><button>Deliver</button>'
        f'<datalist id="events">{"".join(f"<option>{escape(row.name)}</option>" for row in rows())}</datalist>',
    )
    script = form(
        "/_sim/scripts",
        '<textarea name="steps" rows="2" cols="40" aria-label="Script" '
        'placeholder=\'[{"at": 0, "action": "schedule", "as": "m"}, ...]\'>'
        "</textarea><button>Play the script</button>",
    )
    rest = form("/_sim/limits/reset", "<button>Reset the limits</button>")
    rest += form("/_sim/deliveries/release", "<button>Release held deliveries</button>")
    values = " ".join(tag(f"{name} = {escape(str(value))}") for name, value in names.items())
    shown = f"{plan} {switch} {rest} {event} {script}<details><summary>All switches</summary>{values}</details>"
    return section("Switches", shown, wide=True)


def _press(name: str, on: bool) -> str:  # noqa: FBT001 - the state of the app
    return f"<button>Make the app {'not ' if on else ''}{name}</button>"
