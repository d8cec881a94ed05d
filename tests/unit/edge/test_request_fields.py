"""Ids, numbers, days, moments and page tokens, as requests to our own routes carry them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.access.principal import CONNECTION_ID
from zoom_common.connections.model import connection_id as new_connection_id
from zoom_common.edge import request_fields
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.errors import InvalidRequest, NotFound

TODAY = date(2026, 11, 30)
ACME = PageTokens("connections", "acme", CONNECTION_ID)
HEX = "0123456789abcdef" * 2


def named(fields: Fields) -> list[str]:
    """The fields that `check` refuses."""
    with pytest.raises(InvalidRequest) as refused:
        fields.check()
    return [each.field for each in refused.value.fields]


@pytest.mark.parametrize(
    ("check", "known"),
    [
        (request_fields.connection_id, "con_01kdsample0000000000000000"),
        (request_fields.erasure_id, f"era_{HEX}"),
        (request_fields.event_id, f"evt_{HEX}"),
    ],
)
@pytest.mark.parametrize("damage", ["", "x", "{}\n", "{}#", "{}\0", "\uff11{}", "{}" + "a" * 2000, "{}\ud800"])
def test_an_id_that_cannot_exist_is_unknown(check: Callable[[str], str], known: str, damage: str) -> None:
    """By its length or its alphabet; one that can exist passes as it is."""
    assert check(known) == known
    with pytest.raises(NotFound):
        check(damage.format(known))


@given(now=st.floats(0, 1e11), bits=st.integers(0, 2**80 - 1))
def test_every_connection_id_of_ours_can_exist(now: float, bits: int) -> None:
    """Whatever the time and the random bits it is made of."""
    made = new_connection_id(now, bits)
    assert request_fields.connection_id(made) == made


@pytest.mark.parametrize("value", ["", " ", "con_", "con_1,con_2", "con_" + "a" * 2000, "me"])
def test_the_connection_header_names_one_connection(value: str) -> None:
    """Anything else is the caller's fault, an empty value included; without the header there is no choice."""
    assert request_fields.connection_header({}) is None
    assert request_fields.connection_header({"x-zoom-connection": "con_1"}) == "con_1"
    with pytest.raises(InvalidRequest) as refused:
        request_fields.connection_header({"x-zoom-connection": value})
    assert [each.field for each in refused.value.fields] == ["X-Zoom-Connection"]


@pytest.mark.parametrize(("text", "number"), [(None, 30), ("", 30), ("1", 1), ("300", 300), ("0030", 30)])
def test_a_page_size_is_a_number_from_1_to_300(text: str | None, number: int) -> None:
    """An absent one is 30."""
    fields = Fields({} if text is None else {"page_size": text})
    assert fields.page_size() == number
    fields.check()


@pytest.mark.parametrize(
    "text", ["0", "301", "-1", "+1", "1_0", " 1", "1.0", "x", "\u0661", "\u00b2", "9" * 5000, "0" * 5000]
)
def test_a_page_size_that_is_no_such_number_is_named(text: str) -> None:
    """Signs, marks and digits of other scripts are refused, at any length."""
    fields = Fields({"page_size": text})
    fields.page_size()
    assert named(fields) == ["page_size"]


@pytest.mark.parametrize("text", ["1970-01-01", "2026-11-30", "9998-12-31"])
def test_days_are_iso_days(text: str) -> None:
    """An absent or empty one is the default."""
    assert Fields({"to": text}).day("to", TODAY).isoformat() == text
    assert Fields({"to": ""}).day("to", TODAY) == Fields({}).day("to", TODAY) == TODAY


@pytest.mark.parametrize(
    "text",
    ["0001-01-01", "1969-12-31", "9999-01-01", "10000-01-01", "2026-02-30", "20261130", "2026-W01-1", "9" * 5000],
)
def test_a_day_that_is_none_is_named(text: str) -> None:
    """Days at the ends of the calendar included, from which no month can be added or taken away."""
    fields = Fields({"to": text})
    assert fields.day("to", TODAY) == TODAY
    assert named(fields) == ["to"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-21T14:13:20Z", 1_790_000_000_000),
        ("2026-09-21T14:13:20", 1_790_000_000_000),
        ("2026-09-21T16:13:20 02:00", 1_790_000_000_000),
        ("2026-09-21", 1_789_948_800_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
    ],
)
def test_moments_are_iso_moments(text: str, moment: int) -> None:
    """In UTC when they name no zone; a plus sign may have arrived as a space."""
    fields = Fields({"from": text})
    assert fields.moment_ms("from") == moment
    fields.check()


@pytest.mark.parametrize(
    "text",
    ["yesterday", "99999-01-01", "2026-13-01", "1e400", "nan", "1790000000", "9" * 5000, "2026-01-01T00:00:00+99:99"],
)
def test_a_moment_that_is_none_is_named(text: str) -> None:
    """An invalid time is named as an error, whatever its length."""
    fields = Fields({"from": text})
    assert fields.moment_ms("from") is None
    assert named(fields) == ["from"]


@given(st.text(), st.text())
def test_no_text_breaks_a_reader(text: str, place: str) -> None:
    """Every reader takes any text: it reads it or names it."""
    fields = Fields(dict.fromkeys(["page_size", "day", "moment", "next_page_token", "word"], text))
    fields.page_size()
    fields.day("day", TODAY)
    fields.moment_ms("moment")
    fields.after(PageTokens("events", place.encode(errors="replace").decode(), CONNECTION_ID))
    fields.matching("word", re.compile("[a-z]+"))
    if text:
        assert "next_page_token" in named(fields)


@given(st.from_regex(CONNECTION_ID, fullmatch=True))
def test_a_token_goes_on_after_its_place(place: str) -> None:
    """And shows nothing that a URL would have to encode."""
    token = ACME.encode(place)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert ACME.decode(token) == place
    assert Fields({"next_page_token": token}).after(ACME) == place


def test_the_end_of_a_list_has_no_token() -> None:
    """An empty token asks for the first page again."""
    fields = Fields({"next_page_token": ""})
    assert ACME.encode(None) == ""
    assert fields.after(ACME) is None
    fields.check()


def test_a_token_keeps_its_bytes_over_releases() -> None:
    """A caller may hold one while the gateway is deployed."""
    assert ACME.encode("con_1") == "Lf1eFd4KVjc-Y29uXzE"


@pytest.mark.parametrize(
    "other", [PageTokens("webhooks", "acme", CONNECTION_ID), PageTokens("connections", "globex", CONNECTION_ID)]
)
def test_a_token_belongs_to_one_list_of_one_tenant(other: PageTokens) -> None:
    """Another list's or another tenant's is refused."""
    fields = Fields({"next_page_token": other.encode("con_1")})
    assert fields.after(ACME) is None
    assert named(fields) == ["next_page_token"]


@pytest.mark.parametrize("damage", ["YWJj", "Y29uXzE", "%%", "=", "\ud800", "{}=", "{}A", " {}", "{}\n", "a" * 5000])
def test_a_damaged_token_is_refused(damage: str) -> None:
    """One of an earlier release as well: its caller starts again."""
    assert ACME.decode(damage.format(ACME.encode("con_1"))) is None
    assert ACME.decode(PageTokens("connections", "acme", re.compile("(?s).*")).encode("abc")) is None
