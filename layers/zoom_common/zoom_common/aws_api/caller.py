"""Signs a request and sends it, and says how often and with what pauses that may be tried."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from zoom_common.aws_api.https_client import Answer
from zoom_common.aws_api.sigv4 import Credentials, Scope, sign

_FIRST_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take, in seconds, and how often a call is tried."""

    seconds: float = 5.0
    tries: int = 3


class Connection(Protocol):
    """A kept-alive connection; see `https_client`. Sending and reading raise OSError."""

    def close(self) -> None:
        """Hang up; the next request connects again."""
        ...

    def send(
        self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/", connect: bool = True
    ) -> None:
        """Send a request, whose answer has to be read before the next one is sent. It may have to `connect` first."""
        ...

    def answer(self, seconds: float | None = None) -> Answer:
        """The answer to what was sent last. Each wait ends after `seconds`, or as `send` was told."""
        ...


@dataclass(slots=True)
class Line:
    """A connection that several clients share; it carries one request at a time.

    An answer need not be waited for at once: it is read when it is asked for, or before the next request is sent.
    After any failure, also one of ours, it hangs up: what may still come is the answer to nobody's next request.
    """

    connection: Connection
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _owed: Sent | None = None

    def post(self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/") -> Answer:
        """The answer to a request. Raises OSError."""
        with self._lock:
            self._collect()
            try:
                self.connection.send(headers, body, seconds, path=path)
                return self.connection.answer()
            except BaseException:
                self.connection.close()
                raise

    def send(self, headers: Mapping[str, str], body: bytes, seconds: float) -> Sent:
        """A request on its way, if the line is open: nobody waits for another connection here.

        One that could not be sent has no answer.
        """
        with self._lock:
            self._collect()
            sent = Sent(self)
            try:
                self.connection.send(headers, body, seconds, connect=False)
                self._owed = sent
            except BaseException as error:
                self.connection.close()
                if not isinstance(error, OSError):
                    raise
            return sent

    def collect(self, sent: Sent, seconds: float | None) -> None:
        """Read the answer to `sent`, unless that has been done. Each wait ends after `seconds`, or as for any other."""
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


@dataclass(slots=True, eq=False)
class Sent:
    """A request whose answer comes later."""

    line: Line
    found: Answer | None = None

    def answer(self, seconds: float | None = None) -> Answer:
        """Its answer, waited for if need be, at most `seconds` at a time if given.

        Raises OSError when there is none, whoever has found that out.
        """
        self.line.collect(self, seconds)
        if self.found is None:
            raise ConnectionError("no answer")
        return self.found


@dataclass(frozen=True, slots=True)
class Try:
    """One try of several."""

    last: bool
    pause: Callable[[], None]
    """Wait before the next one, longer each time, with full jitter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Speaks for one service to one host. `clock` gives epoch seconds, `random` gives 0 up to 1."""

    scope: Scope
    host: str
    line: Line
    credentials: Callable[[], Credentials]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    patience: Patience = Patience()

    def post(self, headers: Mapping[str, str], body: bytes, *, path: str = "/") -> Answer:
        """The answer to one try. Raises OSError."""
        return self.line.post(self._signed(headers, body, path), body, self.patience.seconds, path=path)

    def send(self, headers: Mapping[str, str], body: bytes) -> Sent:
        """One try, whose answer comes later."""
        return self.line.send(self._signed(headers, body, "/"), body, self.patience.seconds)

    def tries(self) -> Iterator[Try]:
        """As many as patience allows."""
        for tried in range(self.patience.tries):
            most = _FIRST_PAUSE * 2**tried
            yield Try(tried == self.patience.tries - 1, lambda most=most: self.sleep(self.random() * most))  # type: ignore[misc]

    def _signed(self, headers: Mapping[str, str], body: bytes, path: str) -> dict[str, str]:
        now, credentials = self.clock(), self.credentials()
        return sign(headers, body, host=self.host, scope=self.scope, credentials=credentials, now=now, path=path)
