"""Deliveries over real sockets of this machine: pinned addresses, one deadline, and answers that never end."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dev.certificates import self_signed
from zoom_common.events.subscriptions.addresses import Endpoint
from zoom_common.events.subscriptions.target_client import EndpointClient, NoAnswer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nthanks"
type Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve) -> Iterator[int]:
    """One connection on the loopback interface; the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        with accepted, suppress(OSError):
            serve(accepted)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(5)


def request_of(accepted: socket.socket) -> bytes:
    """The whole request."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += accepted.recv(65536)
    head, _, body = found.partition(b"\r\n\r\n")
    length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))[15:])
    while len(body) < length:
        body += accepted.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(answer: bytes, seen: list[bytes] | None = None) -> Serve:
    def serve(accepted: socket.socket) -> None:
        request = request_of(accepted)
        if seen is not None:
            seen.append(request)
        accepted.sendall(answer)

    return serve


def local(port: int) -> Endpoint:
    return Endpoint("localhost", port, "/hook?a=b", tls=False, loopback=True)


def ticking(step: float = 1.0) -> Callable[[], float]:
    """A clock that goes on by itself, so that a deadline is reached without waiting for it."""
    ticks = count()
    return lambda: next(ticks) * step


def test_a_delivery_is_one_post_with_the_name_in_its_header() -> None:
    """Status, headers and body of the answer come back."""
    seen: list[bytes] = []
    with server(answering(OK, seen)) as port:
        answer = EndpointClient().post(local(port), {"webhook-id": "evt_1"}, b"{}")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "6", b"thanks")
    assert seen[0].startswith(b"POST /hook?a=b HTTP/1.1\r\nhost: localhost:%d\r\nwebhook-id: evt_1\r\n" % port)
    assert seen[0].endswith(b"\r\n\r\n{}")


def test_at_most_a_kilobyte_of_an_answer_is_read() -> None:
    """However long it is."""
    long = b"HTTP/1.1 500 No\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 100_000
    with server(answering(long)) as port:
        assert EndpointClient().post(local(port), {}, b"{}").body == b"x" * 1024


def test_a_redirect_is_not_followed() -> None:
    """Its status comes back."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with server(answering(moved)) as port:
        assert EndpointClient().post(local(port), {}, b"{}").status == 302


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nX-A: ", b"", b"HTTP/1.1 2"])
def test_headers_that_drip_end_at_the_deadline(answer: bytes) -> None:
    """Each byte comes in time, and the head never ends: there is no answer."""

    def drip(accepted: socket.socket) -> None:
        request_of(accepted)
        accepted.sendall(answer)
        while True:
            accepted.sendall(b"a")

    with server(drip) as port, pytest.raises(NoAnswer) as failed:
        EndpointClient(clock=ticking()).post(local(port), {}, b"{}")
    assert failed.value.reason in {"timeout", "broken_answer"}


