"""The page: subscriptions, and deliveries with their answers."""

from __future__ import annotations

from html import escape

from zoom_simulator.clock import iso
from zoom_simulator.control.webhooks import subscription_view
from zoom_simulator.model import Delivery, Json, Subscription
from zoom_simulator.page.layout import form, hidden, tag
from zoom_simulator.simulator import Simulator

SHOWN = 40
STATE_CLASS = {"delivered": "good", "failed": "bad", "refused": "bad", "dropped": "bad", "retrying": "wait"}


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
    again = form(f"/_sim/deliveries/{each.id.replace('#', '%23')}/redeliver", "<button>again</button>")
    due = f"<br>next {iso(each.next_at)}" if each.next_at else ""
    note = f" {tag(escape(each.note), 'wait')}" if each.note else ""
    return (
        f"<tr><td>{iso(each.created_at)[11:19]}<td><code>{escape(each.event)}</code>{note}"
        f"<td>{tag(each.state, STATE_CLASS.get(each.state, ''))}{due}"
        f"<td>{attempts}<td><code>{answer}</code><td>{again}</tr>"
    )
