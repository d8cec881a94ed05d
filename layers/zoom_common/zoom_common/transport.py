"""The HTTP transport to Zoom and the identity provider. The only module that imports requests."""

from __future__ import annotations

import http.client
import io
import socket
import warnings
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

import urllib3

from zoom_common.zoom.http import HttpRequest, HttpResponse

with warnings.catch_warnings():
    # The layer is built without the library that guesses a text's encoding, which is a twentieth of a start. requests
    # warns where it is missing, and nothing here reads an answer as text.
    warnings.simplefilter("ignore")
    import requests
    from requests.adapters import HTTPAdapter

CONNECT_TIMEOUT = 3.05
# A kept-alive connection that was idle longer is not used again. A frozen Lambda does not notice that the other side
# has closed it, and a create that is sent over a closed connection has an unknown outcome.
LONGEST_IDLE = 30.0
_CHUNK = 65_536


class NotSent(Exception):
    """The request was not sent, so it is safe to send it again."""


class AnswerLost(Exception):
    """The request may have arrived, and no complete answer came back."""


class Transport(Protocol):
    """Sends a request and returns the response within `timeout` seconds, or raises NotSent or AnswerLost."""

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        """Send once, without following redirects and without retrying."""
        ...


class RequestsTransport:
    """One connection pool of requests per container, so that the TLS handshake happens once.

    The adapter is used without a session: Zoom's cookies are not kept and sent with the next tenant's call; no proxy or
    netrc of the environment is used; and a call costs a third less.
    """

    def __init__(
        self,
        *,
        connections: int = 10,
        longest_idle: float = LONGEST_IDLE,
        clock: Callable[[], float] = monotonic,
        bundle: str | None = None,
    ) -> None:
        """`bundle` is a file with the roots to trust, instead of certifi's."""
        self._clock = clock
        self._longest_idle = longest_idle
        self._last_used = clock()
        self._verify: str | bool = bundle or True
        self._adapter = _Adapter(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        """Send once. `timeout`, in seconds, limits the wait for the complete answer; connecting comes before that."""
        self._drop_idle_connections()
        waits = min(CONNECT_TIMEOUT, timeout), timeout
        try:
            response = self._adapter.send(_prepared(request), timeout=waits, verify=self._verify)
            content = _content(response.raw, request.most_bytes)
        except requests.exceptions.ConnectTimeout:
            raise NotSent("connect timeout") from None
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise NotSent("no connection") from None
            raise AnswerLost("connection broke") from None
        except (requests.exceptions.Timeout, urllib3.exceptions.HTTPError):
            raise AnswerLost("no whole answer") from None
        except requests.exceptions.RequestException:
            raise AnswerLost("unreadable answer") from None
        headers = {name.lower(): value for name, value in response.raw.headers.itermerged()}
        if content is None:
            return HttpResponse(response.status_code, headers, too_long=True)
        return HttpResponse(response.status_code, headers, content)

    def close(self) -> None:
        """Close all connections. The next request opens another one."""
        self._adapter.close()

    def _drop_idle_connections(self) -> None:
        now = self._clock()
        if now - self._last_used > self._longest_idle:
            self.close()
        self._last_used = now


class _InTime(io.RawIOBase):
    """Reads from a socket until the total time is over that the socket allows for a single wait.

    Without it, an answer that arrives byte by byte would be read for ever, because each byte arrives in time.
    """

    def __init__(self, raw: io.RawIOBase, connected: socket.socket) -> None:
        self._raw = raw
        self._socket = connected
        self._ends: float | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Wait for the next bytes. Raises TimeoutError."""
        if self._ends is None:
            self._ends = monotonic() + (self._socket.gettimeout() or 0.0)
        else:
            left = self._ends - monotonic()
            if left <= 0:
                raise TimeoutError("no whole answer in time")
            self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Release the socket."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *given: Any, **more: Any) -> None:
        super().__init__(sock, *given, **more)
        self.fp = io.BufferedReader(_InTime(self.fp.detach(), sock))


class _OneWrite:
    """Sends headers and body together: one TLS record and one packet instead of two, and one system call less."""

    response_class: Any = _Response
    _held: list[bytes] | None = None

    def request(self, *given: Any, **more: Any) -> None:
        """Send the whole request."""
        self._held = []
        super().request(*given, **more)  # type: ignore[misc] # a connection comes behind this class
        held, self._held = self._held, None
        super().send(b"".join(held))  # type: ignore[misc]

    def send(self, data: Any) -> None:
        """Store a part until the request is complete."""
        if self._held is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._held.append(data)


class _HttpConnection(_OneWrite, urllib3.connection.HTTPConnection):
    pass


class _HttpsConnection(_OneWrite, urllib3.connection.HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    """The adapter of requests, without decisions that are the same for every request of one caller."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pools: dict[str, Any] = {}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the pool of the request's host. `verify` never changes for a transport, and there is no proxy."""
        origin = "/".join(str(request.url).split("/", 3)[:3])
        if origin not in self._pools:
            pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
            pool.ConnectionCls = _HttpsConnection if pool.scheme == "https" else _HttpConnection
            super().cert_verify(pool, request.url, verify, cert)  # type: ignore[no-untyped-call]
            self._pools[origin] = pool
        return self._pools[origin]

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: a pool gets its certificates once; requests would look for the file before every request."""

    def close(self) -> None:
        """Close all connections and drop the pools, which cannot be used again."""
        self._pools.clear()
        super().close()

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the parts of a response that are read here, without requests' work on cookies and encodings."""
        response = requests.Response()
        response.status_code, response.raw, response.url = resp.status, resp, str(req.url)
        return response


def _content(raw: Any, most: int | None) -> bytes | None:
    """Return the body, or None when it has more than `most` bytes.

    The connection is then closed without reading the rest.
    """
    if most is None:
        whole: bytes = raw.read(decode_content=True)
        return whole
    parts, length = [], 0
    for part in raw.stream(_CHUNK, decode_content=True):
        parts.append(part)
        length += len(part)
        if length > most:
            raw.close()
            return None
    return b"".join(parts)


def _prepared(request: HttpRequest) -> requests.PreparedRequest:
    """Return the request unchanged.

    Preparing it would normalise %-escapes (%252F must stay) and guess a content type.
    """
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = request.method, request.url, request.body
    headers: Any = dict(request.headers)
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    elif request.method in {"POST", "PUT", "PATCH"}:
        headers["Content-Length"] = "0"
    prepared.headers = headers
    return prepared


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    reason = error.args[0] if error.args else None
    cause = getattr(reason, "reason", reason)
    return isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError)
