"""Events about users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoom_simulator.clock import iso, milliseconds
from zoom_simulator.hooks import bodies
from zoom_simulator.model import Json, User

if TYPE_CHECKING:
    from zoom_simulator.simulator import Simulator

LICENSED = 2
COMPARED = ("first_name", "last_name", "email", "type", "pmi", "use_pmi", "timezone", "host_key", "language")
EXTRA = ("phone_number", "phone_country", "company", "vanity_name", "dept")


def created(sim: Simulator, user: User, operator: User, creation_type: str) -> None:
    """`user.created`."""
    payload = {**bodies.operator(operator), "creation_type": creation_type}
    shown = {**basics(user), "display_name": user.name}
    _publish(sim, "created", user, payload, shown)


def updated(sim: Simulator, user: User, operator: User, before: Json) -> None:
    """`user.updated` with what changed, where anything did."""
    after = comparable(user)
    new = {name: value for name, value in after.items() if before.get(name) != value}
    if not new:
        return
    old = {name: before[name] for name in new if name in before}
    payload: Json = {**bodies.operator(operator), "time_stamp": milliseconds(sim.clock.now())}
    payload["old_object"] = {"id": user.id, **old}
    _publish(sim, "updated", user, payload, {"id": user.id, **new})


def operated(sim: Simulator, user: User, operation: str) -> None:
    """`user.updated` that says only what was done (change_password, sign_out_from_all_devices): no `old_object`."""
    payload: Json = {**bodies.operator(user), "operation": operation, "time_stamp": milliseconds(sim.clock.now())}
    _publish(sim, "updated", user, payload, {"id": user.id, "email": user.email})


def simple(sim: Simulator, what: str, user: User, operator: User | None) -> None:
    """`user.deleted`, `disassociated`, `activated` and `deactivated`; `invitation_accepted` without an operator."""
    _publish(sim, what, user, bodies.operator(operator) if operator else {}, basics(user))


def signed(sim: Simulator, user: User, what: str, client: str) -> None:
    """`user.signed_in` and `user.signed_out`."""
    _publish(sim, what, user, {}, sign_in(sim, user, client))


def settings_updated(sim: Simulator, user: User, operator: User, old: Json, new: Json) -> None:
    """`user.settings_updated` with what changed."""
    payload: Json = {**bodies.operator(operator), "time_stamp": milliseconds(sim.clock.now())}
    payload["old_object"] = {"id": user.id, "settings": old}
    _publish(sim, "settings_updated", user, payload, {"id": user.id, "settings": new})


def sign_in(sim: Simulator, user: User, client: str) -> Json:
    """Who signs in or out, when and with what."""
    return {
        "id": user.id,
        "email": user.email,
        "client_type": client,
        "date_time": iso(sim.clock.now()),
        "version": "6.10.0",
        "login_type": 100 if sim.behaviour.login_type == "number" else "100",
    }


def comparable(user: User) -> Json:
    """The fields of which `user.updated` carries those that changed."""
    shown = {name: getattr(user, name) for name in COMPARED}
    return {**shown, "display_name": user.name, **{name: user.extra[name] for name in EXTRA if name in user.extra}}


def basics(user: User) -> Json:
    """Who it is."""
    return {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "type": min(user.type, LICENSED),
    }


def _publish(sim: Simulator, what: str, user: User, payload: Json, shown: Json) -> None:
    sim.publisher.publish(f"user.{what}", {"account_id": user.account_id, **payload, "object": shown}, user_id=user.id)
