"""Who sends a request, as the authorizer passes it to the functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EVERY_SCOPE = "*"
# Every connection id matches this; `connections.model.connection_id` makes shorter ones.
CONNECTION_ID = re.compile(r"con_[0-9a-z_]{1,60}")
SCOPES = frozenset(
    {
        "meetings:read",
        "meetings:write",
        "webinars:read",
        "webinars:write",
        "users:read",
        "users:write",
        "recordings:read",
        "recordings:write",
        "reports:read",
        "archive:read",
        "archive:write",
        "account:read",
        "account:write",
        "connections:read",
        "connections:write",
        "connections:all",
        "events:read",
        "events:write",
        "subscriptions:read",
        "subscriptions:write",
        "keys:write",
        "usage:read",
        "erasures:read",
        "erasures:write",
        "health:read",
        "zoom:read",
        "zoom:write",
        "jobs:read",
        "jobs:write",
        "operator:read",
        "operator:write",
        EVERY_SCOPE,
    }
)

# These scopes reach the whole stack, not one tenant. Only an operator can give them to a key.
OPERATOR_SCOPES = frozenset({"operator:read", "operator:write"})
# `*` does not include these: the pass-through reaches all of Zoom's API, and operators see every tenant.
NAMED_ONLY = frozenset({"zoom:read", "zoom:write"}) | OPERATOR_SCOPES


@dataclass(frozen=True, slots=True)
class Principal:
    """A known caller. `subject` is `key:<key id>`; `connection` is set when the key is bound to one connection.

    `requests_per_minute` is the caller's limit, None without one. `name` is the key's display name.
    """

    tenant: str
    subject: str
    scopes: frozenset[str]
    connection: str | None = None
    requests_per_minute: int | None = None
    name: str | None = field(default=None, compare=False)

    def may(self, scope: str) -> bool:
        """Return whether the caller holds `scope` itself, or `*` where `scope` is not one of NAMED_ONLY."""
        return scope in self.scopes or (EVERY_SCOPE in self.scopes and scope not in NAMED_ONLY)

    @property
    def is_key(self) -> bool:
        """Whether the caller is a program with an API key; otherwise it is a person who signed in."""
        return self.subject.startswith("key:")

    def to_context(self) -> dict[str, str]:
        """Return the authorizer context that `from_context` reads. Its values are strings."""
        fields: dict[str, Any] = {"tenant": self.tenant, "subject": self.subject, "scopes": sorted(self.scopes)}
        if self.connection is not None:
            fields["connection"] = self.connection
        if self.requests_per_minute is not None:
            fields["requests_per_minute"] = self.requests_per_minute
        if self.name is not None:
            fields["name"] = self.name
        return {"principal": json.dumps(fields, separators=(",", ":"))}

    @classmethod
    def from_context(cls, context: Mapping[str, Any] | None) -> Principal | None:
        """Return the principal in an authorizer context, or None when this version understands none in it."""
        try:
            fields = json.loads((context or {})["principal"])
            return cls(
                tenant=str(fields["tenant"]),
                subject=str(fields["subject"]),
                scopes=frozenset(str(scope) for scope in fields["scopes"]),
                connection=fields.get("connection"),
                requests_per_minute=_limit(fields.get("requests_per_minute")),
                name=fields.get("name"),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            # An authorizer of another version, in the middle of a deployment: deny rather than guess.
            return None


def _limit(value: Any) -> int | None:
    return None if value is None else int(value)
