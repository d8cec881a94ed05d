"""Control: people, what they have authorised, apps and accounts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Route

from zoom_simulator.check import is_timezone
from zoom_simulator.clock import iso
from zoom_simulator.control.endpoint import Refused, endpoint, the_account, the_user
from zoom_simulator.model import Account, App, Json, User
from zoom_simulator.seed import new_user
from zoom_simulator.simulator import Simulator

APP_FIELDS = (
    "scopes",
    "account_scopes",
    "redirect_uris",
    "published",
    "enabled",
    "server_to_server",
    "public",
    "name",
)


async def revoke(request: Request, sim: Simulator, body: Json) -> Json:
    """End a person's grants without an event."""
    return _end_grants(request, sim, body, tell=False)


async def deauthorize(request: Request, sim: Simulator, body: Json) -> Json:
    """End a person's grants as if the app had been removed, with `app_deauthorized`."""
    return _end_grants(request, sim, body, tell=True)


async def expire(request: Request, sim: Simulator, body: Json) -> Json:
    """Expire a person's access tokens; the refresh tokens stay valid."""
    user = the_user(sim, request.path_params["user"])
    living, now = sim.grants.living(user.id, str(body.get("client_id", ""))), sim.clock.now()
    return {"tokens_ended": sum(sim.grants.expire(grant, now) for grant in living)}


async def grants(_: Request, sim: Simulator, __: Json) -> Json:
    """List the grants, without their tokens."""
    return {
        "grants": [
            {
                "id": each.id,
                "client_id": each.client_id,
                "user_id": each.user_id,
                "level": each.level,
                "created_at": iso(each.created_at),
                "revoked": each.revoked,
                "scopes": each.scopes,
            }
            for each in sim.state.grants.values()
        ]
    }


async def apps(_: Request, sim: Simulator, body: Json) -> Json:
    """Register another app: `client_id`, `client_secret`, `redirect_uris`, `scopes`, `published`, `account`."""
    client_id, secret = str(body.get("client_id", "")), str(body.get("client_secret", ""))
    if not client_id or not secret or client_id in sim.state.apps:
        raise Refused("client_id or client_secret is missing, or the client_id is in use")
    made = App(client_id, secret, the_account(sim, str(body.get("account", ""))).id)
    made.scopes, made.account_scopes = list(sim.app.scopes), list(sim.app.account_scopes)
    sim.state.apps[client_id] = made
    return _change_app(made, body)


async def accounts(_: Request, sim: Simulator, body: Json) -> Json:
    """Add another account: `name`, `plan`, and the `email` of its owner."""
    email = str(body.get("email", ""))
    if not email or sim.world.user(email) is not None:
        raise Refused("email is missing or in use")
    made = Account(id=sim.ids.opaque(), name=str(body.get("name", "Another Company")), owner_id="")
    owner = new_user(sim.ids, made, email=email, first_name="Another", last_name="Owner", now=sim.clock.now())
    owner.role, made.owner_id = "owner", owner.id
    _change_account(made, body)
    sim.state.accounts[made.id] = made
    sim.world.add_user(owner)
    return {"id": made.id, "owner": user_view(sim, owner)}


async def app(request: Request, sim: Simulator, body: Json) -> Json:
    """Change an app: `scopes`, `redirect_uris`, `published`, `enabled`, `server_to_server`."""
    found = sim.state.apps.get(request.path_params["app"])
    if found is None:
        raise Refused("no such app", 404)
    return _change_app(found, body)


async def account(request: Request, sim: Simulator, body: Json) -> Json:
    """Change an account: `plan` (free, pro, business), `webinars`, `shows_meetings_for_others`, `timezone`."""
    found = sim.state.accounts.get(request.path_params["account"])
    if found is None:
        raise Refused("no such account", 404)
    _change_account(found, body)
    return {
        "id": found.id,
        "plan": found.plan,
        "webinars": found.webinars,
        "shows_meetings_for_others": found.shows_meetings_for_others,
        "timezone": found.timezone,
    }


async def users(request: Request, sim: Simulator, body: Json) -> Json:
    """Everybody; or add somebody: `email`, `first_name`, `last_name`, `role`, `type`, `account`."""
    if request.method == "POST":
        if not body.get("email") or sim.world.user(str(body["email"])) is not None:
            raise Refused("email is missing or in use")
        return _add_user(sim, body)
    return {"users": [user_view(sim, user) for user in sim.state.users.values()]}


async def sign_in(request: Request, sim: Simulator, body: Json) -> Json:
    """A person signs in, from `client` (browser, mac, win, ...)."""
    user = the_user(sim, request.path_params["user"])
    sim.account_events.user_signed("signed_in", user, str(body.get("client", "browser")))
    return user_view(sim, user)


