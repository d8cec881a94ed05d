"""How all tests are run: without a limit on the time of a property's example, the long ones apart.

Property tests judge what code does, not how busy the machine is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.fakes.soak import SOAKING, times

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("default"), max_examples=times(100))
settings.load_profile("soak" if SOAKING else "default")

_FAILED_BEFORE = pytest.StashKey[frozenset[str]]()

# Rooms whose tests share something that takes long to make, and that the next test finds as the last one left it. The
# first that a test lies in counts: background work has a gateway of its own, because it mostly waits.
_SHARING = ("tests/e2e/background/", "tests/e2e/test_start.py", "tests/e2e/", "tests/counts/")


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make soak` runs."""
    left_out = [item for item in items if item.get_closest_marker("soak") and not SOAKING]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_configure(config: pytest.Config) -> None:
    """Remember what a run with `--last-failed` repeats; the cache is another one when it is over."""
    repeated = config.getoption("lf", default=False) and config.cache is not None
    failed = config.cache.get("cache/lastfailed", {}) if repeated and config.cache else {}
    config.stash[_FAILED_BEFORE] = frozenset(failed)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    """Name what failed at first and passed when repeated, right above pytest's last line.

    SECOND_TRIES has the names, one a line, of other tests that were repeated before.
    """
    yield
    passed = {report.nodeid for report in terminalreporter.stats.get("passed", [])}
    failed_before = config.stash[_FAILED_BEFORE]
    names = os.environ.get("SECOND_TRIES", "").splitlines() + sorted(passed & failed_before)
    if names:
        terminalreporter.write_sep("=", "passed only at the second try", yellow=True)
        for name in names:
            terminalreporter.write_line(name)
