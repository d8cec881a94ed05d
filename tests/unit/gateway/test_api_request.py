"""What is asked of Zoom, as a value."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import Time, principal
from zoom_common.gateway.context import ApiRequest


@pytest.mark.parametrize(
    ("target", "path", "query_string"),
    [
        ("/v2/meetings/1", "/v2/meetings/1", ""),
        ("/v2/users/me/meetings?type=live&page_size=300", "/v2/users/me/meetings", "type=live&page_size=300"),
        ("/v2/users/me/token?next=a?b", "/v2/users/me/token", "next=a?b"),
    ],
)
def test_a_read_is_told_by_its_target(target: str, path: str, query_string: str) -> None:
    """The first question mark ends the path; nothing is decoded on the way."""
    asked = ApiRequest.read(target, principal(), Time().deadline())
    assert (asked.method, asked.path, asked.query_string) == ("GET", path, query_string)
    assert (asked.headers, asked.body) == ({}, b"")


def test_it_shows_nobodys_data() -> None:
    """A path has e-mail addresses, a body has names, headers have keys."""
    asked = ApiRequest(
        principal=principal(),
        method="POST",
        path="/v2/users/jill@zoom.example/meetings",
        query_string="email=jill@zoom.example",
        headers={"idempotency-key": "jill"},
        body=b'{"topic":"jill"}',
        deadline=Time().deadline(),
    )
    assert "jill" not in repr(asked)
