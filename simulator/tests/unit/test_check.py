"""Request bodies against what Zoom documents."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_simulator.check import Field, check, is_time, is_timezone, moment
from zoom_simulator.errors import ZoomError

FIELDS = {
    "name": Field("string", required=True, longest=5),
    "count": Field("integer", lowest=1, highest=9),
    "kind": Field("integer", allowed=(1, 2)),
    "mail": Field("email"),
    "when": Field("time"),
    "zone": Field("timezone"),
    "on": Field("boolean"),
    "many": Field("array"),
}


def test_a_good_body_passes() -> None:
    """Unknown fields are let through."""
    body = {"name": "abc", "count": 3, "kind": 2, "mail": "a@b.example", "when": "2026-11-24T10:00:00", "zone": "UTC"}
    check({**body, "on": True, "other": 1}, FIELDS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None), ("name", []), ("name", "abcdef"), ("count", -1), ("count", 10), ("count", True), ("kind", 3),
        ("mail", "nobody"), ("when", "tomorrow"), ("zone", "Mars/Olympus"), ("on", "yes"),
    ],
)  # fmt: skip
def test_every_fault_names_its_field(field: str, value: Any) -> None:
    """400, 300, and the field in `errors`."""
    with pytest.raises(ZoomError) as refusal:
        check({"name": "abc", field: value}, FIELDS)
    assert (refusal.value.status, refusal.value.code) == (400, 300)
    assert [each["field"] for each in refusal.value.errors or []] == [field]


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("name", 1, "1"), ("name", True, "true"), ("count", "7", 7), ("count", 7.0, 7), ("on", "True", True),
        ("on", 0, False), ("count", 4.5, 4), ("count", "4.0", 4), ("when", "2026-1-7T9:05:00 ", "2026-01-07T09:05:00"),
        ("when", "2026-01-07t10: 21: 57z", "2026-01-07T10:21:57Z"), ("many", "US", ["US"]),
    ],
)  # fmt: skip
def test_scalars_of_another_type_are_converted(field: str, value: Any, read: Any) -> None:
    """In place, so that handlers see what Zoom sees."""
    body = {"name": "abc", field: value}
    check(body, FIELDS)
    assert body[field] == read


@pytest.mark.parametrize("value", ["", None, [], 0, "0", False])
def test_what_means_not_set_is_dropped(value: Any) -> None:
    """0 where an enumeration or a count has none."""
    body = {"name": "abc", "count": value, "kind": value, "many": {}}
    check(body, FIELDS)
    assert body == {"name": "abc"}


def test_times_with_and_without_zone() -> None:
    """With Z it is UTC; without, it is local to the time zone."""
    assert moment("2026-07-01T10:00:00Z", "Europe/Berlin") - moment("2026-07-01T10:00:00", "Europe/Berlin") == 7200
    assert is_time("2026-07-01T10:00:00Z")
    assert is_timezone("America/Los_Angeles")
    assert not is_timezone("")