async def sign_out(request: Request, sim: Simulator, body: Json) -> Json:
    """A person signs out."""
    user = the_user(sim, request.path_params["user"])
    sim.account_events.user_signed("signed_out", user, str(body.get("client", "browser")))
    return user_view(sim, user)


async def change_password(request: Request, sim: Simulator, _: Json) -> Json:
    """A person changes the password."""
    return _operate(request, sim, "change_password")


async def sign_out_everywhere(request: Request, sim: Simulator, _: Json) -> Json:
    """A person signs out of all devices."""
    return _operate(request, sim, "sign_out_from_all_devices")


async def accept(request: Request, sim: Simulator, _: Json) -> Json:
    """A pending user accepts the invitation."""
    user = the_user(sim, request.path_params["user"])
    if user.status != "pending":
        raise Refused("that user is not pending", 409)
    user.status = "active"
    sim.account_events.user_changed("invitation_accepted", user, None)
    return user_view(sim, user)


def _operate(request: Request, sim: Simulator, operation: str) -> Json:
    user = the_user(sim, request.path_params["user"])
    sim.account_events.user_operated(user, operation)
    return user_view(sim, user)


def _change_app(found: App, body: Json) -> Json:
    for name in APP_FIELDS:
        if name in body:
            if isinstance(getattr(found, name), bool) and body[name] in ("true", "false"):  # from a form
                body[name] = body[name] == "true"
            if type(body[name]) is not type(getattr(found, name)):
                raise Refused(f"{name} is a {type(getattr(found, name)).__name__}")
            setattr(found, name, body[name])
    return {"client_id": found.client_id, "enabled": found.enabled, "published": found.published}


def _change_account(found: Account, body: Json) -> None:
    if "plan" in body and body["plan"] not in ("free", "pro", "business"):
        raise Refused("plan is free, pro or business")
    if not is_timezone(str(body.get("timezone", "UTC"))):
        raise Refused("timezone is no time zone")
    for name in ("webinars", "shows_meetings_for_others"):
        if not isinstance(body.get(name, True), bool):
            raise Refused(f"{name} is neither true nor false")
    for name in ("plan", "webinars", "shows_meetings_for_others", "timezone"):
        if name in body:
            setattr(found, name, body[name])


def _add_user(sim: Simulator, body: Json) -> Json:
    account = the_account(sim, str(body.get("account", "")))
    first, last = str(body.get("first_name", "New")), str(body.get("last_name", "User"))
    email = str(body["email"])
    user = new_user(sim.ids, account, email=email, first_name=first, last_name=last, now=sim.clock.now())
    user.role = "admin" if body.get("role") == "admin" else "member"
    user.type = int(body.get("type", 2))
    sim.world.add_user(user)
    sim.account_events.user_created(user, sim.state.users[account.owner_id], "create")
    return user_view(sim, user)


def _end_grants(request: Request, sim: Simulator, body: Json, *, tell: bool) -> Json:
    user = the_user(sim, request.path_params["user"])
    ended = sim.grants.living(user.id, str(body.get("client_id", "")))
    for grant in ended:
        sim.grants.end(grant, "deauthorized" if tell else "revoked")
        if tell:
            sim.account_events.deauthorized(grant)
    return {"grants_ended": len(ended)}


def user_view(sim: Simulator, user: User) -> Json:
    """A person as the control API shows one."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "type": user.type,
        "status": user.status,
        "pmi": user.pmi,
        "connected": [grant.client_id for grant in sim.grants.living(user.id)],
    }


ROUTES = [
    Route("/_sim/grants", endpoint(grants), methods=["GET"]),
    Route("/_sim/users", endpoint(users), methods=["GET", "POST"]),
    Route("/_sim/users/{user}/sign-in", endpoint(sign_in), methods=["POST"]),
    Route("/_sim/users/{user}/sign-out", endpoint(sign_out), methods=["POST"]),
    Route("/_sim/users/{user}/change-password", endpoint(change_password), methods=["POST"]),
    Route("/_sim/users/{user}/sign-out-everywhere", endpoint(sign_out_everywhere), methods=["POST"]),
    Route("/_sim/users/{user}/accept", endpoint(accept), methods=["POST"]),
    Route("/_sim/users/{user}/revoke", endpoint(revoke), methods=["POST"]),
    Route("/_sim/users/{user}/deauthorize", endpoint(deauthorize), methods=["POST"]),
    Route("/_sim/users/{user}/expire", endpoint(expire), methods=["POST"]),
    Route("/_sim/apps", endpoint(apps), methods=["POST"]),
    Route("/_sim/accounts", endpoint(accounts), methods=["POST"]),
    Route("/_sim/apps/{app}", endpoint(app), methods=["PATCH", "POST"]),
    Route("/_sim/accounts/{account}", endpoint(account), methods=["PATCH", "POST"]),
]
