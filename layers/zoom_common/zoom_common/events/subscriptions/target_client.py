"""Sends to targets: POSTs to public hosts, whose addresses are looked up, checked and pinned; messages to queues.

The connection goes to the checked address. TLS and the header `Host` carry the name, so a name that resolves to another
address a moment later makes no difference. Redirects are not followed, the environment's proxies are not used, and at
most the first bytes of an answer are read. One deadline bounds everything.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.aws import endpoints
from zoom_common.aws.errors import code_of, is_transient
from zoom_common.events.subscriptions.addresses import AddressRefused, Endpoint, check_addresses

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The time from the lookup of an endpoint's name to the head of its answer.
ANSWER_SECONDS = 15.0
KEPT_BYTES = 1024
# The time for the rest of an answer after its head, which already has the result of the delivery.
_BODY_SECONDS = 1.0
_CHUNK = 16_384
_QUEUE = re.compile(r"(https://sqs\.([a-z0-9-]{4,30})\.[a-z.-]{1,40})/[0-9]{12}/[A-Za-z0-9_-]{1,80}")
_LOCAL_QUEUE = re.compile(r"http://[a-z0-9.:-]{1,100}/([0-9]{12})/([A-Za-z0-9_-]{1,80})")
_ERROR_NAMES = {
    "refused_address": "the host name leads to an address that is not public",
    "dns_failed": "the host name could not be resolved",
    "connect_failed": "no connection",
    "tls_failed": "the certificate or the handshake failed",
    "timeout": "no answer within 15 seconds",
    "broken_answer": "no HTTP answer",
}

type Resolve = Callable[[str, int], list[str]]
type Connect = Callable[[tuple[str, int], float], socket.socket]


class NoAnswer(Exception):
    """The endpoint gave no answer. `reason` is one of a fixed list of words."""

    def __init__(self, reason: str) -> None:
        super().__init__(_ERROR_NAMES[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """An endpoint's answer. Header names are lower case; `body` is the beginning of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(each[4][0]) for each in found]


