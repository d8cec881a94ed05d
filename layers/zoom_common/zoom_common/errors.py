"""Every error that the gateway raises on purpose.

GatewayError
├── InvalidRequest            400  the caller's input, field by field
├── BodyTooLong               413  more than Lambda takes
├── Unauthenticated           401  no principal
├── Forbidden                 403  a principal without the scope
│   └── ZoomScopesMissing     400  the connection lacks Zoom scopes: the person has to consent again
├── NotAllowed                403  a principal that may not do this, whatever its scopes
├── NotFound                  404  it does not exist, or this caller may not know of it
├── MethodNotAllowed          405
├── Conflict                  409  the caller has to decide something first
├── IdempotencyKeyReused      422  the key belongs to another request
├── ConnectionUnusable        409  the person has to reconnect, or the link is not finished
│   └── ConnectionOfAnotherApp    the connection was made with another Zoom app (in `connections.selection`)
├── LinkRefused               a person's browser cannot go on linking an account; `reason` says why
│   └── LinkNotRequested      no program has asked for the link (in `connections.linking`)
├── TooManyRequests           429  with seconds to wait
├── ZoomRefused               Zoom's status and Zoom's body
├── OutcomeUnknown            502  the request was sent and not answered: it may have been carried out
├── AnswerTooLong             502  Zoom answered with more than Lambda can pass on
├── ZoomUnavailable           503  Zoom could not be reached, nothing was changed
└── DependencyFailed          something that the gateway depends on gave no useful answer
    ├── InternalError         500  it refuses the request and would refuse it again: a fault of the gateway
    └── Unavailable           503  it could not be reached, or refuses at the moment

Messages are fixed texts. No error carries a token, a code, a signature, an e-mail address or a body that a person sent.
`ZoomRefused.body` is Zoom's own answer: it goes to the caller and never to a log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zoom_common.values import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of a request and what to do about it, as Zoom lists them under `errors`."""

    field: str
    message: str


class GatewayError(Exception):
    """The root. `reason` is for machines, `str()` is a fixed sentence for people. Both may be logged."""

    status = 500
    code = 500
    retryable = False

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.hint = hint
        self.headers: dict[str, str] = {}  # what the answer's headers say besides; names are lower case


class InvalidRequest(GatewayError):
    """The request is wrong, and nothing was sent or changed. Zoom's shape: code 300 and a list of fields."""

    status = 400
    code = 300

    def __init__(self, fields: Sequence[FieldError] = (), *, message: str = "Validation Failed.") -> None:
        super().__init__(message, reason="invalid_request")
        self.fields = tuple(fields)


class BodyTooLong(GatewayError):
    """The request's body is longer than `most` bytes."""

    status = 413
    code = 413

    def __init__(self, most: int) -> None:
        super().__init__(
            "The request body is too long.",
            reason="body_too_long",
            hint=f"Send at most {most} bytes, or three quarters of that where the body is no text.",
        )


class Unauthenticated(GatewayError):
    """The request has no valid credential. `reason` says what is wrong with it."""

    status = 401
    code = 124

    def __init__(self, *, reason: str = "invalid_access_token", message: str = "Invalid access token.") -> None:
        super().__init__(message, reason=reason)


class Forbidden(GatewayError):
    """The principal is known and lacks `scopes`."""

    status = 403
    code = 4711

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(
            f"Invalid access token, does not contain scopes:[{', '.join(scopes)}].", reason="missing_scope"
        )
        self.scopes = tuple(scopes)


class ZoomScopesMissing(Forbidden):
    """The Zoom connection lacks `scopes`, so none of its tokens can do this. Zoom answers 400 with code 4711."""

    status = 400

    def __init__(self, scopes: Sequence[str], *, reconnect_url: str | None = None, hint: str | None = None) -> None:
        super().__init__(scopes)
        self.reason = "missing_zoom_scopes"
        self.hint = hint
        self.reconnect_url = reconnect_url


class NotAllowed(GatewayError):
    """The caller may see this and may not do this with it, whatever its scopes. `reason` says why."""

    status = 403
    code = 403


class NotFound(GatewayError):
    """It does not exist, or the caller may not know of it. `code` is Zoom's: 2300 route, 3001 meeting, 1001 user."""

    status = 404

    def __init__(self, message: str = "Not found.", *, reason: str = "not_found", code: int = 404) -> None:
        super().__init__(message, reason=reason)
        self.code = code


class MethodNotAllowed(GatewayError):
    """The path exists, the method does not."""

    status = 405
    code = 2300

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__("This method is not allowed here.", reason="method_not_allowed")
        self.allowed = tuple(allowed)


