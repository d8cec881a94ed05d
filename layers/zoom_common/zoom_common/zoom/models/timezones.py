"""Which names can be time zones.

Zoom takes the names of the IANA database and prints a list of its own that lags behind it. A copy of either would one
day refuse a zone that Zoom knows, so only the part of a name that does not change is checked: its area.

https://developers.zoom.us/docs/api/references/abbreviations/#timezones
"""

from __future__ import annotations

import re

_PLACE = r"[A-Za-z0-9_+-]+"
_ZONE = re.compile(
    rf"""
    (Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific
    |SystemV|US) / {_PLACE} (/{_PLACE})?
    # The names without an area: IANA's, and the short ones that Java knows beside them.
    |ACT|AET|AGT|ART|AST|BET|BST|CAT|CET|CNT|CST|CST6CDT|CTT|Cuba|EAT|ECT|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT0
    |Greenwich|HST|Hongkong|IET|IST|Iceland|Iran|Israel|JST|Jamaica|Japan|Kwajalein|Libya|MET|MIT|MST|MST7MDT|NET|NST|NZ
    |NZ-CHAT|Navajo|PLT|PNT|PRC|PRT|PST|PST8PDT|Poland|Portugal|ROC|ROK|SST|Singapore|Turkey|UCT|UTC|Universal|VST|W-SU
    |WET|Zulu
    |(GMT|UTC|UT)[+-]\d\d?(:?\d\d)?
    """,
    re.VERBOSE | re.IGNORECASE,  # a name in another case is not beyond doubt
)


def is_time_zone(name: str) -> bool:
    """Whether `name` can be a time zone: an area and a place in it, a known name without an area, or an offset."""
    return _ZONE.fullmatch(name) is not None
