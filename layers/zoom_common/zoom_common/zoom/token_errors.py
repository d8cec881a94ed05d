"""What Zoom's token endpoint can say other than yes.

TokenError
├── GrantRejected       this code or refresh token is no good (invalid_grant and its variants, 4741, ...)
├── AppAtFault          the app is misconfigured or disabled; no connection is to blame (invalid_client, 4717, 4738)
└── TokenUnavailable    no usable answer; `outcome_known` says whether Zoom surely changed nothing
    └── TokenUnreadable a success that cannot be read: Zoom may have rotated the grant

Numbers: https://developers.zoom.us/docs/integrations/oauth-error-messages/
"""

from __future__ import annotations


class TokenError(Exception):
    """The root. `reason` is one of ours, never Zoom's text, which is localised and may quote what was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class GrantRejected(TokenError):
    """Zoom refuses this grant. It says nothing about other copies of it: a newer refresh token may be alive."""


class AppAtFault(TokenError):
    """Zoom refuses the app itself; every grant of it fails alike until an operator acts."""


class TokenUnavailable(TokenError):
    """No usable answer. `retry_after` is in seconds, where Zoom named a time."""

    def __init__(self, reason: str, *, outcome_known: bool, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.outcome_known = outcome_known
        self.retry_after = retry_after


class IdentityUnreadable(TokenUnavailable):
    """Zoom's `/users/me` named no user and account."""

    def __init__(self) -> None:
        super().__init__("identity_unreadable", outcome_known=True)


class TokenUnreadable(TokenUnavailable):
    """Zoom said yes in a way that cannot be read."""

    def __init__(self) -> None:
        super().__init__("unreadable_answer", outcome_known=False)
