"""Lets containers reach this machine's loopback, through ports of Docker's bridge address.

`sam local --docker-network host` leaves a container on the bridge (aws-sam-cli 1.170.0), where 127.0.0.1 is its own
loopback.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Sequence

_BUFFER = 65_536


def address() -> str:
    """Return the machine's address on Docker's default bridge."""
    command = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() or "172.17.0.1"


def forward(host: str, ports: Sequence[int]) -> None:
    """Forward connections to `host` to the loopback, port by port, until the program ends."""
    for port in ports:
        listener = socket.create_server((host, port))
        threading.Thread(target=_serve, args=(listener, port), daemon=True).start()


def _serve(listener: socket.socket, port: int) -> None:
    while True:
        inside, _ = listener.accept()
        outside = socket.create_connection(("127.0.0.1", port))
        for here, there in ((inside, outside), (outside, inside)):
            threading.Thread(target=_pump, args=(here, there), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_BUFFER):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
