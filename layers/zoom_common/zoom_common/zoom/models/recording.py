"""The bodies that recover recordings and set how they are shared.

https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from zoom_common.zoom.models.base import ZoomModel
from zoom_common.zoom.models.fields import Flag, Passcode, Text, whole


class RecoverRecording(ZoomModel):
    """The body of `PUT .../recordings/status`, for all files or one."""

    action: Literal["recover"] | None = None


class RecordingSettings(ZoomModel):
    """The body of `PATCH /meetings/{meetingId}/recordings/settings`."""

    approval_type: Annotated[Literal[0, 1, 2] | None, BeforeValidator(whole)] = None
    authentication_domains: Text = None
    authentication_option: Text = None
    auto_delete: Flag = None
    on_demand: Flag = None
    password: Passcode = None
    recording_authentication: Flag = None
    send_email_to_host: Flag = None
    share_recording: Literal["publicly", "internally", "none"] | None = None
    show_social_share_buttons: Flag = None
    topic: Text = None
    viewer_download: Flag = None
