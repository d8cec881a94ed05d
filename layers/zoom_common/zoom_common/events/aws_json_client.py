"""Calls one AWS JSON API over one kept-alive connection, signed by us. Standard library only."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from zoom_common.deadline import Deadline
from zoom_common.events.sigv4 import Credentials, Scope, sign

# A connection that died while the container was frozen costs the first try, and a slow one must not cost the last.
_TRIES = 3
_SECONDS_PER_TRY = 1.2
_THROTTLED = ("Throttl", "RequestThrottled", "TooManyRequests")


class AwsCallFailed(Exception):
    """The call was not answered, or not with success. `reason` is AWS's error type or `unreachable`, safe to log."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.reason = reason


class AwsJsonClient:
    """One service at one endpoint. Calls may reach AWS more than once: only for what bears repetition."""

    def __init__(
        self,
        *,
        scope: Scope,
        endpoint: str,
        protocol: str,
        credentials: Callable[[], Credentials],
        clock: Callable[[], float],
        connect: Callable[[str, float], http.client.HTTPConnection] | None = None,
    ) -> None:
        """`endpoint` is scheme, host and port; `protocol` is the JSON version as a content type has it."""
        self._scope = scope
        self._endpoint = endpoint
        self._host = urlsplit(endpoint).netloc
        self._content_type = f"application/x-amz-json-{protocol}"
        self._credentials = credentials
        self._clock = clock
        self._connect = connect or open_connection
        self._connection: http.client.HTTPConnection | None = None

    def warm(self) -> None:
        """Open the connection ahead of the first call. A failure is the first call's to find out."""
        try:
            self._connected(_SECONDS_PER_TRY).connect()
        except OSError:
            self._drop()

    def call(self, target: str, payload: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        """The answer to one operation. Raises AwsCallFailed when none came before the deadline."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        reason = "deadline"
        for _ in range(_TRIES):
            seconds = min(_SECONDS_PER_TRY, deadline.remaining())
            if seconds <= 0:
                break
            try:
                status, answer = self._exchange(target, body, seconds)
            except (OSError, http.client.HTTPException):
                self._drop()
                reason = "unreachable"
                continue
            if status == http.client.OK:
                return _document(answer)
            reason = _error_type(answer)
            if status < http.client.INTERNAL_SERVER_ERROR and not reason.startswith(_THROTTLED):
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
        connection = self._connected(seconds)
        connection.request("POST", "/", body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()

    def _connected(self, seconds: float) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = self._connect(self._endpoint, seconds)
        self._connection.timeout = seconds
        if self._connection.sock is not None:
            self._connection.sock.settimeout(seconds)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def open_connection(endpoint: str, seconds: float) -> http.client.HTTPConnection:
    """A connection to `endpoint`, plain for an `http` one (an emulator), not yet connected."""
    parts = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=seconds)


def _document(answer: bytes) -> dict[str, Any]:
    try:
        document = json.loads(answer)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _error_type(answer: bytes) -> str:
    kind = str(_document(answer).get("__type", "refused")).rpartition("#")[2]
    return kind if kind.isascii() and kind.replace(".", "").isalnum() else "refused"
