"""What really goes over a socket: a small server on the loopback hears it and misbehaves as told."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread

import pytest

from dev.waiting import PATIENCE
from zoom_common.secret import Secret
from zoom_common.transport import LONGEST_IDLE, AnswerLost, NotSent, RequestsTransport
from zoom_common.zoom import api
from zoom_common.zoom.http import HttpRequest
from zoom_common.zoom.operations.table import match

DRIPPING_BODY, DRIPPING_LINE, DRIPPING_HEADER = b"a body that drips", b"a first line that drips", b"a header that drips"
_DRIPPING = {
    DRIPPING_BODY: b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    DRIPPING_LINE: b"HTTP/1.1 200 O",
    DRIPPING_HEADER: b"HTTP/1.1 200 OK\r\nX-Long: ",
}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: Yes\r\n\r\n{}"


@dataclass(slots=True)
class Server:
    """Answers each request with the next of its answers; an empty one hangs up. Counts connections."""

    answers: list[bytes] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v2"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        while request := _whole(connection):
            self.heard.append(request)
            answer = self.answers.pop(0) if self.answers else OK
            if answer in _DRIPPING:
                self._drip(connection, _DRIPPING[answer])
            else:
                connection.sendall(answer)
            if answer is not OK:
                return

    def _drip(self, connection: socket.socket, beginning: bytes) -> None:
        with suppress(OSError):  # until the client has had enough
            connection.sendall(beginning)
            while True:
                connection.sendall(b"x")
                time.sleep(0.02)


def _whole(connection: socket.socket) -> bytes:
    """One request with its body, or nothing when the client has hung up."""
    heard = b""
    while True:
        head, end, body = heard.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if end and len(body) >= (int(length[1]) if length else 0):
            return heard
        more = connection.recv(65536)
        if not more:
            return b""
        heard += more


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of this test's own."""
    made = Server()
    thread = Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    # Closing a listener does not wake whoever waits on it; shutting it down does.
    made.listener.shutdown(socket.SHUT_RDWR)
    made.listener.close()
    thread.join(timeout=PATIENCE)


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def transport() -> Iterator[Callable[[Clock], RequestsTransport]]:
    """Transports whose connections are closed at the end."""
    made: list[RequestsTransport] = []

    def make(clock: Clock) -> RequestsTransport:
        made.append(RequestsTransport(clock=clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


type Make = Callable[[Clock], RequestsTransport]


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("/v2/meetings//ab//c+d==", "/v2/meetings/%252Fab%252F%252Fc%252Bd%253D%253D"),
        ("/v2/meetings/ab/c+d==", "/v2/meetings/ab%2Fc%2Bd%3D%3D"),
        ("/v2/meetings/ab%252Fc%253D%253D", "/v2/meetings/ab%2Fc%3D%3D"),
        ("/v2/users/jchill+a@example.com/meetings", "/v2/users/jchill%2Ba%40example.com/meetings"),
    ],
)
def test_ids_stand_on_the_wire_as_zoom_wants(server: Server, transport: Make, path: str, heard: str) -> None:
    """No library on the way decodes, encodes or tidies them."""
    operation, ids = match("GET", path)
    query = "next_page_token=a%2Bb%3D&x=%zz[1]"
    request = api.build(operation, ids, query_string=query, body=b"", base_url=server.base, token=Secret("t"))
    answer = transport(Clock()).send(request, timeout=PATIENCE)
    assert server.heard[0].startswith(f"GET {heard}?next_page_token=a%2Bb%3D&x=%25zz%5B1%5D HTTP/1.1\r\n".encode())
    assert (answer.status, answer.headers["x-seen"], answer.body) == (200, "Yes", b"{}")


def test_a_body_arrives_byte_for_byte(server: Server, transport: Make) -> None:
    """The body arrives unchanged, with its length."""
    operation, ids = match("POST", "/v2/users/me/meetings")
    body = '{"topic": "\u00fc \U0001f600", "n": 123456789012345678901234567890}'.encode()
    request = api.build(operation, ids, query_string="", body=body, base_url=server.base, token=Secret("t"))
    transport(Clock()).send(request, timeout=PATIENCE)
    head, _, sent = server.heard[0].partition(b"\r\n\r\n")
    assert sent == body
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Content-Type: application/json" in head


