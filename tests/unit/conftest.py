"""Unit tests know no network: whatever opens a socket fails, by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every socket but Unix ones (event loops need those) while a unit test runs."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
