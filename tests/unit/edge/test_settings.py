"""Reading the environment."""

from __future__ import annotations

import pytest

from zoom_common import __version__
from zoom_common.edge.settings import MissingSetting, optional, require
from zoom_common.edge.settings.authorizer import AuthorizerSettings
from zoom_common.edge.settings.health import HealthSettings


@pytest.mark.parametrize("environ", [{}, {"CONNECTIONS_TABLE": ""}, {"CONNECTIONS_TABLE": "  "}])
def test_a_missing_setting_is_named(environ: dict[str, str]) -> None:
    """Absent and blank are the same, and the error says which variable."""
    with pytest.raises(MissingSetting, match="CONNECTIONS_TABLE") as raised:
        AuthorizerSettings.from_env(environ)
    assert raised.value.name == "CONNECTIONS_TABLE"


def test_values_are_trimmed() -> None:
    """A line end pasted into a parameter does no harm."""
    assert require({"A": " a\n"}, "A") == "a"
    assert optional({"A": " a\n"}, "A") == "a"
    assert optional({"A": " "}, "A", "default") == "default"


def test_health_needs_nothing() -> None:
    """The health function answers in an empty environment."""
    assert HealthSettings.from_env({}) == HealthSettings(stage="local", version=__version__)
