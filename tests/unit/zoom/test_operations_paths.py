"""Ids on the wire: Zoom wants some encoded once and some twice."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.zoom.operations.table import decoded, encoded, filled


@pytest.mark.parametrize(
    ("identifier", "wire"),
    [
        ("85746065", "85746065"),
        ("me", "me"),
        ("jchill@example.com", "jchill%40example.com"),
        ("ab/cd+ef==", "ab%2Fcd%2Bef%3D%3D"),
        ("/ajXp112QmuoKj4854875==", "%252FajXp112QmuoKj4854875%253D%253D"),
        ("a//b==", "a%252F%252Fb%253D%253D"),
    ],
)
def test_ids_are_encoded_as_zoom_wants(identifier: str, wire: str) -> None:
    """Twice when the id starts with a slash or holds two in a row, else once."""
    assert encoded(identifier) == wire


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_encoding_keeps_every_id(identifier: str) -> None:
    """Decoding as often as it was encoded gives the id back, and the wire holds no separator."""
    wire = encoded(identifier)
    assert not set(wire) & set("/?#& \r\n")
    twice = identifier.startswith("/") or "//" in identifier
    assert unquote(unquote(wire) if twice else wire) == identifier


@given(st.text(alphabet="abcXYZ019+/", min_size=1).map(lambda text: text + "=="))
def test_what_we_send_we_would_understand(uuid: str) -> None:
    """The reader of paths is the writer's inverse, for every UUID."""
    assert decoded(encoded(uuid)) == uuid


def test_a_template_is_filled_with_encoded_ids() -> None:
    """Nothing in an id can change the path around it."""
    template = "/meetings/{meetingId}/registrants/{registrantId}"
    assert (
        filled(template, {"meetingId": "1/2==", "registrantId": "a?b#c"})
        == "/meetings/1%2F2%3D%3D/registrants/a%3Fb%23c"
    )