def test_a_body_that_never_ends_does_not_undo_a_success() -> None:
    """The status has said what became of the delivery; the body is read for a moment only."""

    def drip(accepted: socket.socket) -> None:
        request_of(accepted)
        accepted.sendall(b"HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            accepted.sendall(b"1\r\na\r\n")

    with server(drip) as port:
        assert EndpointClient(clock=ticking(0.2)).post(local(port), {}, b"{}").status == 204


def test_an_endpoint_that_reads_nothing_ends_at_the_deadline() -> None:
    """A large event is not sent for ever."""
    done = threading.Event()
    client = EndpointClient(clock=ticking())

    def read_nothing(_: socket.socket) -> None:
        done.wait(30)

    with server(read_nothing) as port:
        with pytest.raises(NoAnswer) as failed:
            client.post(local(port), {}, b"x" * 20_000_000)
        done.set()
    assert failed.value.reason == "timeout"


def test_nobody_listening_is_no_connection() -> None:
    """The port is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(NoAnswer) as failed:
        EndpointClient().post(local(port), {}, b"{}")
    assert failed.value.reason == "connect_failed"


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"\x00\x01\x02\r\n\r\n"])
def test_what_is_no_http_is_a_broken_answer(answer: bytes) -> None:
    """Nothing of it is shown."""
    with server(answering(answer)) as port, pytest.raises(NoAnswer) as failed:
        EndpointClient().post(local(port), {}, b"{}")
    assert failed.value.reason == "broken_answer"


PUBLIC = Endpoint("hooks.example.com", 443, "/")


def never(*_: Any) -> socket.socket:
    raise AssertionError("connected")


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::a00:1"])
def test_a_name_that_leads_inside_is_refused_without_connecting(inside: str) -> None:
    """At every delivery, whatever it led to when the subscription was made."""
    client = EndpointClient(resolve=lambda *_: ["93.184.216.34", inside], connect=never)
    with pytest.raises(NoAnswer) as failed:
        client.post(PUBLIC, {}, b"{}")
    assert failed.value.reason == "refused_address"


def test_a_rebinding_name_is_asked_once_and_the_address_that_was_checked_is_used() -> None:
    """The second answer would lead inside; nobody asks for it."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    connected: list[Any] = []

    def connect(place: tuple[str, int], _: float) -> socket.socket:
        connected.append(place)
        raise OSError

    with pytest.raises(NoAnswer):
        EndpointClient(resolve=lambda *_: next(answers), connect=connect).post(PUBLIC, {}, b"{}")
    assert connected == [("93.184.216.34", 443)]


def test_a_name_that_nobody_knows_is_no_answer() -> None:
    """The word for it is fixed."""

    def unknown(*_: Any) -> list[str]:
        raise socket.gaierror

    with pytest.raises(NoAnswer) as failed:
        EndpointClient(resolve=unknown, connect=never).post(PUBLIC, {}, b"{}")
    assert failed.value.reason == "dns_failed"


def test_an_unverified_certificate_is_refused() -> None:
    """The name has to be the certificate's; a plain answer is no handshake."""
    with server(lambda accepted: accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        client = EndpointClient(
            resolve=lambda *_: ["93.184.216.34"],
            connect=lambda _place, seconds: socket.create_connection(("127.0.0.1", port), seconds),
        )
        with pytest.raises(NoAnswer) as failed:
            client.post(PUBLIC, {}, b"{}")
    assert failed.value.reason == "tls_failed"


def test_the_handshake_asks_for_the_name_and_checks_it() -> None:
    """SNI has the name, though the connection goes to an address."""
    context = ssl.create_default_context()
    assert context.check_hostname
    asked: list[Any] = []

    class Watching(ssl.SSLContext):
        def wrap_socket(self, *_: Any, server_hostname: Any = None, **__: Any) -> Any:
            asked.append(server_hostname)
            raise ssl.SSLError

    with server(lambda _: None) as port:
        client = EndpointClient(
            resolve=lambda *_: ["93.184.216.34"],
            connect=lambda _place, seconds: socket.create_connection(("127.0.0.1", port), seconds),
            context=lambda: Watching(ssl.PROTOCOL_TLS_CLIENT),
        )
        with pytest.raises(NoAnswer):
            client.post(PUBLIC, {}, b"{}")
    assert asked == ["hooks.example.com"]


@pytest.mark.parametrize(("name", "reason"), [("hooks.example.com", None), ("inside.example.com", "tls_failed")])
def test_the_connection_goes_to_the_checked_address_with_the_name_in_tls_and_host(
    tmp_path: Path, name: str, reason: str | None
) -> None:
    """A whole delivery over TLS: one lookup, that address, SNI and `Host` with the name, and a certificate for it."""
    pem = self_signed(name, tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    asked: list[str | None] = []
    serving.sni_callback = lambda _socket, server_name, _context: asked.append(server_name)
    seen: list[bytes] = []
    places: list[Any] = []
    lookups = iter([["93.184.216.34"]])

    def serve(accepted: socket.socket) -> None:
        with suppress(ssl.SSLError), serving.wrap_socket(accepted, server_side=True) as secured:
            seen.append(request_of(secured))
            secured.sendall(OK)

    with server(serve) as port:

        def connect(place: tuple[str, int], seconds: float) -> socket.socket:
            places.append(place)
            return socket.create_connection(("127.0.0.1", port), seconds)

        client = EndpointClient(
            resolve=lambda *_: next(lookups),
            connect=connect,
            context=lambda: ssl.create_default_context(cafile=str(pem)),
        )
        if reason is None:
            assert client.post(PUBLIC, {}, b"{}").status == 200
            assert b"\r\nhost: hooks.example.com\r\n" in seen[0]
        else:
            with pytest.raises(NoAnswer) as failed:
                client.post(PUBLIC, {}, b"{}")
            assert failed.value.reason == reason
            assert seen == []
    assert places == [("93.184.216.34", 443)]
    assert asked == ["hooks.example.com"]


def test_an_alias_of_a_name_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is where a lookup ends, whatever names it passes: one of several answers is private."""
    answers = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "ip-10-0-0-1.internal", (each, 443))
        for each in ("93.184.216.34", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(NoAnswer) as failed:
        EndpointClient(connect=never).post(PUBLIC, {}, b"{}")
    assert failed.value.reason == "refused_address"
