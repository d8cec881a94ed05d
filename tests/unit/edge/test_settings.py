"""Reading the environment."""

from __future__ import annotations

import pytest

from tests.fakes.handlers import load
from zoom_common import __version__
from zoom_common.settings import MissingSetting, optional, require


@pytest.mark.parametrize("environ", [{}, {"CONNECTIONS_TABLE": ""}, {"CONNECTIONS_TABLE": "  "}])
def test_a_missing_setting_is_named(environ: dict[str, str]) -> None:
    """Absent and blank are the same, and the error says which variable."""
    with pytest.raises(MissingSetting, match="CONNECTIONS_TABLE") as raised:
        load("authorizer").AuthorizerSettings.from_env(environ)
    assert raised.value.name == "CONNECTIONS_TABLE"


def test_values_are_trimmed() -> None:
    """A line end pasted into a parameter does no harm."""
    assert require({"A": " a\n"}, "A") == "a"
    assert optional({"A": " a\n"}, "A") == "a"
    assert optional({"A": " "}, "A", "default") == "default"


def test_health_needs_nothing() -> None:
    """The health function answers in an empty environment."""
    settings = load("health").HealthSettings
    assert settings.from_env({}) == settings(stage="local", version=__version__)
