"""What a load comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load.figures import Load, keep, load_of, page
from benchmarks.load.machine import Meanwhile, Watch

ABOUT = {"plan": "pro", "label": "Light", "window": "fixed", "client": "ours"}
QUIET = Meanwhile(late_p99=0.1, late_p999=0.5, late_worst=1.0, busy=0.4, waiting=0.2)


def figures(calls: list[tuple[float, float, int, int | None]], refused: int) -> Load:
    """Of two seconds, beginning at 10, at five calls a second."""
    return load_of(calls, refused, begin=10.0, seconds=2.0, allowed=5.0, meanwhile=QUIET, **ABOUT)


def test_what_was_served_in_time_is_what_was_used() -> None:
    """Neither the warm-up's calls nor those that ended late, nor those that were refused."""
    ended = (9.9, 10.0, 10.5, 11.9, 12.0)
    calls = [(end - 0.5, end, 200, 1) for end in ended] + [(10.0, 10.1, 429, 1)]
    found = figures([*calls], refused=5)
    assert found.used == pytest.approx(3 / 10)
    assert found.refused == pytest.approx(5 / 10)
    assert found.refused_to_callers == pytest.approx(1 / 6)
    assert found.typical == pytest.approx(0.5)


def test_a_page_has_every_plan_that_was_measured(tmp_path: Path) -> None:
    """A plan that is measured again replaces its figures."""
    about = {"workers": 20, "processes": 4, "cores": 2, "machine": "x86_64", "day": "2030-01-07", "able": 60.0}
    for plan in ("pro", "business", "pro"):
        keep(
            tmp_path,
            {"plan": plan, "label": "Light", "priority": plan == "pro", **about},
            [figures([(10.0, 10.5, 200, 1)], 0)],
        )
    written = page(tmp_path)
    assert written.count("## Pro: 5 light calls a second") == written.count("## Business: ") == 1
    assert "12.0 times the rate" in written
    assert "did not have" in written
    assert "| **the gateway** | 10.0% | 0.00% | 0.00% | 1 |" in written


def test_a_watch_reports_the_time_it_watched() -> None:
    """Not before its end, and not less than nothing."""
    with Watch() as watch:
        pass
    reported = watch.result()
    assert 0 <= reported.busy <= 1
    assert reported.late_p99 <= reported.late_p999