def test_one_connection_serves_many_requests(server: Server, transport: Make) -> None:
    """TLS is shaken once for them all."""
    sender = transport(Clock())
    for _ in range(3):
        sender.send(HttpRequest("GET", f"{server.base}/x"), timeout=PATIENCE)
    assert (len(server.heard), server.connections) == (3, 1)


def test_a_connection_that_idled_is_not_trusted(server: Server, transport: Make) -> None:
    """It may be dead without our knowing, after a freeze."""
    clock = Clock()
    sender = transport(clock)
    sender.send(HttpRequest("GET", f"{server.base}/x"), timeout=PATIENCE)
    clock.now += LONGEST_IDLE + 1
    sender.send(HttpRequest("GET", f"{server.base}/x"), timeout=PATIENCE)
    assert server.connections == 2


def test_how_long_a_connection_may_idle_is_the_callers_to_say(server: Server) -> None:
    """Where a lost answer costs more than a handshake, a second is too long."""
    clock = Clock()
    sender = RequestsTransport(longest_idle=1.0, clock=clock)
    for waited, connections in ((0.0, 1), (0.9, 1), (1.1, 2)):
        clock.now += waited
        sender.send(HttpRequest("GET", f"{server.base}/x"), timeout=PATIENCE)
        assert server.connections == connections
    sender.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\n{"])
def test_half_an_answer_is_a_lost_one(server: Server, transport: Make, answer: bytes) -> None:
    """The request has arrived."""
    server.answers = [answer]
    with pytest.raises(AnswerLost):
        transport(Clock()).send(HttpRequest("POST", f"{server.base}/x", {}, b"{}"), timeout=PATIENCE)
    assert len(server.heard) == 1


def test_headers_that_break_off_are_no_answer(server: Server, transport: Make) -> None:
    """What is left of them looks like an empty success."""
    server.answers = [b"HTTP/1.1 201 Created\r\nContent-Le"]
    answer = transport(Clock()).send(HttpRequest("POST", f"{server.base}/x", {}, b"{}"), timeout=PATIENCE)
    assert not api.is_answer(answer)


def test_silence_is_a_lost_answer(server: Server, transport: Make) -> None:
    """No answer within the timeout raises AnswerLost."""
    server.answers = [b"HTTP/1.1 100 Continue\r\n\r\n"]
    with pytest.raises(AnswerLost):
        transport(Clock()).send(HttpRequest("GET", f"{server.base}/x"), timeout=0.2)


def test_where_nobody_listens_nothing_was_sent(transport: Make) -> None:
    """It is safe to send again."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotSent):
        transport(Clock()).send(HttpRequest("POST", f"http://127.0.0.1:{port}/x", {}, b"{}"), timeout=1)


def test_redirects_are_not_followed(server: Server, transport: Make) -> None:
    """A token goes where it was sent and nowhere else."""
    server.answers = [b"HTTP/1.1 302 Found\r\nLocation: /v2/elsewhere\r\nContent-Length: 0\r\n\r\n"]
    assert transport(Clock()).send(HttpRequest("GET", f"{server.base}/x"), timeout=PATIENCE).status == 302
    assert len(server.heard) == 1


def test_a_cookie_is_not_kept(server: Server, transport: Make) -> None:
    """Zoom sets cookies; what one tenant's call brought is not sent along with the next one's."""
    server.answers = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nSet-Cookie: _zm_ssid=one; Path=/\r\n\r\n{}",
        OK,
    ]
    kept = transport(Clock())
    for _ in range(2):
        assert kept.send(HttpRequest("GET", f"{server.base}/x"), timeout=PATIENCE).status == 200
    assert [b"cookie" in heard.lower() for heard in server.heard] == [False, False]


@pytest.mark.parametrize("answer", [DRIPPING_BODY, DRIPPING_LINE, DRIPPING_HEADER])
def test_an_answer_that_drips_in_is_given_up(server: Server, answer: bytes) -> None:
    """Each byte comes in time and the whole never would: the caller's deadline counts, not the server's patience."""
    server.answers = [answer]
    transport = RequestsTransport()
    with pytest.raises(AnswerLost):
        transport.send(HttpRequest("GET", f"{server.base}/users/me", {}, None), timeout=0.5)
    transport.close()
