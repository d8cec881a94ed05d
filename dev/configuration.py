"""The configuration of a local run: from `.env`, the environment and the folder of the run."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from dotenv import dotenv_values

from dev.workspace import Workspace
from ops.console import Stop
from ops.project import PARAMETERS, ROOT

# What the template says where nothing is set: an empty override would take its place.
USUAL = {
    "OIDC_AUDIENCE": "zoom-gateway",
    "OIDC_TENANT_CLAIM": "tenant",
    "OIDC_SCOPE_CLAIM": "scope",
    "OIDC_WEB_CLIENT_ID": "zoom-gateway-web",
    "OIDC_WEB_SCOPE": "openid profile",
    "ZOOM_PASS_THROUGH": "off",
}
REAL_ZOOM = {"ZOOM_API_BASE_URL": "https://api.zoom.us/v2", "ZOOM_OAUTH_URL": "https://zoom.us/oauth"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A local run: three ports, the Zoom app, and whether Zoom is the simulated one."""

    port: int
    zoom_port: int
    aws_port: int
    settings: Mapping[str, str]
    simulated: bool
    identity_port: int | None = None
    """Where the development identity provider listens; None when people sign in elsewhere."""

    @property
    def front_door(self) -> str:
        """Where this machine reaches the gateway."""
        return f"http://localhost:{self.port}"

    @property
    def zoom_url(self) -> str:
        """Zoom's site: the simulated one, or the host of the configured API."""
        if self.simulated:
            return f"http://localhost:{self.zoom_port}"
        parts = urlsplit(self.settings["ZOOM_API_BASE_URL"])
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def redirect_uri(self) -> str:
        """The redirect URI that Zoom has to know, exactly as it is sent."""
        return self.settings["ZOOM_REDIRECT_URI"] or self.settings["PUBLIC_BASE_URL"] + "/auth/zoom/callback"

    def parameter_overrides(self) -> list[str]:
        """What `sam deploy --parameter-overrides` is given."""
        values = {PARAMETERS[name]: value for name, value in self.settings.items()}
        values |= {"Stage": "local", "Architecture": machine_architecture()}
        values["AwsEndpointUrl"] = f"http://127.0.0.1:{self.aws_port}"
        # Quoted, so that an empty value is given too: SAM would keep the former one.
        return [f'{name}="{value}"' for name, value in sorted(values.items())]


def machine_architecture() -> str:
    """Lambda's name for this machine's processor: local functions run on it as it is."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def load(
    workspace: Workspace, *, port: int, zoom_port: int, aws_port: int, identity_port: int | None = None
) -> Configuration:
    """Read `.env` below the real environment. Without a Zoom app there, make one up and simulate Zoom.

    Without an issuer there, people sign in at the development identity provider on `identity_port`, if there is one.

    Raises Stop when a setting is incomplete or cannot work.
    """
    given = {name: value.strip() for name, value in _given().items() if name in PARAMETERS and value}
    simulated = "ZOOM_CLIENT_ID" not in given
    if not simulated:
        _check_complete(given)
    base = _simulated_app(workspace, zoom_port) if simulated else REAL_ZOOM
    settings = dict.fromkeys(PARAMETERS, "") | USUAL | base | given
    settings["PUBLIC_BASE_URL"] = (settings["PUBLIC_BASE_URL"] or f"http://localhost:{port}").rstrip("/")
    origins = [settings["PUBLIC_BASE_URL"], f"http://localhost:{port}", *settings["RETURN_URLS"].split(",")]
    settings["RETURN_URLS"] = ",".join(dict.fromkeys(origin.strip() for origin in origins if origin.strip()))
    settings["CONNECT_PAGE_URL"] = settings["CONNECT_PAGE_URL"] or f"http://localhost:{port}/app/connect"
    if settings["OIDC_ISSUER"]:
        identity_port = None
    elif identity_port is not None:
        settings["OIDC_ISSUER"] = f"http://localhost:{identity_port}"
        settings["OIDC_WEB_CLIENT_ID"] = USUAL["OIDC_WEB_CLIENT_ID"]  # the one client that it knows
    return Configuration(port, zoom_port, aws_port, settings, simulated, identity_port)


def _given() -> dict[str, str]:
    from_file = {name: value or "" for name, value in dotenv_values(ROOT / ".env").items()}
    return {**from_file, **os.environ}


def _simulated_app(workspace: Workspace, zoom_port: int) -> dict[str, str]:
    app = workspace.read("simulated-app.json")
    if not app:
        app = {
            "ZOOM_CLIENT_ID": "local" + secrets.token_hex(8),
            "ZOOM_CLIENT_SECRET": secrets.token_urlsafe(24),
            "ZOOM_WEBHOOK_SECRET_TOKEN": secrets.token_urlsafe(16),
        }
        workspace.write("simulated-app.json", app)
    return app | {
        "ZOOM_API_BASE_URL": f"http://localhost:{zoom_port}/v2",
        "ZOOM_OAUTH_URL": f"http://localhost:{zoom_port}/oauth",
    }


def _check_complete(given: Mapping[str, str]) -> None:
    for name in ("ZOOM_CLIENT_SECRET", "ZOOM_WEBHOOK_SECRET_TOKEN"):
        if name not in given:
            raise Stop(f"{name} is missing.", f"Copy it from your Zoom app into .env: {name}=...")
