"""The first state of a new simulator: one account, three people, one app."""

from __future__ import annotations

from dataclasses import dataclass, field

from zoom_simulator.ids import Ids
from zoom_simulator.model import Account, App, State, User

PEOPLE = (
    ("owner@zoom.example", "Olive", "Owner", "owner", 2),
    ("jill@zoom.example", "Jill", "Chill", "member", 2),
    ("basil@zoom.example", "Basil", "Basic", "member", 1),
)


@dataclass(frozen=True)
class Settings:
    """The settings of the command line about the app and the account."""

    client_id: str = "simulated-client-id"
    client_secret: str = "simulated-client-secret"
    redirect_uris: tuple[str, ...] = ()
    webhook_url: str = ""
    webhook_secret: str = "simulated-webhook-secret"
    account_id: str = ""
    plan: str = "pro"
    scopes: tuple[str, ...] = field(default=())
    published: bool = False
    base_url: str = "http://localhost:3001"


@dataclass(frozen=True)
class Scopes:
    """The scopes that an app can have: `user` for user-managed apps, `account` for Server-to-Server apps."""

    user: tuple[str, ...]
    account: tuple[str, ...]


def first_state(ids: Ids, settings: Settings, now: float) -> State:
    """A new world."""
    state = State(signing_key=ids.secret())
    account = Account(id=settings.account_id or ids.opaque(), name="Simulated Company", owner_id="")
    state.accounts[account.id] = account
    for email, first, last, role, level in PEOPLE:
        user = new_user(ids, account, email=email, first_name=first, last_name=last, now=now)
        user.role = "owner" if role == "owner" else "member"
        user.type = level
        state.users[user.id] = user
        if role == "owner":
            account.owner_id = user.id
    return state


def new_user(ids: Ids, account: Account, *, email: str, first_name: str, last_name: str, now: float) -> User:
    """A licensed member of `account`."""
    return User(
        id=ids.opaque(),
        account_id=account.id,
        email=email,
        first_name=first_name,
        last_name=last_name,
        pmi=ids.personal_number(),
        created_at=now,
        timezone=account.timezone,
        host_key=ids.digits(6),
    )


def install_app(state: State, settings: Settings, scopes: Scopes) -> App:
    """Register the app as the command line describes it, or change the one of that id."""
    account = next(iter(state.accounts.values()))
    account.plan = settings.plan if settings.plan in ("free", "business") else "pro"  # type: ignore[assignment]
    app = state.apps.get(settings.client_id)
    if app is None:
        app = App(client_id=settings.client_id, client_secret=settings.client_secret, account_id=account.id)
        state.apps[app.client_id] = app
    app.client_secret = settings.client_secret
    app.redirect_uris = list(settings.redirect_uris) or app.redirect_uris
    app.scopes, app.account_scopes = list(settings.scopes or scopes.user), list(scopes.account)
    app.published = settings.published
    return app