class EndpointClient:
    """Sends deliveries. It keeps no connections: each delivery looks up the host again."""

    def __init__(
        self,
        *,
        resolve: Resolve = resolve,
        connect: Connect = socket.create_connection,
        clock: Callable[[], float] = monotonic,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._resolve = resolve
        self._connect = connect
        self._clock = clock
        self._context = context
        self._tls: ssl.SSLContext | None = None

    def post(
        self,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        body: bytes,
        *,
        seconds: float = ANSWER_SECONDS,
        most: int = KEPT_BYTES,
        whole: bool = False,
    ) -> Answer:
        """Send one POST and return the answer, with `most` bytes of its body. Raises NoAnswer.

        `seconds` bound everything: connecting, TLS, sending, and waiting for the head of the answer. The body is read
        for at most one more second, or until the same deadline when `whole` is set.
        """
        until = self._clock() + seconds
        connected = self._open(endpoint, until)
        try:
            return self._exchange(connected, endpoint, headers, body, until=until, most=most, whole=whole)
        except TimeoutError:
            raise NoAnswer("timeout") from None
        except (http.client.HTTPException, OSError, ValueError):
            raise NoAnswer("broken_answer") from None
        finally:
            connected.close()

    def addresses(self, endpoint: Endpoint) -> list[str]:
        """Return the addresses of an endpoint, checked. Raises NoAnswer."""
        try:
            found = self._resolve(endpoint.host, endpoint.port)
        except (OSError, UnicodeError):
            raise NoAnswer("dns_failed") from None
        try:
            return check_addresses(found, loopback=endpoint.loopback)
        except AddressRefused:
            raise NoAnswer("refused_address") from None

    def _open(self, endpoint: Endpoint, until: float) -> socket.socket:
        """Connect to the first address that accepts the connection, and do the TLS handshake with the name."""
        addresses = self.addresses(endpoint)
        for at, address in enumerate(addresses):
            left = self._left(until) / (len(addresses) - at)  # a silent address leaves time for the next one
            try:
                connected = self._connect((address, endpoint.port), max(left, 0.001))
            except OSError:
                continue
            return self._secured(connected, endpoint, until) if endpoint.tls else connected
        raise NoAnswer("timeout" if self._left(until) <= 0 else "connect_failed")

    def _secured(self, connected: socket.socket, endpoint: Endpoint, until: float) -> socket.socket:
        if self._tls is None:
            self._tls = self._context()
        try:
            connected.settimeout(max(self._left(until), 0.001))  # bounds OpenSSL's whole handshake
            return self._tls.wrap_socket(connected, server_hostname=endpoint.host)
        except TimeoutError:
            connected.close()
            raise NoAnswer("timeout") from None
        except (OSError, ValueError):
            connected.close()
            raise NoAnswer("tls_failed") from None

    def _exchange(
        self,
        connected: socket.socket,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        body: bytes,
        *,
        until: float,
        most: int,
        whole: bool,
    ) -> Answer:
        lines = {"host": endpoint.authority, **headers, "content-length": str(len(body)), "connection": "close"}
        head = f"POST {endpoint.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._send(connected, head.encode("latin-1") + b"\r\n" + body, until)
        reader = _Reader(connected, self._clock, until)
        response = http.client.HTTPResponse(_Readable(reader), method="POST")  # type: ignore[arg-type] # all it uses
        with response:
            response.begin()
            about = {name.lower(): value for name, value in response.getheaders()}
            if not whole:
                reader.until = min(until, self._clock() + _BODY_SECONDS)
            return Answer(response.status, about, _beginning(response, most))

    def _send(self, connected: socket.socket, data: bytes, until: float) -> None:
        view = memoryview(data)
        while view:
            left = self._left(until)
            if left <= 0:
                raise TimeoutError
            connected.settimeout(left)
            view = view[connected.send(view[:_CHUNK]) :]

    def _left(self, until: float) -> float:
        return until - self._clock()


def _beginning(response: http.client.HTTPResponse, most: int) -> bytes:
    """Read the beginning of a body. What is late, broken or longer is left out, because the status has the result."""
    found = bytearray()
    try:
        while len(found) < most and (some := response.read1(most - len(found))):
            found += some
    except (OSError, ValueError, http.client.HTTPException):
        pass
    return bytes(found)


class _Reader(io.RawIOBase):
    """Reads from a socket until `until`. Each wait ends by then, so that slow bytes do not prolong it."""

    def __init__(self, connected: socket.socket, clock: Callable[[], float], until: float) -> None:
        self._socket = connected
        self._clock = clock
        self.until = until

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for the next bytes. Raises TimeoutError."""
        left = self.until - self._clock()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket.recv_into(buffer)


class _Readable:
    """The part of a socket that `http.client.HTTPResponse` uses."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Return the file to read from."""
        return io.BufferedReader(self._reader)


def queue_region(url: str, *, local: bool = False) -> str | None:
    """Return the region of a standard queue's URL, an empty text for a local one, or None for another URL."""
    found = _QUEUE.fullmatch(url)
    if found and found[1] == endpoints.endpoint("sqs", {"AWS_REGION": found[2]}):
        return found[2]
    return "" if local and _LOCAL_QUEUE.fullmatch(url) else None


class TargetQueues:
    """Queues of subscribers. `client` makes a client for a region (empty: the stack's own)."""

    def __init__(self, client: Callable[[str], SQSClient], *, local: bool = False) -> None:
        self._client = client
        self._local = local

    def put(self, url: str, message_id: str, body: bytes) -> str | None:
        """Send one message. Return None, or the reason why the queue did not accept it.

        The role of this stack may send to queues of other accounts, and to none of its own account: there, only the
        queue's own policy can allow it.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
        """
        region = queue_region(url, local=self._local)
        if region is None:
            return "refused_address"
        attributes: Any = {"webhook-id": {"DataType": "String", "StringValue": message_id}}
        try:
            self._client(region).send_message(QueueUrl=url, MessageBody=body.decode(), MessageAttributes=attributes)
        except (BotoCoreError, ClientError) as error:
            if is_transient(error):
                return "connect_failed"
            denied = "Denied" in code_of(error) or "NonExistent" in code_of(error) or "NotExist" in code_of(error)
            return "queue_refused" if denied else "queue_error"
        return None
