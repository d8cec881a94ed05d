"""A simulated Zoom for each test, and no network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

from zoom_simulator.testing import Zoom


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every socket but Unix ones, which event loops need."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def zoom() -> Zoom:
    """A Zoom to which Jill has connected her account."""
    found = Zoom()
    found.connect()
    return found
