"""An operation of the pass-through: any path of Zoom's API without a row, sent and answered unchanged.

Zoom's API is at https://api.zoom.us/v2. Files are uploaded to other hosts, which the catalogue names, and SCIM is at
https://api.zoom.us/scim2 (https://developers.zoom.us/docs/api/scim2/).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, unquote, urlsplit

from zoom_common import __version__
from zoom_common.errors import FieldError, InvalidRequest, NotAllowed, NotFound
from zoom_common.secret import Secret
from zoom_common.zoom import catalogue
from zoom_common.zoom.http import HttpRequest
from zoom_common.zoom.operations.model import Operation, RateLabel, ZoomScopes

PREFIXES = ("/v2/", "/scim2/")

READ, WRITE = "zoom:read", "zoom:write"

# The largest answer that is passed on, in bytes. Lambda's answer may have 6,291,556 bytes, and base64 makes four of
# three. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_ANSWER = 4_500_000

# A path that returns or changes credentials has one of these words in a segment (`rotate_client_secret`), or one of
# these endings, with any characters between its letters (`jointoken`, `private-key`).
_CREDENTIALS = re.compile(r"(token|secret|credential|password|zak|obf|jwt|oauth|sso|s2s|otp)s?")
_ENDINGS = re.compile(r".*(token|secret|credential|password|(private|api|host|access)key|oauth|servertoserver)s?")
_WORDS = re.compile(r"s2s|[A-Z]?[a-z]+|[A-Z]+", re.ASCII)
# The answer of creating an app has its client secret. https://developers.zoom.us/docs/api/marketplace/
_APPS = ["v2", "marketplace", "apps"]

_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# The characters that RFC 3986 allows in a path, and escapes, so that nothing is encoded twice.
# https://www.rfc-editor.org/rfc/rfc3986
_PATH = "/%:@!$&'()*+,;=-._~"
_QUERY = _PATH + "?"
_MOST_DECODING = 5

# Zoom answers some errors in XML unless JSON is asked for (https://github.com/JubaerHossain/zoom-laravel/issues/12).
# Clients without a preference send `*/*`.
_JSON_FIRST = "application/json, */*;q=0.9"
_ANYTHING = "*/*"

# Headers of the caller that describe the body and the wanted answer.
_FROM_CALLER = (
    "content-type",
    "content-encoding",
    "accept",
    "accept-language",
    "range",
    "if-match",
    "if-modified-since",
)


class AnyScopes(ZoomScopes):
    """Scopes from the catalogue, used for a hint only. Zoom decides whether they are needed."""

    @property
    def granular(self) -> tuple[str, ...]:
        """Return both forms, as far as they are known, the user's first."""
        return tuple(each for each in (self.user, self.admin) if each)

    @property
    def administrators_only(self) -> bool:
        """Return whether the catalogue names only the administrators' form."""
        return not self.user and bool(self.admin)

    def allow(self, granted: object) -> bool:  # noqa: ARG002 - the same for every token
        """Return True."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOperation(Operation):
    """One method of one path. `path` is as it is sent, with its `/v2`; labels are learned for all paths of one `shape`.

    `name` is `zoom.<family>.read` or `zoom.<family>.write`, so that metrics have a bounded number of names.
    """

    passed: ClassVar[bool] = True

    family: str
    host: str
    shape: str

    @property
    def pool(self) -> str:
        """The name of the family's own rate limits, or empty."""
        return catalogue.POOLS.get(self.family, "")


def operation(method: str, path: str, *, learned: Mapping[str, RateLabel]) -> PassedOperation:
    """Return the operation of `method` and the raw `path`, which begins with one of PREFIXES.

    Its label is the one in Zoom's answers, else the catalogue's, else Heavy. Raises NotAllowed for a path of
    credentials, InvalidRequest for a text that is not a path, and NotFound for a DELETE without its last id.
    """
    wire = wire_path(path)
    _check(method, wire)
    below = wire.removeprefix("/v2")
    entry = catalogue.find(method, below)
    shape = f"{method} {entry.path if entry is not None else _shape(below)}"
    label = learned.get(shape) or (entry.label if entry is not None else None) or RateLabel.HEAVY
    reads, family = method == "GET", catalogue.family(below)
    return PassedOperation(
        name=f"zoom.{family}.{'read' if reads else 'write'}",
        method=method,
        path=wire,
        summary="",
        function="zoom_api",
        route="",
        success=200,
        label=label,
        scopes=_scopes(entry),
        gateway_scope=READ if reads else WRITE,
        safe_to_retry=reads,
        family=family,
        host=entry.host if entry is not None else "",
        shape=shape,
    )


