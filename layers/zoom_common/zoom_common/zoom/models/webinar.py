"""The bodies that create and update a webinar.

https://developers.zoom.us/docs/api/meetings/#tag/webinars/POST/users/{userId}/webinars
https://developers.zoom.us/docs/api/meetings/#tag/webinars/PATCH/webinars/{webinarId}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from zoom_common.errors import FieldError
from zoom_common.zoom.models.fields import Flag, Moment, Passcode, Text, TimeZone, Whole, ZoomModel, whole
from zoom_common.zoom.models.settings import (
    CommonSettings,
    DelayedStart,
    NewTrackingField,
    Plan,
    QuestionsAndAnswers,
    Recurrence,
    TrackingField,
    conflicts_of,
    unread_recurrence,
)

RECURRING_WITH_FIXED_TIME = 9


class WebinarQuestions(QuestionsAndAnswers):
    """Written questions in a webinar."""

    answer_questions: Literal["only", "all"] | None = None
    allow_auto_reply: Flag = None
    auto_reply_text: Text = None


class WebinarSettings(CommonSettings):
    """The `settings` of a webinar, by Zoom's names."""

    add_audio_watermark: Flag = None
    add_watermark: Flag = None
    attendees_and_panelists_reminder_email_notification: Plan | None = None
    email_language: Text = None
    enable_session_branding: Flag = None
    follow_up_absentees_email_notification: Plan | None = None
    follow_up_attendees_email_notification: Plan | None = None
    hd_video: Flag = None
    hd_video_for_attendees: Flag = None
    notify_registrants: Flag = None
    on_demand: Flag = None
    panelist_authentication: Flag = None
    panelists_invitation_email_notification: Flag = None
    panelists_video: Flag = None
    post_webinar_survey: Flag = None
    practice_session: Flag = None
    question_and_answer: WebinarQuestions | None = None
    registrants_restrict_number: Annotated[int | None, Field(ge=0, le=20000), BeforeValidator(whole)] = None
    send_1080p_video_to_attendees: Flag = None
    survey_url: Text = None


class _Webinar(ZoomModel):
    agenda: Text = None
    duration: Whole = None
    is_simulive: Flag = None
    password: Passcode = None
    record_file_id: Text = None
    recurrence: Recurrence | None = None
    schedule_for: Text = None
    settings: WebinarSettings | None = None
    simulive_delay_start: DelayedStart | None = None
    start_time: Moment = None
    timezone: TimeZone = None
    topic: Text = None
    transition_to_live: Flag = None
    type: Annotated[Literal[5, 6, 9] | None, BeforeValidator(whole)] = None

    def conflicts(self) -> Sequence[FieldError]:
        """Return what the rules of recurrence forbid."""
        return conflicts_of(self.recurrence)

    @classmethod
    def ignored(cls, members: Mapping[str, Any]) -> Collection[str]:
        """Return `recurrence` if Zoom does not read it: it does so only for a series with a fixed time."""
        return unread_recurrence(members, read_for=RECURRING_WITH_FIXED_TIME)


class CreateWebinar(_Webinar):
    """The body of `POST /users/{userId}/webinars`."""

    default_passcode: Flag = None
    template_id: Text = None
    tracking_fields: list[NewTrackingField] | None = None


class UpdateWebinar(_Webinar):
    """The body of `PATCH /webinars/{webinarId}`."""

    tracking_fields: list[TrackingField] | None = None


class WebinarStatus(ZoomModel):
    """The body of `PUT /webinars/{webinarId}/status`."""

    action: Literal["end"] | None = None
