"""Zoom's errors: an HTTP status, a code that differs from it, and a message that may be in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ZoomError(Exception):
    """A refusal in Zoom's shape. `template` is the English message, with `{}` for `arguments`."""

    def __init__(
        self,
        status: int,
        code: int,
        template: str,
        *arguments: object,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(template)
        self.status = status
        self.code = code
        self.template = template
        self.arguments = arguments
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self, translate: Any) -> dict[str, Any]:
        """`{"code", "message"[, "errors"]}` with the message put through `translate`."""
        text: str = translate(self.template)
        body: dict[str, Any] = {"code": self.code, "message": text.format(*self.arguments) if self.arguments else text}
        if self.errors is not None:
            body["errors"] = [{**each, "message": translate(each["message"])} for each in self.errors]
        return body


def invalid_token(text: str = "Invalid access token.") -> ZoomError:
    """401/124."""
    return ZoomError(401, 124, text)


def missing_scopes(scopes: list[str]) -> ZoomError:
    """400/4711, worded as Zoom words it."""
    return ZoomError(400, 4711, "Invalid access token, does not contain scopes:[{}].", ", ".join(scopes))


def validation_failed(*errors: tuple[str, str]) -> ZoomError:
    """400/300 with the fields at fault."""
    listed = [{"field": field, "message": message} for field, message in errors]
    return ZoomError(400, 300, "Validation Failed.", errors=listed)


def no_user(user: str) -> ZoomError:
    """404/1001."""
    return ZoomError(404, 1001, "User does not exist: {}.", user)


def no_meeting(meeting: object) -> ZoomError:
    """404/3001, also for another account's meeting."""
    return ZoomError(404, 3001, "Meeting does not exist: {}.", meeting)


def no_webinar(webinar: object) -> ZoomError:
    """404/3001 for webinars."""
    return ZoomError(404, 3001, "Webinar does not exist: {}.", webinar)


def not_a_meeting() -> ZoomError:
    """400/3000: a webinar's id was given in place of a meeting's."""
    return ZoomError(400, 3000, "Cannot access webinar info.")


def no_recording() -> ZoomError:
    """404/3301."""
    return ZoomError(404, 3301, "There is no recording for this meeting.")


def no_permission() -> ZoomError:
    """400/200."""
    return ZoomError(400, 200, "No permission.")


def paid_only(account: str) -> ZoomError:
    """400/200 on a free plan."""
    return ZoomError(400, 200, "Only available for paid account: {}.", account)


def may_not_host() -> ZoomError:
    """400/3161 for people without a meetings licence."""
    text = "Meeting hosting and scheduling capabilities are not allowed for your user account."
    return ZoomError(400, 3161, text)


def unknown_endpoint(status: int) -> ZoomError:
    """Code 2300."""
    return ZoomError(status, 2300, "This API endpoint is not recognized.")
