"""POSTs to one host over one kept-alive connection.

`http.client` could do it, but imports the e-mail package, which takes 10 ms. This module implements the part of
HTTP/1.1 that AWS's JSON APIs use: https://www.rfc-editor.org/rfc/rfc9112
AWS's endpoints need five roots (https://www.amazontrust.com/repository/). Reading all public roots would add 15 ms to a
start.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from io import BufferedIOBase
from os.path import dirname

from zoom_common.aws.endpoints import host_and_port

_AMAZON = f"{dirname(__file__)}/amazon_roots.pem"  # noqa: PTH120 - pathlib would cost the webhook's start its import
_AMAZONS = (".amazonaws.com", ".api.aws")
_LONGEST_LINE = 65536
_LONGEST_CONNECT = 2.0
_BLANK = (b"\r\n", b"\n")
_PORTS = {"https": 443, "http": 80}

type Context = Callable[[], ssl.SSLContext]
type Connect = Callable[[tuple[bytes, int], float], socket.socket]
type Answer = tuple[int, Mapping[bytes, bytes], bytes]


class BrokenAnswer(ConnectionError):
    """The answer ended early, or is not HTTP."""


class Connection:
    """A connection to `endpoint` (scheme, host and port), without TLS for an `http` one, as emulators have.

    `contexts` are tried in turn until the server's certificate is trusted. Every method raises OSError.
    """

    def __init__(self, endpoint: str, contexts: Sequence[Context], *, connect: Connect | None = None) -> None:
        scheme, _, place = endpoint.partition("://")
        self._host, port = host_and_port(place)
        self._port = port or _PORTS[scheme]
        self._contexts = contexts if scheme == "https" else ()
        self._connect: Connect = connect or socket.create_connection  # type: ignore[assignment] # it takes bytes
        self._socket: socket.socket | None = None
        self._lines: BufferedIOBase | None = None
        self._answered = False

    def open(self, seconds: float) -> None:
        """Connect and do the TLS handshake, unless that is done."""
        if self._socket is None:
            self._socket = self._secured(seconds)
            self._lines = self._socket.makefile("rb")

    def close(self) -> None:
        """Close the connection. The next request opens another one."""
        if self._lines is not None:
            self._lines.close()
        if self._socket is not None:
            self._socket.close()
        self._socket = self._lines = None
        self._answered = False

    def post(self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/") -> Answer:
        """Send a request and wait for its answer."""
        self.send(headers, body, seconds, path=path)
        return self.answer()

    def send(
        self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/", connect: bool = True
    ) -> None:
        """Send a request, whose answer has to be read before the next one is sent. `headers` must contain the host.

        Each wait ends after `seconds`. A connection that the other side has closed is detected first; then another one
        is opened only with `connect`.
        """
        if self._answered and self._ended():
            self.close()
        if connect:
            self.open(min(seconds, _LONGEST_CONNECT))
        if self._socket is None or self._lines is None:
            raise ConnectionError("not connected")
        if self._socket.gettimeout() != seconds:
            self._socket.settimeout(seconds)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode("latin-1") + body)

    def answer(self, seconds: float | None = None) -> Answer:
        """Return status, headers (names in lower case) and body of the answer to the last request.

        Each wait ends after `seconds`, or as `send` was asked.
        """
        if self._socket is None or self._lines is None:
            raise BrokenAnswer
        if seconds is not None:
            self._socket.settimeout(seconds)
        status, about, answer = _read(self._lines)
        self._answered = True
        if about.get(b"connection", b"").lower() == b"close":
            self.close()
        return status, about, answer

    def _ended(self) -> bool:
        """Return whether the other side has closed the connection, or sent data where none is expected.

        Before the first answer, data is normal: TLS 1.3 sends its session tickets after the handshake.
        """
        if self._socket is None:
            return False
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return bool(waiting.poll(0))

    def _secured(self, seconds: float) -> socket.socket:
        if not self._contexts:
            return self._plain(seconds)
        return first_trusted(self._contexts, lambda context: self._shaken(context, seconds))

    def _shaken(self, context: Context, seconds: float) -> socket.socket:
        plain = self._plain(seconds)
        try:
            return context().wrap_socket(plain, server_hostname=self._host.encode())
        except OSError:
            plain.close()
            raise

    def _plain(self, seconds: float) -> socket.socket:
        # Host names are passed as bytes. As text they would load the tables of internationalised names, which AWS has
        # not.
        connected = self._connect((self._host.encode(), self._port), seconds)
        if connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected


def _read(lines: BufferedIOBase) -> tuple[int, dict[bytes, bytes], bytes]:
    version, _, rest = _line(lines).partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise BrokenAnswer
    about = {}
    while (line := lines.readline(_LONGEST_LINE)) not in _BLANK:
        name, _, value = line.partition(b":")
        if not line.endswith(b"\n"):
            raise BrokenAnswer
        about[name.lower()] = value.strip()
    if about.get(b"transfer-encoding", b"").lower() == b"chunked":
        return int(rest[:3]), about, b"".join(_chunks(lines))
    if b"content-length" in about:
        return int(rest[:3]), about, _exactly(lines, _number(about[b"content-length"], 10))
    return int(rest[:3]), about | {b"connection": b"close"}, lines.read()


def _line(lines: BufferedIOBase) -> bytes:
    line = lines.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise BrokenAnswer
    return line.rstrip(b"\r\n")


def _exactly(lines: BufferedIOBase, size: int) -> bytes:
    body = lines.read(size)
    if len(body) < size:
        raise BrokenAnswer
    return body


def _chunks(lines: BufferedIOBase) -> Iterator[bytes]:
    while size := _number(_line(lines).partition(b";")[0], 16):
        yield _exactly(lines, size)
        _line(lines)
    while _line(lines):
        pass


def _number(text: bytes, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise BrokenAnswer from None


def first_trusted[Made](contexts: Sequence[Context], connect: Callable[[Context], Made]) -> Made:
    """Connect with the first of `contexts` that trusts the other side.

    Raises what `connect` raises with the last one.
    """
    for context in contexts[:-1]:
        try:
            return connect(context)
        except ssl.SSLCertVerificationError:
            continue
    return connect(contexts[-1])


def contexts(host: str, environ: Mapping[str, str]) -> tuple[Callable[[], ssl.SSLContext], ...]:
    """Return how to check the certificate of `host`: with Amazon's roots for AWS's names, then with all public roots.

    If `AWS_CA_BUNDLE` is set, only that file is trusted, as by every other AWS client.
    """
    bundle = environ.get("AWS_CA_BUNDLE")
    if bundle:
        return (partial(_context, bundle),)
    if host.endswith(_AMAZONS):
        return partial(_context, _AMAZON), partial(_context, None)
    return (partial(_context, None),)


@cache
def _context(bundle: str | None) -> ssl.SSLContext:
    """Return one context for all connections, because reading the certificates is what takes time."""
    return ssl.create_default_context(cafile=bundle)
