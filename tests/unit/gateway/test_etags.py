"""Entity tags of answers."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import World, answer
from zoom_common.gateway.read_cache import etag, is_known
from zoom_common.gateway.service import Answer

BODY = b'{"id":1,"start_url":"https://zoom.us/s/1?zak=first","topic":"a"}'


def get(world: World, if_none_match: str | None = None) -> Answer:
    """Read a meeting, with what is known of it."""
    headers = {} if if_none_match is None else {"if-none-match": if_none_match}
    return world.call("GET", "/v2/meetings/1", headers=headers)


def test_a_tag_stands_for_the_content() -> None:
    """Whatever the host's link is this time; never across connections."""
    tag = etag("con_1", BODY)
    assert tag.startswith('W/"')
    assert etag("con_1", BODY.replace(b"first", b"second")) == tag
    assert etag("con_1", BODY.replace(b'"a"', b'"b"')) != tag
    assert etag("con_2", BODY) != tag


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ('W/"a"', True),
        ('"a"', True),
        ('"b", W/"a"', True),
        ("*", True),
        ('"b"', False),
        ("", False),
        (None, False),
        ("a", False),
    ],
)
def test_if_none_match_is_a_list(sent: str | None, *, known: bool) -> None:
    """Compared weakly."""
    assert is_known(sent, 'W/"a"') is known


def test_who_has_it_gets_no_body() -> None:
    """304 with the tag, as long as it is the same."""
    world = World.of(answer(200, BODY), answer(200, BODY.replace(b"first", b"later")), answer(200, b'{"id":1}'))
    tag = get(world).headers["etag"]
    known = get(world, tag)
    assert (known.status, known.body, known.headers["etag"]) == (304, b"", tag)
    assert known.headers["cache-control"] == "private, no-cache"
    changed = get(world, tag)
    assert (changed.status, changed.body) == (200, b'{"id":1}')
    assert changed.headers["etag"] != tag
