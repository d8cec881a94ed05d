"""The bodies that set up, start and stop a live stream.

https://developers.zoom.us/docs/api/meetings/#tag/live-streaming
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from zoom_common.zoom.models.base import ZoomModel
from zoom_common.zoom.models.fields import Flag, Text


class Livestream(ZoomModel):
    """The body of `PATCH .../livestream`: where the stream goes."""

    page_url: Annotated[str, Field(max_length=1024)]
    stream_key: Annotated[str, Field(max_length=512)]
    stream_url: Annotated[str, Field(max_length=1024)]
    resolution: Text = None


class LivestreamSettings(ZoomModel):
    """What a stream shows."""

    active_speaker_name: Flag = None
    close_caption: Literal["burnt-in", "embedded", "off"] | None = None
    display_name: Annotated[Text, Field(max_length=50)] = None


class MeetingLivestreamSettings(LivestreamSettings):
    """What a meeting's stream shows."""

    layout: Literal["follow_host", "gallery_view", "speaker_view"] | None = None


class MeetingLivestreamStatus(ZoomModel):
    """The body of `PATCH /meetings/{meetingId}/livestream/status`."""

    action: Literal["start", "stop", "mode"] | None = None
    settings: MeetingLivestreamSettings | None = None


class WebinarLivestreamStatus(ZoomModel):
    """The body of `PATCH /webinars/{webinarId}/livestream/status`."""

    action: Literal["start", "stop"] | None = None
    settings: LivestreamSettings | None = None
