"""Where a person's browser may be sent back to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LONGEST = 2000

type Origin = tuple[str, str, int]


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of an absolute http(s) URL; None for anything a browser might read in another way."""
    if len(url) > _LONGEST or not url.isascii() or "\\" in url or any(each <= " " or each == "\x7f" for each in url):
        return None
    try:
        parts = urlsplit(url)
        return _origin(parts, parts.port)
    except ValueError:
        return None


def _origin(parts: SplitResult, port: int | None) -> Origin | None:
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc or parts.fragment:
        return None
    return parts.scheme, parts.hostname.lower(), _DEFAULT_PORTS[parts.scheme] if port is None else port


def allowed(url: str, origins: Iterable[str]) -> bool:
    """Whether `url` has exactly the scheme, host and port of one of `origins`."""
    origin = origin_of(url)
    return origin is not None and origin in {origin_of(each) for each in origins}


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """`url` with `fields` added to its query."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"
