"""What the health function is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional

# The version of the whole gateway; a test holds it equal to the project's.
VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """What a health answer says about itself."""

    stage: str
    version: str = VERSION

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> HealthSettings:
        """Read the settings; none is required."""
        return cls(stage=optional(environ, "STAGE", "local"))
