"""Sends one request to Zoom over a kept-alive connection. The only module that imports requests."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

import requests
import urllib3
from requests.adapters import HTTPAdapter

from zoom_common.zoom.wire import HttpRequest, HttpResponse

CONNECT_TIMEOUT = 3.05
# A kept-alive connection that idled longer is not trusted. A frozen Lambda misses that the other side hung up, and a
# create that is sent into a dead connection has an unknown outcome.
LONGEST_IDLE = 30.0


class NotSent(Exception):
    """The request never left: it is safe to send again."""


class AnswerLost(Exception):
    """The request may have arrived and no whole answer came back."""


class Transport(Protocol):
    """Anything that turns a request into a response within `timeout` seconds, or raises NotSent or AnswerLost."""

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        """Send once, without following redirects and without retrying."""
        ...


class RequestsTransport:
    """One `requests.Session` per container: TLS is shaken once, and no environment proxy or netrc is looked up."""

    def __init__(
        self, *, connections: int = 10, longest_idle: float = LONGEST_IDLE, clock: Callable[[], float] = monotonic
    ) -> None:
        self._clock = clock
        self._longest_idle = longest_idle
        self._last_used = clock()
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        """Send once. `timeout` bounds the wait for the answer's headers and for each read, in seconds."""
        self._drop_idle_connections()
        connect = min(CONNECT_TIMEOUT, timeout)
        prepared = requests.Request(request.method, request.url, headers=dict(request.headers)).prepare()
        # requests would normalise %-escapes (%252F must stay) and guess a content type: set both as given.
        prepared.url = request.url
        prepared.body = request.body
        if request.body is not None:
            prepared.headers["Content-Length"] = str(len(request.body))
        elif request.method in {"POST", "PUT", "PATCH"}:
            prepared.headers["Content-Length"] = "0"
        try:
            response = self._session.send(prepared, timeout=(connect, timeout), allow_redirects=False)
        except requests.exceptions.ConnectTimeout:
            raise NotSent("connect timeout") from None
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise NotSent("no connection") from None
            raise AnswerLost("connection broke") from None
        except (requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError):
            raise AnswerLost("no whole answer") from None
        except requests.exceptions.RequestException:
            raise AnswerLost("unreadable answer") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status_code, headers, response.content)

    def _drop_idle_connections(self) -> None:
        now = self._clock()
        if now - self._last_used > self._longest_idle:
            self._session.close()  # the pools only: the session opens new connections when it sends again
        self._last_used = now


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    reason = error.args[0] if error.args else None
    cause = getattr(reason, "reason", reason)
    return isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError)
