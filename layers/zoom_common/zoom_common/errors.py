"""Every error the gateway raises on purpose.

GatewayError
├── InvalidRequest            400  the caller's input, field by field
├── BodyTooLong               413  more than Lambda takes
├── Unauthenticated           401  no principal
├── Forbidden                 403  a principal without the scope
│   └── ZoomScopesMissing     400  a connection without the Zoom scopes: the person has to consent again
├── NotAllowed                403  a principal whose business this is not, whatever its scopes
├── NotFound                  404  nothing here that this caller may know of
├── MethodNotAllowed          405
├── Conflict                  409  the caller has to decide something first
├── IdempotencyKeyReused      422  the key belongs to another request
├── ConnectionUnusable        409  the person has to reconnect, or the link is not finished
│   └── ConnectionOfAnotherApp    it was made with another Zoom app (in `connections.selection`)
├── LinkRefused               a person's browser cannot go on linking an account; `reason` says why
│   └── LinkNotRequested      nobody here has asked for it (in `connections.linking`)
├── TooManyRequests           429  with seconds to wait
├── ZoomRefused               as Zoom said: its status and its body
├── OutcomeUnknown            502  sent, and no answer: it may have happened
├── AnswerTooLong             502  Zoom answered with more than Lambda can pass on
├── ZoomUnavailable           503  Zoom could not be reached, nothing was changed
└── DependencyFailed          something that the gateway depends on gave no useful answer
    ├── InternalError         500  it refuses what we ask and would again: a fault of ours
    └── Unavailable           503  it could not be reached, or refuses for now

Messages are fixed texts. No error carries a token, a code, a signature, an e-mail or a body it was given by a person;
`ZoomRefused.body` is Zoom's own answer, for the caller who asked and for nobody's log.
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
    """The root. `reason` is for machines, `str()` is a fixed sentence for people, both are safe to log."""

    status = 500
    code = 500
    retryable = False

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.hint = hint
        self.headers: dict[str, str] = {}  # what the answer's headers say besides; names are lower case


class InvalidRequest(GatewayError):
    """The request is wrong before it costs anything. Zoom's shape: code 300 and a list of fields."""

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
    """No usable credential. `reason` says which kind of no."""

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
    """The Zoom connection lacks `scopes`: no token of it can do this. Zoom itself says it with a 400 and code 4711."""

    status = 400

    def __init__(self, scopes: Sequence[str], *, reconnect_url: str | None = None, hint: str | None = None) -> None:
        super().__init__(scopes)
        self.reason = "missing_zoom_scopes"
        self.hint = hint
        self.reconnect_url = reconnect_url


class NotAllowed(GatewayError):
    """The caller may know of it and may not do this with it; `reason` says why. No scope would change that."""

    status = 403
    code = 403


class NotFound(GatewayError):
    """Nothing this caller may know of. `code` is Zoom's: 2300 for a route, 3001 for a meeting, 1001 for a user."""

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
    """The caller has to decide something first; `details` says between what."""

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
    """The connection cannot serve calls in its state; `state` is one of the vault's."""

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
    """A step of linking a Zoom account, taken by a browser, that leads nowhere. Nothing was stored."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__("The Zoom account could not be connected.", reason=reason)
        self.status = status
        self.code = status


class TooManyRequests(GatewayError):
    """Ours, not Zoom's: `retry_after` in whole seconds."""

    status = 429
    code = 429
    retryable = True

    def __init__(self, retry_after: int, *, reason: str = "rate_limited", hint: str | None = None) -> None:
        super().__init__("Too many requests. Try again later.", reason=reason, hint=hint)
        self.retry_after = retry_after


class ZoomRefused(GatewayError):
    """Zoom answered with an error: passed on as it is. `zoom_code` is Zoom's number, or None when it gave none.

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
    """The request left and no answer came: it may have happened. Never retried by us without a way to check."""

    status = 502
    code = 502

    def __init__(self, *, hint: str | None = None) -> None:
        super().__init__(
            "Zoom gave no answer. The request may have been carried out.", reason="outcome_unknown", hint=hint
        )


class AnswerTooLong(GatewayError):
    """Zoom answered, and the body is longer than Lambda can pass on. `changed`: the request changed something."""

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
    """Something that the gateway depends on gave no useful answer. Catch this where the answer must not matter.

    `cause` is AWS's error code or the name of the client's error, or empty. It is safe to log.
    """

    def __init__(self, message: str, *, reason: str, cause: str) -> None:
        super().__init__(message, reason=reason)
        self.cause = cause


class InternalError(DependencyFailed):
    """A fault of ours: `where` refuses what we ask, and asking again does not help. Somebody has to look."""

    status = 500
    code = 500

    def __init__(self, *, where: str, cause: str) -> None:
        super().__init__("Something went wrong inside the gateway.", reason="internal_error", cause=cause)
        self.where = where


class Unavailable(DependencyFailed):
    """Something of ours could not be reached; `reason` names it."""

    status = 503
    code = 503
    retryable = True

    def __init__(self, *, reason: str, cause: str = "") -> None:
        super().__init__("The gateway is not available right now. Try again.", reason=reason, cause=cause)
