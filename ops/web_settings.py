"""The settings that the web client reads from `/app/settings.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DEFAULT_CLIENT_ID = "zoom-gateway-web"

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def settings_of(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return the client's settings. None of them is secret.

    `stack` has the names of `.local/stack.json`. Zoom's guide names the two settings that begin with VITE_.
    `simulated_zoom` is present only where Zoom is the simulated one, on this machine.
    """
    zoom = str(stack.get("zoom_url", ""))
    simulated = urlsplit(zoom).hostname in _THIS_MACHINE
    return {
        "api_url": "",
        "oidc": {
            "issuer": stack.get("oidc_issuer", ""),
            "client_id": stack.get("oidc_client_id", DEFAULT_CLIENT_ID),
            "scope": stack.get("oidc_scope", "openid profile"),
            "parameters": dict(parse_qsl(stack.get("oidc_parameters", ""))),
        },
        "VITE_ZOOM_CLIENT_ID": stack.get("zoom_client_id", ""),
        "VITE_ZOOM_OAUTH_URL": stack.get("zoom_authorize_url", ""),
        **({"simulated_zoom": zoom} if simulated else {}),
    }
