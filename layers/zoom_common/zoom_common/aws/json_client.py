"""Calls one AWS JSON API over one kept-alive connection, signed here. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from zoom_common.aws.sigv4 import Credentials, Scope, sign
from zoom_common.deadline import Deadline

TYPE_CHECKING = False  # without importing `typing`
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Connection(Protocol):
        """A kept-alive connection; see `aws.https`. Every method raises OSError."""

        def open(self, seconds: float) -> None:
            """Connect ahead of the first request."""
            ...

        def close(self) -> None:
            """Close the connection. The next request connects again."""
            ...

        def post(
            self, headers: Mapping[str, str], body: bytes, seconds: float
        ) -> tuple[int, Mapping[bytes, bytes], bytes]:
            """Return status, headers and body of the answer to `POST /`."""
            ...


# A connection that died while the container was frozen costs the first try; a slow one must not cost the last.
_TRIES = 3
_SECONDS_PER_TRY = 1.2
_OK = 200


class AwsCallFailed(Exception):
    """The call was not answered, or not with success. `reason` is AWS's error type or `unreachable`, safe to log."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.reason = reason


class AwsJsonClient:
    """One service at one endpoint. Use it only for calls that may be repeated, because a call may reach AWS twice."""

    def __init__(
        self,
        *,
        scope: Scope,
        host: str,
        protocol: str,
        credentials: Callable[[], Credentials],
        clock: Callable[[], float],
        connection: Connection,
    ) -> None:
        """`protocol` is the JSON version as a content type has it; `connection` goes to `host`."""
        self._scope = scope
        self._host = host
        self._content_type = f"application/x-amz-json-{protocol}"
        self._credentials = credentials
        self._clock = clock
        self._connection = connection

    def warm(self) -> None:
        """Connect before the first call. A failure is ignored: the first call will report it."""
        try:
            self._connection.open(_SECONDS_PER_TRY)
        except OSError:
            self._connection.close()

    def call(self, target: str, payload: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Return the answer to one operation. Raises AwsCallFailed when none came before the deadline."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        reason = "deadline"
        for _ in range(_TRIES):
            seconds = min(_SECONDS_PER_TRY, deadline.remaining())
            if seconds <= 0:
                break
            try:
                status, answer = self._exchange(target, body, seconds)
            except OSError:
                self._connection.close()
                reason = "unreachable"
                continue
            if status == _OK:
                return _document(answer)
            reason, retryable = _refusal(status, answer)
            if not retryable:
                break
        raise AwsCallFailed(self._scope.service, reason)

    def _exchange(self, target: str, body: bytes, seconds: float) -> tuple[int, bytes]:
        headers = sign(
            {"content-type": self._content_type, "x-amz-target": target},
            body,
            host=self._host,
            scope=self._scope,
            credentials=self._credentials(),
            now=self._clock(),
        )
        status, _, answer = self._connection.post(headers, body, seconds)
        return status, answer


def _document(answer: bytes) -> dict[str, Any]:
    try:
        document = json.loads(answer)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(status: int, answer: bytes) -> tuple[str, bool]:
    """Return AWS's error code, and whether another try may help."""
    from zoom_common.aws.retries import code_of, is_retryable  # noqa: PLC0415 - only a refusal needs it

    code = code_of(str(_document(answer).get("__type", "refused")))
    return code if code.isascii() and code.replace(".", "").isalnum() else "refused", is_retryable(status, code)
