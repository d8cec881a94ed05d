"""The switches."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_simulator.behaviour import Behaviour


@pytest.mark.parametrize(
    "values",
    [
        {"old_refresh_token_grace_seconds": -1},
        {"retry_scale": float("nan")},
        {"processing_seconds": float("inf")},
        {"retry_minutes": [5, -20]},
        {"user_daily_limit": -1},
        {"limit_window": "round"},
        {"no_such_switch": 1},
        {"enforce_limits": 1},
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any]) -> None:
    """And nothing is changed."""
    behaviour = Behaviour()
    with pytest.raises(ValueError, match=next(iter(values))):
        behaviour.change(values)
    assert behaviour == Behaviour()


def test_values_come_as_text_too() -> None:
    """Texts from a form or a command line are converted to the switch's type."""
    behaviour = Behaviour()
    behaviour.change_text({"retry_minutes": "1,2", "twin_recordings": "on", "user_daily_limit": "3"})
    assert (behaviour.retry_minutes, behaviour.twin_recordings, behaviour.user_daily_limit) == ((1, 2), True, 3)
    behaviour.change_text({"twin_recordings": "off"})
    assert behaviour.twin_recordings is False


@pytest.mark.parametrize(("name", "text"), [("twin_recordings", "maybe"), ("user_daily_limit", "many")])
def test_text_that_is_no_value_is_refused(name: str, text: str) -> None:
    """By the switch's name, instead of being taken for something else."""
    with pytest.raises(ValueError, match=name):
        Behaviour().change_text({name: text})
