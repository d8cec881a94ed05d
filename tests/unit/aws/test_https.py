"""The connection, against a peer that speaks bytes over a pair of sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from zoom_common.aws.https import BrokenAnswer, Connection

_PLAIN = "http://127.0.0.1:4566"
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """Answers each request on each connection with the next of its answers; an empty one hangs up."""

    answers: list[bytes]
    connected: list[tuple[bytes, int]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def connect(self, address: tuple[bytes, int], seconds: float) -> socket.socket:
        self.connected.append(address)
        near, far = socket.socketpair()
        near.settimeout(seconds)
        threading.Thread(target=self._serve, args=(far,), daemon=True).start()
        return near

    def _serve(self, far: socket.socket) -> None:
        with far:
            while self.answers and (request := far.recv(65536)):
                self.requests.append(request)
                answer = self.answers.pop(0)
                far.sendall(answer)
                if not answer.endswith(b"\n") and b"\r\n\r\n" not in answer:
                    return


type Talk = Callable[..., tuple[Connection, Peer]]


@pytest.fixture
def talk() -> Iterator[Talk]:
    """Make connections whose peers give these answers; hang up in the end."""
    made: list[Connection] = []

    def make(*answers: bytes) -> tuple[Connection, Peer]:
        peer = Peer(list(answers))
        made.append(Connection(_PLAIN, (), connect=peer.connect))
        return made[-1], peer

    yield make
    for each in made:
        each.close()


def test_a_post_is_written_as_it_was_signed(talk: Talk) -> None:
    """Headers go out as given, with the body's length; the answer's status and bytes come back."""
    connection, peer = talk(_OK)
    answer = connection.post({"host": "h", "x-amz-target": "t"}, b'{"a":1}', 1.0)
    assert answer == (200, {b"content-length": b"2"}, b"{}")
    assert peer.requests == [b'POST / HTTP/1.1\r\nhost: h\r\nx-amz-target: t\r\ncontent-length: 7\r\n\r\n{"a":1}']
    assert peer.connected == [(b"127.0.0.1", 4566)]


def test_a_request_may_be_sent_before_its_answer_is_wanted(talk: Talk) -> None:
    """They are two steps; without the first there is nothing to read."""
    connection, peer = talk(_OK)
    with pytest.raises(BrokenAnswer):
        connection.answer()
    connection.send({"host": "h"}, b"{}", 1.0)
    assert connection.answer() == (200, {b"content-length": b"2"}, b"{}")
    assert len(peer.requests) == 1


def test_an_answer_may_be_given_up_earlier_than_the_next_one() -> None:
    """A shorter wait applies to one answer only."""
    near, far = socket.socketpair()
    connection = Connection(_PLAIN, (), connect=lambda at, seconds: near)  # noqa: ARG005 - the seam's signature
    with far:
        connection.send({}, b"", 60.0)
        with pytest.raises(TimeoutError):
            connection.answer(0.01)
        assert near.gettimeout() == 0.01
        connection.send({}, b"", 60.0)
        assert near.gettimeout() == 60.0
    connection.close()


def test_a_request_may_be_for_a_connection_that_is_there(talk: Talk) -> None:
    """There is none at first, nor once the peer has said that it ends it: then nothing is sent, and nobody waits."""
    connection, peer = talk(_OK, b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", _OK)
    with pytest.raises(ConnectionError):
        connection.send({}, b"", 1.0, connect=False)
    connection.post({}, b"", 1.0)
    connection.send({}, b"", 1.0, connect=False)
    assert connection.answer()[0] == 200
    with pytest.raises(ConnectionError):
        connection.send({}, b"", 1.0, connect=False)
    assert len(peer.connected) == 1


def test_the_connection_is_kept(talk: Talk) -> None:
    """Opening ahead and two requests connect once."""
    connection, peer = talk(_OK, _OK)
    connection.open(1.0)
    assert [connection.post({}, b"", 1.0)[0] for _ in range(2)] == [200, 200]
    assert len(peer.connected) == 1


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad", b"bad"),
        (b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nba\r\n1\r\nd\r\n0\r\n\r\n", b"bad"),
        (b"HTTP/1.1 400\r\ncontent-length: 0\r\n\r\n", b""),
    ],
)
def test_answers_are_read_to_their_end(talk: Talk, answer: bytes, body: bytes) -> None:
    """A length or chunks say where an answer ends, and the next one begins there."""
    connection, peer = talk(answer, _OK)
    assert connection.post({}, b"", 1.0)[::2] == (400, body)
    assert connection.post({}, b"", 1.0)[::2] == (200, b"{}")
    assert len(peer.connected) == 1


def test_a_peer_that_hung_up_is_noticed_before_the_next_request() -> None:
    """A create is never sent into a connection that has ended: the request goes out on a new one."""
    near, far = socket.socketpair()
    peer = Peer([_OK])
    first = [near]
    connection = Connection(_PLAIN, (), connect=lambda at, seconds: first.pop() if first else peer.connect(at, seconds))

    def answer_and_hang_up() -> None:
        with far:
            far.recv(65536)
            far.sendall(_OK)

    answering = threading.Thread(target=answer_and_hang_up)
    answering.start()
    assert connection.post({}, b"", 1.0)[0] == 200
    answering.join()
    assert connection.post({}, b"", 1.0)[0] == 200
    assert len(peer.requests) == 1
    connection.close()


def test_a_peer_that_says_it_closes_is_believed(talk: Talk) -> None:
    """The next request does not find out the hard way."""
    connection, peer = talk(b"HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 2\r\n\r\n{}", _OK)
    assert connection.post({}, b"", 1.0)[::2] == (200, b"{}")
    assert connection.post({}, b"", 1.0)[::2] == (200, b"{}")
    assert len(peer.connected) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_answer_is_an_error_of_the_connection(talk: Talk, answer: bytes) -> None:
    """Hanging up, half an answer and another protocol are all an OSError, which the caller retries."""
    connection, _ = talk(answer)
    with pytest.raises(BrokenAnswer):
        connection.post({}, b"", 1.0)


def test_a_short_body_is_an_error() -> None:
    """Fewer bytes than announced are not an answer."""
    near, far = socket.socketpair()
    far.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}")
    far.shutdown(socket.SHUT_WR)
    connection = Connection(_PLAIN, (), connect=lambda _, __: near)
    with far, pytest.raises(BrokenAnswer):
        connection.post({}, b"", 1.0)
    connection.close()


def test_a_silent_peer_costs_the_time_given() -> None:
    """Nobody waits longer than asked for."""
    near, far = socket.socketpair()
    connection = Connection(_PLAIN, (), connect=lambda _, __: near)
    with far, pytest.raises(TimeoutError):
        connection.post({}, b"", 0.01)
    connection.close()


class Context:
    """Believes, or does not."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.names: list[Any] = []

    def wrap_socket(self, plain: socket.socket, *, server_hostname: Any) -> socket.socket:
        self.names.append(server_hostname)
        if self.error:
            raise self.error
        return plain


