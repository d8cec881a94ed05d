"""What `meeting_sdk` is told: what every function is told that calls Zoom, and the SDK app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require
from zoom_common.edge.settings.zoom_api import ZoomApiSettings


@dataclass(frozen=True, slots=True)
class MeetingSdkSettings:
    """`app_account_id` is the Zoom account that owns the app, empty when it is not known."""

    zoom_api: ZoomApiSettings
    sdk_secret_arn: str
    app_account_id: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> MeetingSdkSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            zoom_api=ZoomApiSettings.from_env(environ),
            sdk_secret_arn=require(environ, "ZOOM_SDK_SECRET_ARN"),
            app_account_id=optional(environ, "ZOOM_APP_ACCOUNT_ID"),
        )