def wire_path(path: str) -> str:
    """Return the path as it is sent: escapes are kept, and characters that a URL cannot contain are encoded."""
    return quote(_ESCAPE.sub("%25", path), safe=_PATH)


def same_path(path: str, raw: str) -> bool:
    """Return whether two paths mean the same one, however often each is encoded."""
    return _decoded(path) == _decoded(raw)


def _check(method: str, path: str) -> None:
    decoded = unicodedata.normalize("NFKC", _decoded(path))
    words = re.split(r"[/\\;?#]", decoded)
    if not {".", ".."}.isdisjoint(words) or any(ord(each) < ord(" ") for each in decoded):
        raise InvalidRequest([FieldError("path", "Leave out the segments `.` and `..` and control characters.")])
    if any(map(_is_credential, words)) or (method != "GET" and _plain_segments(decoded) == _APPS):
        raise NotAllowed("The pass-through serves no path of credentials.", reason="credentials_not_served")
    if method == "DELETE" and decoded.endswith("/"):
        # With an empty id it would delete the whole list.
        raise NotFound("The path ends with a slash where an id should follow.", reason="not_served_here")


def _plain_segments(path: str) -> list[str]:
    """Return the segments of a decoded path as a lenient server reads them.

    It skips doubled slashes, parameters of a segment, an ending such as `.json`, blanks and what follows a `?`.
    """
    segments = re.split(r"[/\\]+", re.split(r"[?#]", path)[0])
    plain = (re.split(r"[;.]", each)[0].strip().lower() for each in segments)
    return [each for each in plain if each]


def _is_credential(segment: str) -> bool:
    words = [each.lower() for each in _WORDS.findall(segment)]
    return any(map(_CREDENTIALS.fullmatch, [*words, segment.lower()])) or bool(_ENDINGS.fullmatch("".join(words)))


def _decoded(path: str) -> str:
    for _ in range(_MOST_DECODING):
        plain = unquote(path)
        if plain == path:
            return path
        path = plain
    raise InvalidRequest([FieldError("path", "It is encoded too often.")])


def _shape(path: str) -> str:
    """Return a path with a star for each segment that looks like an id."""
    return "/".join("*" if each == "me" or not re.fullmatch(r"[a-z_-]*", each) else each for each in path.split("/"))


def _scopes(entry: catalogue.Entry | None) -> ZoomScopes:
    if entry is None:
        return AnyScopes(None, "", ())
    forms = [each for each in entry.granular if not each.endswith(":master")]
    user = next((each for each in forms if not each.endswith(":admin")), None)
    admin = next((each for each in forms if each.endswith(":admin")), "")
    return AnyScopes(user, admin, entry.classic)


def build(
    asked: PassedOperation,
    *,
    query_string: str,
    headers: Mapping[str, str],
    body: bytes,
    base_url: str,
    token: Secret,
) -> HttpRequest:
    """Return the request for `asked`: path, query, content type and body as the caller wrote them.

    `headers` are the caller's, with names in lower case.
    """
    url = _root(base_url, asked.host) + asked.path
    if query_string:
        url += "?" + quote(_ESCAPE.sub("%25", query_string), safe=_QUERY)
    sent = {
        "Authorization": f"Bearer {token.reveal()}",
        "Accept": _JSON_FIRST,
        "User-Agent": f"integrato-zoom/{__version__}",
        **{name.title(): headers[name] for name in _FROM_CALLER if headers.get(name, _ANYTHING) != _ANYTHING},
    }
    content = body if body or asked.method in {"POST", "PUT", "PATCH"} else None
    return HttpRequest(asked.method, url, sent, content, LARGEST_ANSWER)


def _root(base_url: str, host: str) -> str:
    """Return the origin for a path. Zoom's other hosts get the token only where the base URL is Zoom's own."""
    base = base_url.rstrip("/").removesuffix("/v2")
    if not host:
        return base
    domain = next((each for each in ("zoom.us", "zoomgov.com") if _is_in(base, each)), None)
    return base if domain is None else f"https://{host.removesuffix('.zoom.us')}.{domain}"


def _is_in(base: str, domain: str) -> bool:
    parts = urlsplit(base)
    host = parts.hostname or ""
    return parts.scheme == "https" and (host == domain or host.endswith(f".{domain}"))
