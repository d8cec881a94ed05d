"""An operation of the REST API, one call of it as its handler sees it, and the reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from zoom_simulator.authorization.grants import Principal
from zoom_simulator.errors import (
    ZoomError,
    invalid_token,
    may_not_host,
    no_meeting,
    no_user,
    no_webinar,
    not_a_meeting,
    validation_failed,
)
from zoom_simulator.model import Json, Kind, Meeting, User
from zoom_simulator.simulator import Simulator

Label = Literal["Light", "Medium", "Heavy", "Resource-intensive"]
Handler = Callable[["Call"], "Reply"]
WITHOUT_MEETINGS = 99
INVITATION_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. Without a body there is none, not even an empty object."""

    status: int = 200
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One row. `scope` is the granular scope without `:admin`; `admin_only` ones have no other form.

    `media` is the media type of the body.
    """

    name: str
    method: str
    path: str
    label: Label
    scope: str
    classic: tuple[str, ...]
    handler: Handler
    admin_only: bool = False
    media: str = "application/json"

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's parts; a parameter is in braces."""
        return tuple(self.path.strip("/").split("/"))

    def accepted_scopes(self) -> tuple[str, ...]:
        """Every scope that opens it."""
        forms = (f"{self.scope}:admin", f"{self.scope}:master")
        classic = tuple(form for scope in self.classic for form in (scope, f"{scope}:admin", f"{scope}:master"))
        return (*forms, *classic) if self.admin_only else (self.scope, *forms, *classic)

    def admin_scopes(self) -> tuple[str, ...]:
        """The scopes that open it for other people's resources."""
        forms = (f"{self.scope}:admin", f"{self.scope}:master")
        return (*forms, *(f"{scope}:admin" for scope in self.classic))


@dataclass(slots=True)
class Call:
    """One request."""

    sim: Simulator
    principal: Principal
    operation: Operation
    params: dict[str, str]
    query: dict[str, str]
    body: Json
    now: float

    @property
    def account_id(self) -> str:
        """The caller's account."""
        return self.principal.grant.account_id

    @property
    def caller(self) -> User:
        """The user who authorised, or the account's owner for Server-to-Server."""
        return self.sim.state.users[self.principal.grant.user_id]

    def reaches_others(self) -> bool:
        """Whether the caller's scopes cover other people of the account for this operation."""
        return not self.sim.behaviour.enforce_scopes or any(
            scope in self.principal.scopes for scope in self.operation.admin_scopes()
        )

    def target_user(self) -> User:
        """The user in the path; `me` is required of user-level apps and refused to Server-to-Server ones."""
        reference = self.params["userId"]
        if reference == "me":
            if self.principal.account_level and self.sim.behaviour.me_for_account_apps == "refuse":
                raise invalid_token()
            return self.caller
        user = self.sim.world.user(reference)
        if user is None or user.account_id != self.account_id:
            raise no_user(reference)
        if not self.reaches_others():
            self._refuse_stranger(user)
        if user.status == "pending" and self.now > user.created_at + INVITATION_SECONDS:
            text = "A valid invitation to join the Zoom account was not found for this user."
            raise ZoomError(400, 1120, text)
        return user

    def may_reach(self, host_id: str) -> bool:
        """Whether something that belongs to `host_id` is visible to the caller."""
        host = self.sim.state.users.get(host_id)
        if host is None or host.account_id != self.account_id:
            return False
        return host_id == self.principal.grant.user_id or self.reaches_others()

    def target_meeting(self, kind: Kind = "meeting", parameter: str = "") -> Meeting:
        """The meeting or webinar in the path; invisible, deleted and expired ones do not exist."""
        reference = self.params[parameter or f"{kind}Id"]
        meeting = self.sim.meetings.find(reference)
        missing = no_meeting if kind == "meeting" else no_webinar
        if meeting is None or not self.may_reach(meeting.host_id):
            raise missing(reference)
        if kind == "meeting" and self.sim.world.someone(meeting.host_id).type == WITHOUT_MEETINGS:
            raise may_not_host()
        if meeting.kind != kind:
            raise not_a_meeting() if kind == "meeting" else ZoomError(400, 300, "Invalid webinar ID.")
        return meeting

    def spend_quota(self, user_id: str) -> None:
        """Count a create or update of a meeting or webinar towards the user's hundred a day."""
        self.sim.limits.take_for_user(user_id, self.now)

    def text(self, name: str, default: str = "", allowed: tuple[str, ...] = ()) -> str:
        """A query parameter. ZoomError 300 when it is none of `allowed`."""
        value = self.query.get(name) or default
        if allowed and value not in allowed:
            raise validation_failed((name, f"Invalid field: {name}."))
        return value

    def number(self, name: str, default: int, lowest: int = 1, highest: int = 2**53) -> int:
        """An integer query parameter; too large ones are refused like other invalid ones."""
        value = self.query.get(name)
        if not value:
            return default
        if not value.isdecimal() or not lowest <= int(value) <= highest:
            raise validation_failed((name, f"Invalid field: {name}."))
        return int(value)

    def flag(self, name: str) -> bool:
        """A boolean query parameter; absent is false."""
        return self.query.get(name, "").lower() in {"true", "1"}

    def _refuse_stranger(self, user: User) -> None:
        if user.id != self.principal.grant.user_id:
            raise ZoomError(403, 200, "The authenticated user has not permitted access to the targeted resource.")
        if self.sim.behaviour.own_id_for_me == "refuse":
            raise invalid_token()
