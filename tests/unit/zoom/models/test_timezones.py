"""Names of time zones."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from zoom_common.zoom.models.fields import is_time_zone

# The database's own leftovers, which name no zone.
_NO_ZONES = {"Factory", "localtime", "posixrules", "leapseconds"}


def test_every_zone_of_the_iana_database_passes() -> None:
    """Nobody's home is refused."""
    assert [name for name in available_timezones() - _NO_ZONES if not is_time_zone(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "SST",
        "PDT",
        "(GMT+7:00) Bangkok",
        "Pacific Standard Time",
        "Eastern Time (US & Canada)",
        "GMT+8",
        "UTC+05:30",
        "America/Some_New_City",
        "America/Indiana/Petersburg",
        "utc",
    ],
)
def test_names_beyond_the_database_pass(name: str) -> None:
    """Java's short names, offsets, and cities of a later edition."""
    assert is_time_zone(name)


@pytest.mark.parametrize("name", ["Mars/Phobos", "Nowhere", "America/", "America/New York", "America/a/b/c", "+02:00"])
def test_what_can_be_no_zone_is_refused(name: str) -> None:
    """An area that does not exist, a place that is missing, words."""
    assert not is_time_zone(name)