class Conflict(GatewayError):
    """The caller has to decide something first. `details` lists the choices."""

    status = 409
    code = 409

    def __init__(
        self, message: str, *, reason: str, details: dict[str, object] | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, reason=reason, hint=hint)
        self.details = details or {}


class IdempotencyKeyReused(GatewayError):
    """The `Idempotency-Key` was used for a request with other content."""

    status = 422
    code = 422

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request.", reason="idempotency_key_reused")


class ConnectionUnusable(GatewayError):
    """The connection cannot serve calls in its `state`, which is a value of `connections.model.State`."""

    status = 409
    code = 409
    client_id: str | None = None  # of the Zoom app it was made with, where that is the reason

    def __init__(
        self, state: str, *, reason: str, reconnect_url: str | None = None, message: str | None = None
    ) -> None:
        super().__init__(message or f"The Zoom connection is {state}.", reason=reason)
        self.state = state
        self.reconnect_url = reconnect_url


class LinkRefused(GatewayError):
    """A browser's step in linking a Zoom account is refused. Nothing was stored."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__("The Zoom account could not be connected.", reason=reason)
        self.status = status
        self.code = status


class TooManyRequests(GatewayError):
    """The gateway's limit, not Zoom's, is reached. `retry_after` is in whole seconds."""

    status = 429
    code = 429
    retryable = True

    def __init__(self, retry_after: int, *, reason: str = "rate_limited", hint: str | None = None) -> None:
        super().__init__("Too many requests. Try again later.", reason=reason, hint=hint)
        self.retry_after = retry_after


class ZoomRefused(GatewayError):
    """Zoom answered with an error, which is passed on unchanged. `zoom_code` is Zoom's number, or None without one.

    `headers` are those of Zoom's answer that go on to the caller; names are lower case. `missing_scopes` and
    `reconnect_url` are set where the person's consent would help.
    """

    missing_scopes: tuple[str, ...] = ()
    reconnect_url: str | None = None

    def __init__(
        self,
        status: int,
        body: bytes,
        *,
        zoom_code: int | None,
        reason: str,
        retryable: bool = False,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"Zoom answered {status}.", reason=reason, hint=hint)
        self.status = status
        self.body = body
        self.zoom_code = zoom_code
        self.retryable = retryable
        self.headers |= headers or {}


class OutcomeUnknown(GatewayError):
    """The request was sent and not answered, so it may have been carried out. It is only retried after a lookup."""

    status = 502
    code = 502

    def __init__(self, *, hint: str | None = None) -> None:
        super().__init__(
            "Zoom gave no answer. The request may have been carried out.", reason="outcome_unknown", hint=hint
        )


class AnswerTooLong(GatewayError):
    """Zoom's answer is longer than Lambda can pass on. `changed` says whether the request changed something."""

    status = 502
    code = 502

    def __init__(self, *, changed: bool) -> None:
        hint = "The request was carried out; read what it made in smaller parts." if changed else None
        super().__init__(
            "Zoom's answer is longer than the gateway can pass on.",
            reason="answer_too_long",
            hint=hint or "Ask for less: a smaller page, or a part of a file with the header Range.",
        )


class ZoomUnavailable(GatewayError):
    """Zoom could not be reached or kept failing, and nothing was changed."""

    status = 503
    code = 503
    retryable = True

    def __init__(self, *, reason: str = "zoom_unavailable") -> None:
        super().__init__("Zoom could not be reached. Nothing was changed; try again.", reason=reason)


class DependencyFailed(GatewayError):
    """A service that the gateway depends on gave no useful answer. Catch this where the answer is not required.

    `cause` is AWS's error code or the name of the client's error, or empty. It is safe to log.
    """

    def __init__(self, message: str, *, reason: str, cause: str) -> None:
        super().__init__(message, reason=reason)
        self.cause = cause


class InternalError(DependencyFailed):
    """A fault of the gateway: `where` refuses the request, and a repetition does not help. It needs an engineer."""

    status = 500
    code = 500

    def __init__(self, *, where: str, cause: str) -> None:
        super().__init__("Something went wrong inside the gateway.", reason="internal_error", cause=cause)
        self.where = where


class Unavailable(DependencyFailed):
    """A service or table could not be reached, or refuses at the moment. `reason` names it."""

    status = 503
    code = 503
    retryable = True

    def __init__(self, *, reason: str, cause: str = "") -> None:
        super().__init__("The gateway is not available right now. Try again.", reason=reason, cause=cause)
