"""TLS to Zoom: shaken once for as many calls as a container makes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

from dev.certificates import self_signed
from zoom_common.transport import RequestsTransport
from zoom_common.zoom.http import HttpRequest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(slots=True)
class TlsServer:
    """Answers every request alike, and counts handshakes."""

    context: ssl.SSLContext
    handshakes: int = 0
    requests: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}/v2"

    def serve(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with self.context.wrap_socket(plain, server_side=True) as connection:
                self.handshakes += 1
                while connection.recv(65_536):
                    self.requests += 1
                    connection.sendall(ANSWER)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for the loopback and its key, in one file."""
    return self_signed("127.0.0.1", tmp_path)


@pytest.fixture
def server(certificate: Path) -> Iterator[TlsServer]:
    """A server until the end of the test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    started = TlsServer(context)
    thread = Thread(target=started.serve, daemon=True)
    thread.start()
    yield started
    started.listener.shutdown(socket.SHUT_RDWR)
    started.listener.close()
    thread.join(5)


def test_a_container_shakes_hands_once(server: TlsServer, certificate: Path) -> None:
    """Twenty calls, one handshake."""
    transport = RequestsTransport(bundle=str(certificate))
    with closing(transport):
        for number in range(20):
            answer = transport.send(HttpRequest("GET", f"{server.base}/meetings/{number}"), timeout=5.0)
            assert (answer.status, answer.body) == (200, b"{}")
    assert (server.requests, server.handshakes) == (20, 1)
