"""Page tokens of ours: written, read back, and refused by name."""

from __future__ import annotations

import pytest

from zoom_common.errors import InvalidRequest
from zoom_common.gateway.list_position import Position


@pytest.mark.parametrize("length", range(13))
def test_a_place_of_any_length_is_read_back(length: int) -> None:
    """A token is plain in a query string: without padding, and read with as much as it needs."""
    place = Position(
        token="t" * length,
        number=2,
        first="2030-02-01",
        last="2030-02-28",
        resume="2030-03-01",
        days=("2030-01-01", "2030-03-01"),
    )
    text = place.text()
    assert "=" not in text
    assert Position.parse(text) == place


def test_a_token_of_zooms_stands_for_itself() -> None:
    """The first page of the first month, as Zoom's own clients go on."""
    assert Position.parse("zoom-token") == Position(token="zoom-token")
    assert Position.parse("") == Position()


def test_a_refusal_names_the_parameter() -> None:
    """And says what is wrong with it."""
    with pytest.raises(InvalidRequest) as caught:
        Position.parse("igz1.???")
    assert [(each.field, each.message) for each in caught.value.fields] == [
        ("next_page_token", "The next page token is invalid.")
    ]
