"""The bodies that create and update a meeting.

https://developers.zoom.us/docs/api/meetings/#tag/meetings/POST/users/{userId}/meetings
https://developers.zoom.us/docs/api/meetings/#tag/meetings/PATCH/meetings/{meetingId}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from zoom_common.errors import FieldError
from zoom_common.zoom.models.base import ZoomModel
from zoom_common.zoom.models.fields import Flag, Moment, Passcode, Text, TimeZone, whole
from zoom_common.zoom.models.meeting_settings import MeetingSettings
from zoom_common.zoom.models.recurrence import Recurrence, conflicts_of
from zoom_common.zoom.models.settings import NewTrackingField, TrackingField

RECURRING_WITH_FIXED_TIME = 8


class _Meeting(ZoomModel):
    agenda: Annotated[Text, Field(max_length=2000)] = None
    duration: Annotated[int | None, Field(ge=1, le=1440), BeforeValidator(whole)] = None
    password: Passcode = None
    pre_schedule: Flag = None
    recurrence: Recurrence | None = None
    schedule_for: Text = None
    sensitivity_label_id: Text = None
    settings: MeetingSettings | None = None
    start_time: Moment = None
    template_id: Text = None
    timezone: TimeZone = None
    topic: Annotated[Text, Field(max_length=200)] = None
    type: Annotated[Literal[1, 2, 3, 8, 10] | None, BeforeValidator(whole)] = None

    def conflicts(self) -> Sequence[FieldError]:
        """The rules of recurrence, where Zoom reads the recurrence at all."""
        return conflicts_of(self.recurrence, read=self.type == RECURRING_WITH_FIXED_TIME)


class CreateMeeting(_Meeting):
    """The body of `POST /users/{userId}/meetings`."""

    default_password: Flag = None
    tracking_fields: list[NewTrackingField] | None = None


class UpdateMeeting(_Meeting):
    """The body of `PATCH /meetings/{meetingId}`."""

    tracking_fields: list[TrackingField] | None = None


class MeetingStatus(ZoomModel):
    """The body of `PUT /meetings/{meetingId}/status`."""

    action: Literal["end", "recover"] | None = None
