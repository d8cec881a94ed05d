"""The page: people, and what can be done to them."""

from __future__ import annotations

from html import escape

from zoom_simulator.model import User
from zoom_simulator.page.layout import form, tag
from zoom_simulator.simulator import Simulator


def people(sim: Simulator) -> str:
    """Everybody."""
    rows = "".join(_person(sim, user) for user in sim.state.users.values())
    add = form(
        "/_sim/users",
        '<input name="email" placeholder="e-mail" required><input class="s" name="first_name" placeholder="first">'
        '<input class="s" name="last_name" placeholder="last"><button class="go">add</button>',
    )
    head = "<tr><th>name<th>e-mail<th>role<th>PMI<th>connected<th></tr>"
    return f"<section><h2>People</h2><table>{head}{rows}</table>{add}</section>"


def _person(sim: Simulator, user: User) -> str:
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
