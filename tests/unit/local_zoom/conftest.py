"""A simulated Zoom for each test."""

from __future__ import annotations

import pytest

from tests.fakes.local_zoom import Zoom


@pytest.fixture
def zoom() -> Zoom:
    """A Zoom to which Jill has connected her account."""
    found = Zoom()
    found.connect()
    return found
