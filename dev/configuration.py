"""The configuration of a local run: from `.env`, the environment and the folder of the run."""

from __future__ import annotations

import difflib
import os
import platform
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from dev.workspace import Workspace
from ops.console import Stop, say
from ops.project import PARAMETERS, ROOT, template_parameters

# The template's value is used where nothing is set, because an empty override would replace it.
USUAL = {
    "OIDC_AUDIENCE": "zoom-gateway",
    "OIDC_ID_TOKENS": "refuse",
    "OIDC_TENANT_CLAIM": "tenant",
    "OIDC_SCOPE_CLAIM": "scope",
    "OIDC_WEB_CLIENT_ID": "zoom-gateway-web",
    "OIDC_WEB_SCOPE": "openid profile",
    "ZOOM_PASS_THROUGH": "off",
}
REAL_ZOOM = {"ZOOM_API_BASE_URL": "https://api.zoom.us/v2", "ZOOM_OAUTH_URL": "https://zoom.us/oauth"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A local run: its ports, the Zoom app, and whether Zoom is the simulated one."""

    port: int
    zoom_port: int
    aws_port: int
    settings: Mapping[str, str]
    simulated: bool
    identity_port: int | None = None
    """The port of the development identity provider; None when people sign in elsewhere."""

    @property
    def front_door(self) -> str:
        """The gateway's address on this machine."""
        return f"http://localhost:{self.port}"

    @property
    def zoom_url(self) -> str:
        """The address of Zoom's site: the simulated one, or the host of the configured API."""
        if self.simulated:
            return f"http://localhost:{self.zoom_port}"
        parts = urlsplit(self.settings["ZOOM_API_BASE_URL"])
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def redirect_uri(self) -> str:
        """The redirect URI that has to be registered at Zoom, exactly as it is sent."""
        return self.settings["ZOOM_REDIRECT_URI"] or self.settings["PUBLIC_BASE_URL"] + "/auth/zoom/callback"

    def parameter_overrides(self) -> list[str]:
        """Return the values for `sam deploy --parameter-overrides`."""
        values = {PARAMETERS[name]: value for name, value in self.settings.items()}
        values |= {"Stage": "local", "Architecture": machine_architecture()}
        values |= dict.fromkeys(("Jobs", "Subscriptions", "RecordingArchive"), "on")
        values["KeyCacheSeconds"] = "0"
        values["AwsEndpointUrl"] = f"http://127.0.0.1:{self.aws_port}"
        # Quoted, so that an empty value is passed too: SAM would keep the former one.
        return [f'{name}="{value}"' for name, value in sorted(values.items())]


def machine_architecture() -> str:
    """Return Lambda's name for this machine's processor, because local functions run on it."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def load(
    workspace: Workspace, *, port: int, zoom_port: int, aws_port: int, identity_port: int | None = None
) -> Configuration:
    """Read `.env`, where variables of the environment take precedence.

    Without a Zoom app, make one up and simulate Zoom. Without an issuer, people sign in at the development identity
    provider on `identity_port`, if there is one.

    Names in `.env` that are not settings are reported and ignored. Raises Stop when a setting is incomplete or cannot
    work, before anything is built.
    """
    given = {name: value.strip() for name, value in _given().items() if name in PARAMETERS and value}
    simulated = "ZOOM_CLIENT_ID" not in given
    if "PUBLIC_BASE_URL" in given:
        given["PUBLIC_BASE_URL"] = given["PUBLIC_BASE_URL"].rstrip("/")
    _check_values(given)
    if not simulated:
        _check_complete(given)
    base = _simulated_app(workspace, zoom_port) if simulated else REAL_ZOOM
    settings = dict.fromkeys(PARAMETERS, "") | USUAL | base | given
    settings["PUBLIC_BASE_URL"] = settings["PUBLIC_BASE_URL"] or f"http://localhost:{port}"
    origins = [settings["PUBLIC_BASE_URL"], f"http://localhost:{port}", *settings["RETURN_URLS"].split(",")]
    settings["RETURN_URLS"] = ",".join(dict.fromkeys(origin.strip() for origin in origins if origin.strip()))
    settings["CONNECT_PAGE_URL"] = settings["CONNECT_PAGE_URL"] or f"http://localhost:{port}/app/connect"
    if settings["OIDC_ISSUER"]:
        identity_port = None
    elif identity_port is not None:
        settings["OIDC_ISSUER"] = f"http://localhost:{identity_port}"
        settings["OIDC_WEB_CLIENT_ID"] = USUAL["OIDC_WEB_CLIENT_ID"]  # the one client that the provider knows
    return Configuration(port, zoom_port, aws_port, settings, simulated, identity_port)


def _given() -> dict[str, str]:
    _check_lines()
    from_file = {name: value or "" for name, value in dotenv_values(ROOT / ".env").items()}
    for name in from_file.keys() - PARAMETERS.keys():
        close = difflib.get_close_matches(name.upper(), PARAMETERS, n=1)
        say(f".env: {name} is not a setting{f'; did you mean {close[0]}?' if close else '.'} It is left out.")
    return {**from_file, **os.environ}


def _check_lines() -> None:
    """Raise Stop for the first line of `.env` that is not NAME=value, which python-dotenv would skip silently."""
    if not (ROOT / ".env").exists():
        return
    with (ROOT / ".env").open(encoding="utf-8") as file:
        for each in parse_stream(file):
            if each.error or (each.key is not None and each.value is None):
                number = each.original.line + each.original.string[: -len(each.original.string.lstrip())].count("\n")
                raise Stop(f"Line {number} of .env is not a setting.", "Write it as NAME=value, or put a # before it.")


def _check_values(given: Mapping[str, str]) -> None:
    """Raise Stop for the first value that the template would refuse. Values are not shown, because some are secret."""
    parameters = template_parameters()
    for name, value in given.items():
        parameter = parameters[PARAMETERS[name]]
        allowed, pattern = parameter.get("AllowedValues"), parameter.get("AllowedPattern")
        if allowed is not None and value not in allowed:
            raise Stop(f"{name} cannot have this value.", f"It takes one of: {', '.join(allowed)}. Change it in .env.")
        if pattern is not None and not re.fullmatch(pattern, value):
            fix = f"Change the line {name}=... in .env, or the variable of that name in your shell."
            raise Stop(f"{name} cannot have this value: it must match {pattern}", f"{fix} {parameter['Description']}")


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
