"""How all tests are run: without a limit on the time of a property's example, and two at a time.

Property tests judge what code does, not how busy the machine is.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Rooms whose tests share something that takes long to make, and that the next test finds as the last one left it.
_SHARING = ("tests/e2e/", "tests/counts/")


class _ByRoom(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Keeps the tests of a sharing room in one process and in order; every other test goes where there is time."""

    def _split_scope(self, nodeid: str) -> str:
        return next((room for room in _SHARING if nodeid.startswith(room)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByRoom:
    """Ours instead of `--dist loadgroup`: with pytest 9.2 the marks of xdist 3.8 group nothing, and say nothing.

    https://pytest-xdist.readthedocs.io/en/stable/distribution.html
    """
    return _ByRoom(config, log)
