"""Signs a request and sends it, and says how often and with what pauses that may be tried."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from zoom_common.aws_api.sigv4 import Credentials, Scope, sign

_FIRST_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take, in seconds, and how often a call is tried."""

    seconds: float = 5.0
    tries: int = 3


class Connection(Protocol):
    """A kept-alive connection; see `https_client`. `post` raises OSError."""

    def close(self) -> None:
        """Hang up; the next request connects again."""
        ...

    def post(
        self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/"
    ) -> tuple[int, Mapping[bytes, bytes], bytes]:
        """Status, headers and body of an answer."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that several clients share; it carries one request at a time."""

    connection: Connection
    lock: threading.Lock = field(default_factory=threading.Lock)


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

    def send(
        self, headers: Mapping[str, str], body: bytes, *, path: str = "/"
    ) -> tuple[int, Mapping[bytes, bytes], bytes]:
        """The answer to one try. Raises OSError."""
        now, credentials = self.clock(), self.credentials()
        signed = sign(headers, body, host=self.host, scope=self.scope, credentials=credentials, now=now, path=path)
        with self.line.lock:
            try:
                return self.line.connection.post(signed, body, self.patience.seconds, path=path)
            except OSError:
                self.line.connection.close()
                raise

    def tries(self) -> Iterator[Try]:
        """As many as patience allows."""
        for tried in range(self.patience.tries):
            most = _FIRST_PAUSE * 2**tried
            yield Try(tried == self.patience.tries - 1, lambda most=most: self.sleep(self.random() * most))  # type: ignore[misc]
