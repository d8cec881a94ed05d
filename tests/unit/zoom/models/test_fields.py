"""Single values: times, days, numbers and flags as clients of many languages write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from zoom_common.zoom.models import fields


@pytest.mark.parametrize(
    "text",
    [
        "2022-03-25T07:32:55Z",
        "2022-03-25T07:32:55",
        "2022-03-25T07:32:55.000Z",
        "2022-03-25T07:32:55.123456789Z",
        "2022-03-25T07:32:55+02:00",
        "2022-03-25t07:32:55z",
        "2022-03-25 07:32",
        "2022-03-25",
        "2016-12-31T23:59:60Z",
        "1/7/2030",
        "2030/1/7 10:00:00",
        "2022-03-25 07:32:55 +0000",
        "2022-03-25T07:32:55-05",
        "2022-03-25 7:32 AM",
        "2019-06-14T10: 21: 57",
        "20220325T073255Z",
        "2022-03-25T24:00:00Z",
        "",
    ],
)
def test_times_in_any_iso_form_pass(text: str) -> None:
    """Absolute and local ones, as long as they exist."""
    assert fields.moment(text) == text


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (fields.moment, "25.03.2022"),
        (fields.moment, "2022-13-01T00:00:00Z"),
        (fields.moment, "2022-03-25T25:00:00Z"),
        (fields.moment, "2022-03-25T07:32:55Z tomorrow"),
        (fields.moment, "\u0662\u0660\u0662\u0662-03-25"),
        (fields.whole, "1e3"),
        (fields.whole, True),
        (fields.whole, [1]),
        (fields.whole, float("inf")),
        (fields.whole, float("nan")),
        (fields.flag, 0.5),
        (fields.flag, "yes"),
        (fields.flag, {}),
        (fields.weekdays, "1,,2"),
        (fields.weekdays, "8"),
        (fields.weekdays, True),
        (fields.weekdays, ["1"]),
        (fields.e_mail, "nobody"),
        (fields.e_mail, "@"),
        (fields.time_zone, "Somewhere/Else"),
    ],
)
def test_what_is_beyond_doubt_is_refused(check: Callable[[Any], Any], value: Any) -> None:
    """Whatever type it comes in."""
    with pytest.raises(PydanticCustomError):
        check(value)


@pytest.mark.parametrize(
    ("check", "value", "read"),
    [
        (fields.whole, "60", 60),
        (fields.whole, 60.0, 60),
        (fields.whole, None, None),
        (fields.whole, False, None),
        (fields.flag, "False", False),
        (fields.flag, 1, True),
        (fields.flag, None, None),
        (fields.weekdays, "1, 3", "1, 3"),
        (fields.weekdays, 2, "2"),
        (fields.whole, "60.0", 60),
        (fields.flag, 2, True),
        (fields.flag, "0", False),
        (fields.text, 123456, "123456"),
        (fields.text, True, "true"),
        (fields.text, "abc", "abc"),
        (fields.e_mail, "jchill@example.com", "jchill@example.com"),
    ],
)
def test_other_spellings_are_read(check: Callable[[Any], Any], value: Any, read: Any) -> None:
    """Return the value that clients of other languages mean."""
    assert check(value) == read
