"""The page's people: one row for each, with their connected apps and their actions."""

from __future__ import annotations

from html import escape

from zoom_simulator.model import User
from zoom_simulator.pages.layout import columns, field, form, menu, section, tag
from zoom_simulator.simulator import Simulator

SHOWN = 30
ACTIONS = (
    ("sign-in", "Sign in"),
    ("sign-out", "Sign out"),
    ("sign-out-everywhere", "Sign out everywhere"),
    ("change-password", "Change the password"),
)
TOKEN_ACTIONS = (
    ("expire", "Expire the access tokens"),
    ("revoke", "Revoke the grants silently"),
    ("deauthorize", "Remove the app"),
)


def people(sim: Simulator) -> str:
    """Everybody, the newest of many: the first page of a long list is enough to find somebody who was just added."""
    everybody = [*sim.state.users.values()]
    shown = everybody if len(everybody) <= SHOWN else [*everybody[:2], *everybody[-(SHOWN - 2) :]]
    rows = "".join(_user(sim, user) for user in shown)
    more = f'<p class="empty">and {len(everybody) - SHOWN} more</p>' if len(everybody) > SHOWN else ""
    add = form(
        "/_sim/users",
        field("email", "E-mail", kind="", more=" required")
        + field("first_name", "First name")
        + field("last_name", "Last name")
        + '<button class="go">Add</button>',
    )
    head = columns("Name", "Connected")
    return section(f"People ({len(everybody)})", f"<table>{head}{rows}</table>{more}{add}")


def _user(sim: Simulator, user: User) -> str:
    apps = sim.state.apps
    connected = " ".join(
        f'<span class="tag good" title="{escape(grant.client_id)}">'
        f"{escape(apps[grant.client_id].name if grant.client_id in apps else grant.client_id)}</span>"
        for grant in sim.grants.living(user.id)
    )
    actions = [*ACTIONS, *([("accept", "Accept the invitation")] if user.status == "pending" else [])]
    path = f"/_sim/users/{user.id}"
    buttons = "".join(form(f"{path}/{action}", f"<button>{label}</button>") for action, label in actions)
    buttons += "<hr>" + "".join(form(f"{path}/{act}", f"<button>{label}</button>") for act, label in TOKEN_ACTIONS)
    state = f" {tag(user.status, 'wait')}" if user.status != "active" else ""
    return (
        f"<tr><td>{escape(user.name)} {tag(user.role)}{state}<small>{escape(user.email)} &middot; "
        f"personal meeting {user.pmi}</small><td>{connected or '-'}"
        f"<td class='acts'>{menu(f'user-{user.id}', f'More for {user.name}', buttons)}</tr>"
    )
