"""Signs requests to one service, sends them over a shared connection, and limits the tries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoom_common.aws.https import Answer
from zoom_common.aws.retries import pause
from zoom_common.aws.sigv4 import Credentials, Scope, sign

if TYPE_CHECKING:
    from typing import Protocol

    class Connection(Protocol):
        """A kept-alive connection; see `https`. Sending and reading raise OSError."""

        def close(self) -> None:
            """Close the connection. The next request connects again."""
            ...

        def send(
            self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/", connect: bool = True
        ) -> None:
            """Send a request. Its answer has to be read before the next one is sent.

            With `connect`, connect first if necessary.
            """
            ...

        def answer(self, seconds: float | None = None) -> Answer:
            """Return the answer to the last request. Each wait ends after `seconds`, or after those given to `send`."""
            ...


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long an answer may take, in seconds, and how often a call is tried."""

    seconds: float = 5.0
    tries: int = 3


class SharedConnection:
    """A connection that several clients share. It carries one request at a time.

    An answer can be read later: when it is asked for, or before the next request is sent. After any failure the
    connection is closed, because a late answer would be read as that of the next request.
    """

    __slots__ = ("_lock", "_owed", "connection")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lock = threading.Lock()
        self._owed: Pending | None = None

    def post(self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/") -> Answer:
        """Send a request and return its answer. Raises OSError."""
        with self._lock:
            self._collect()
            try:
                self.connection.send(headers, body, seconds, path=path)
                return self.connection.answer()
            except BaseException:
                self.connection.close()
                raise

    @property
    def owes(self) -> bool:
        """Whether an answer has not been read yet."""
        return self._owed is not None

    def send(self, headers: Mapping[str, str], body: bytes, seconds: float, *, connect: bool = False) -> Pending:
        """Send a request if the connection is open; with `connect`, open it first.

        A request that was not sent has no answer.
        """
        with self._lock:
            self._collect()
            sent = Pending(self)
            try:
                self.connection.send(headers, body, seconds, connect=connect)
                self._owed = sent
            except BaseException as error:
                self.connection.close()
                if not isinstance(error, OSError):
                    raise
            return sent

    def collect(self, sent: Pending, seconds: float | None) -> None:
        """Read the answer to `sent`, unless that was done.

        Each wait ends after `seconds`, else after the usual time.
        """
        with self._lock:
            if sent is self._owed:
                self._collect(seconds)

    def _collect(self, seconds: float | None = None) -> None:
        owed, self._owed = self._owed, None
        if owed is None:
            return
        try:
            owed.found = self.connection.answer(seconds)
        except BaseException as error:
            self.connection.close()
            if not isinstance(error, OSError):
                raise


class Pending:
    """A request that was sent; its answer is read later."""

    __slots__ = ("connection", "found")

    def __init__(self, connection: SharedConnection) -> None:
        self.connection = connection
        self.found: Answer | None = None

    def answer(self, seconds: float | None = None) -> Answer:
        """Wait for the answer, at most `seconds` at a time if given, and return it.

        Raises OSError when there is none, also when another caller has found that out.
        """
        self.connection.collect(self, seconds)
        if self.found is None:
            raise ConnectionError("no answer")
        return self.found


class ConnectionPool:
    """Up to `most` connections to one host for requests that are under way at once, besides the shared connection.

    Each carries one request at a time, because AWS does not say that its servers accept pipelined requests. Connections
    are opened when they are needed, and kept.
    """

    def __init__(self, connect: Callable[[], SharedConnection], most: int) -> None:
        self._lines: list[SharedConnection] = []
        self._connect = connect
        self._most = most

    def line(self) -> SharedConnection:
        """Return a connection without an unread answer, or else the one that has waited for its answer longest."""
        free = next((line for line in self._lines if not line.owes), None)
        if free is None and len(self._lines) < self._most:
            free = self._connect()
            self._lines.append(free)
        if free is None:
            free = self._lines.pop(0)
            self._lines.append(free)
        return free


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Sends requests of one service to one host. `clock` gives epoch seconds, `random` gives 0 up to 1."""

    scope: Scope
    host: str
    connection: SharedConnection
    credentials: Callable[[], Credentials]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    policy: RetryPolicy = RetryPolicy()
    pool: ConnectionPool | None = None

    def post(self, headers: Mapping[str, str], body: bytes, *, path: str = "/") -> Answer:
        """Send one try and return its answer. Raises OSError."""
        return self.connection.post(self._signed(headers, body, path), body, self.policy.seconds, path=path)

    def send(self, headers: Mapping[str, str], body: bytes) -> Pending:
        """Send one try. Its answer is read later."""
        return self.connection.send(self._signed(headers, body, "/"), body, self.policy.seconds)

    def send_beside(self, headers: Mapping[str, str], body: bytes) -> Pending:
        """Send one try while others are under way, over a connection of its own, which is opened if necessary."""
        line = self.pool.line() if self.pool is not None else self.connection
        return line.send(self._signed(headers, body, "/"), body, self.policy.seconds, connect=True)

    def pause(self, tried: int) -> None:
        """Wait before the next try, longer each time, with full jitter; `tried` counts from 0."""
        self.sleep(pause(tried, self.random()))

    def _signed(self, headers: Mapping[str, str], body: bytes, path: str) -> dict[str, str]:
        now, credentials = self.clock(), self.credentials()
        return sign(headers, body, host=self.host, scope=self.scope, credentials=credentials, now=now, path=path)
