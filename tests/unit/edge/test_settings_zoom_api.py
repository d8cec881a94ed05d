"""The settings of the functions that serve Zoom's REST API."""

from __future__ import annotations

import pytest

from zoom_common.edge.zoom_api import ZoomApiSettings, budget_rules
from zoom_common.settings import MissingSetting
from zoom_common.zoom.rate_limits import Plan

ENVIRON = {
    "CONNECTIONS_TABLE": "Connections",
    "DATA_KEY_ID": "key-1",
    "TOKEN_REFRESH_FUNCTION": "token_refresh",
    "PUBLIC_BASE_URL": "https://gateway.example/",
    "COORDINATION_TABLE": "Coordination",
}


def test_base_urls_end_without_a_slash_and_zooms_is_the_default() -> None:
    """Paths are appended as they are."""
    settings = ZoomApiSettings.from_env(ENVIRON)
    assert settings.public_base_url == "https://gateway.example"
    assert settings.zoom_api_base_url == "https://api.zoom.us/v2"
    assert settings.connect_page_url == ""
    simulated = ZoomApiSettings.from_env(ENVIRON | {"ZOOM_API_BASE_URL": "http://localhost:3001/v2/"})
    assert simulated.zoom_api_base_url == "http://localhost:3001/v2"


@pytest.mark.parametrize("name", sorted(ENVIRON))
def test_a_missing_setting_is_named(name: str) -> None:
    """Nothing works without these."""
    with pytest.raises(MissingSetting) as missing:
        ZoomApiSettings.from_env({each: value for each, value in ENVIRON.items() if each != name})
    assert missing.value.name == name


def test_the_budget_has_defaults_and_exceptions() -> None:
    """Nine tenths of a Pro account's limits, a tenth of that held back; single accounts have other plans."""
    rules = budget_rules({})
    assert (rules.plan, rules.share, rules.reserve) == (Plan.PRO, 0.9, 0.1)
    reported = budget_rules(
        {"ZOOM_PLAN": "business", "ZOOM_ACCOUNT_PLANS": "a-1=free, b_2=pro", "ZOOM_RATE_SHARE": "1"}
    )
    assert (reported.of("a-1"), reported.of("b_2"), reported.of("c")) == (Plan.FREE, Plan.PRO, Plan.BUSINESS)
    assert reported.share == 1.0
