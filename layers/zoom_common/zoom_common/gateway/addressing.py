"""Whom and where a call addresses: `me`, and the host that holds the connected user's data.

https://developers.zoom.us/docs/api/using-zoom-apis/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from zoom_common.connections.model import Connection, Kind
from zoom_common.errors import FieldError, InvalidRequest

ME = "me"
_ZOOM_HOSTS = ("zoom.us", "zoomgov.com")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def addressed(connection: Connection, ids: Mapping[str, str]) -> Mapping[str, str]:
    """The ids of a path as Zoom wants them from this connection.

    A user-level token speaks of its own user as `me`, so the user's own id becomes that; other users' ids stay, and
    Zoom decides. An account-level token belongs to no user: `me` raises InvalidRequest.
    """
    user = ids.get("userId")
    if connection.kind is Kind.ACCOUNT and user == ME:
        fault = "An account-level connection has no `me`: name the user by id or e-mail address."
        raise InvalidRequest([FieldError("userId", fault)])
    if connection.kind is Kind.USER and user is not None and user == connection.zoom_user_id:
        return {**ids, "userId": ME}
    return ids


def base_url(api_url: str | None, configured: str) -> str:
    """Where to send a connection's calls: to the `api_url` that Zoom gave with its token, if that host is Zoom's.

    A token goes to no host on a stranger's word: everything else goes to `configured`, and so does everything when that
    is not Zoom's (a simulation, a proxy). `api_url` comes without the `/v2` that `configured` ends in.
    """
    theirs, ours = _parts(api_url), _parts(configured)
    if theirs is None or ours is None or not (_is_zoom(theirs) and _is_zoom(ours)):
        return configured
    return f"https://{theirs.netloc.lower()}/v2"


def _parts(url: str | None) -> SplitResult | None:
    """The URL, taken apart, if it is nothing but scheme, host, port and perhaps the API's version."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    # Rebuilt from what was checked: user info, backslashes and the like name another host to some reader.
    whole = host if port is None else f"{host}:{port}"
    plain = _HOST.fullmatch(host) and parts.netloc.lower() == whole and not parts.query and not parts.fragment
    return parts if plain and parts.path.rstrip("/") in {"", "/v2"} else None


def _is_zoom(parts: SplitResult) -> bool:
    host = (parts.hostname or "").lower()
    known = any(host == zoom or host.endswith(f".{zoom}") for zoom in _ZOOM_HOSTS)
    return known and parts.scheme == "https" and parts.port in {None, 443}
