"""The common part of all settings: one frozen dataclass per function, read once from the environment, by name."""

from __future__ import annotations

from collections.abc import Mapping

ZOOM_API = "https://api.zoom.us/v2"


class MissingSetting(Exception):
    """A required environment variable is not set. `name` is the variable; its value is never part of the message."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The environment variable {name} is not set.")
        self.name = name


def require(environ: Mapping[str, str], name: str) -> str:
    """Return the value of `name`. Raises MissingSetting when it is absent or blank."""
    value = environ.get(name, "").strip()
    if not value:
        raise MissingSetting(name)
    return value


def optional(environ: Mapping[str, str], name: str, default: str = "") -> str:
    """Return the value of `name`, or `default` when it is absent or blank."""
    return environ.get(name, "").strip() or default