def secure(*contexts: Context) -> tuple[Connection, Peer]:
    peer = Peer([_OK])
    made: list[Callable[[], Any]] = [lambda context=each: context for each in contexts]  # type: ignore[misc]
    return Connection("https://sqs.eu-central-1.amazonaws.com", made, connect=peer.connect), peer


def test_tls_checks_the_name_that_was_asked_for() -> None:
    """The certificate has to be the host's; the port is TLS's own."""
    context = Context()
    connection, peer = secure(context)
    connection.open(1.0)
    assert context.names == [b"sqs.eu-central-1.amazonaws.com"]
    assert peer.connected == [(b"sqs.eu-central-1.amazonaws.com", 443)]
    connection.close()


def test_a_certificate_of_another_root_is_looked_up_among_all() -> None:
    """Should Amazon change its roots, a start gets slower and nothing breaks."""
    connection, peer = secure(Context(ssl.SSLCertVerificationError("unknown root")), Context())
    connection.open(1.0)
    assert len(peer.connected) == 2
    connection.close()


def test_a_certificate_nobody_believes_is_refused() -> None:
    """The last word is a refusal, and no plain socket is left behind."""
    connection, _ = secure(*(Context(ssl.SSLCertVerificationError("forged")) for _ in range(2)))
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.open(1.0)
