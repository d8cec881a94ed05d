"""Where a browser may be sent back to."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from zoom_common.connections.linking import allowed, with_query

ORIGINS = ["https://app.example", "http://localhost:5000"]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example",
        "https://app.example/done?a=b",
        "https://APP.example:443/",
        "http://localhost:5000/x",
    ],
)
def test_the_same_origin(url: str) -> None:
    """However the default port and the host are written."""
    assert allowed(url, ORIGINS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/done",
        "//app.example/",
        "http://app.example/",
        "https://app.example:8443/",
        "https://app.example.evil.test/",
        "https://evil.test/app.example",
        "https://evilapp.example/",
        "https://app.example@evil.test/",
        "https://user@app.example/",
        "https://evil.test\\@app.example/",
        "https://app.example\\.evil.test/",
        "https://app.example/\r\nSet-Cookie: a=b",
        " https://app.example/",
        "https://app.example/#fragment",
        "https://\u0430pp.example/",
        "https://app.example:x/",
        "https://[::1",
        "javascript://app.example/%0aalert(1)",
        "http://localhost/",
        "http://localhost:50001/",
        "https://app.example/" + "a" * 2000,
    ],
)
def test_look_alikes(url: str) -> None:
    """Anything that a browser could read in another way is another origin."""
    assert not allowed(url, ORIGINS)


def test_an_unreadable_entry_allows_nothing() -> None:
    """An unreadable entry allows nothing, not even a URL equal to it."""
    assert not allowed("app.example", ["app.example", "*", ""])


@pytest.mark.parametrize("url", ["https://a.b", "https://a.b/c", "https://a.b/c?d=e"])
def test_fields_are_added(url: str) -> None:
    """What was there stays."""
    query = parse_qs(urlsplit(with_query(url, {"code": "a&b"})).query)
    assert query["code"] == ["a&b"]
    assert query.get("d", ["e"]) == ["e"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example", "https://app.example?code=c"),
        ("https://app.example/done", "https://app.example/done?code=c"),
        ("https://app.example/done?", "https://app.example/done?code=c"),
        ("https://app.example/done?a=b", "https://app.example/done?a=b&code=c"),
        ("https://app.example/done?a=b&", "https://app.example/done?a=b&code=c"),
        ("https://app.example/done#", "https://app.example/done?code=c"),
        ("https://app.example/done?#", "https://app.example/done?code=c"),
        ("https://app.example/done?a=b#", "https://app.example/done?a=b&code=c"),
    ],
)
def test_a_return_url_keeps_its_code(url: str, expected: str) -> None:
    """Also where it ends in `?`, `&` or `#`: what stands behind a `#` is not sent to the server."""
    assert allowed(url, ORIGINS)
    assert with_query(url, {"code": "c"}) == expected
