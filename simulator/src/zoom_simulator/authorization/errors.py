"""The errors of the authorization server."""

from __future__ import annotations

from zoom_simulator.model import Json


class OAuthError(Exception):
    """A refusal of the token or revoke endpoint."""

    def __init__(self, status: int, error: str, reason: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.reason = reason

    def body(self) -> Json:
        """`{"reason", "error"}`, in Zoom's order."""
        return {"reason": self.reason, "error": self.error} if self.reason else {"error": self.error}


def invalid_grant(reason: str = "Invalid Token!") -> OAuthError:
    """400 for codes and refresh tokens that are not, or no longer, good."""
    return OAuthError(400, "invalid_grant", reason)


def invalid_code(code: str) -> OAuthError:
    """400 for a code that is unknown, used or expired. Zoom repeats the code here: not a reason to put into logs."""
    return invalid_grant(f"Invalid authorization code {code}")


def invalid_client(status: int) -> OAuthError:
    """400, or 401 as some report."""
    return OAuthError(status, "invalid_client", "Invalid client_id or client_secret")
