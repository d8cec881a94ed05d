"""Which scopes an authorisation is about: what the app requires, what it would like, and what the person leaves out.

Without parameters an app asks for all the scopes it was configured with. `scope` names those it requires, and
`optional_scope` those that can be refused one by one; `include_granted_scopes=true` adds what was granted before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from zoom_simulator.model import App, User

ADMIN_FORMS = (":admin", ":master")
METHODS = ("S256", "plain")


@dataclass(frozen=True)
class ScopeRequest:
    """The scopes of one request."""

    required: frozenset[str] = frozenset()  # empty: whatever the app has that is not optional
    optional: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()
    keep: bool = False  # what was granted before stays granted

    @classmethod
    def read(cls, fields: dict[str, str]) -> ScopeRequest:
        """From the parameters of the authorize URL; `declined` is what the person has unticked."""
        required, optional, declined = (
            frozenset(fields.get(name, "").split()) for name in ("scope", "optional_scope", "declined")
        )
        keep = fields.get("include_granted_scopes", "") == "true"
        return cls(required - optional, optional, declined & optional, keep)

    def unknown(self, app: App) -> list[str]:
        """Required scopes that the app does not have; an optional one that it does not have is passed over."""
        return sorted(self.required - {*app.scopes})

    def given(self, app: App, user: User, granted: list[str]) -> list[str]:
        """What `user` gives, in the app's order; `:admin` scopes only where the person is an administrator."""
        wanted = (self.required or {*app.scopes} - self.optional) | (self.optional - self.declined)
        if self.keep:
            wanted |= {*granted}
        may_all = user.role in ("owner", "admin")
        return [scope for scope in app.scopes if scope in wanted and (may_all or not scope.endswith(ADMIN_FORMS))]


def matches(challenge: str, method: str, verifier: str) -> bool:
    """Whether `verifier` is the one that `challenge` was made from."""
    made = verifier
    if method == "S256":
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(made.encode(), challenge.encode())
