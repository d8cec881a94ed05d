"""The common parts of meetings and webinars: settings, recurrence, live streams and recordings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from zoom_common.errors import FieldError
from zoom_common.zoom.models.fields import (
    EMail,
    Flag,
    Moment,
    Passcode,
    RequiredText,
    SettingsModel,
    Text,
    Texts,
    Weekdays,
    Whole,
    ZoomModel,
    is_empty,
    whole,
)


class Countries(SettingsModel):
    """Countries or regions that may join, or may not."""

    enable: Flag = None
    method: Literal["approve", "deny"] | None = None
    approved_list: Texts = None
    denied_list: Texts = None


class Interpreter(SettingsModel):
    """A person who interprets between two languages."""

    email: EMail = None
    languages: Text = None
    interpreter_languages: Text = None


class LanguageInterpretation(SettingsModel):
    """Interpretation into other languages."""

    enable: Flag = None
    interpreters: list[Interpreter] | None = None


class SignInterpreter(SettingsModel):
    """A person who interprets into a sign language."""

    email: EMail = None
    sign_language: Text = None


class SignLanguageInterpretation(SettingsModel):
    """Interpretation into sign languages."""

    enable: Flag = None
    interpreters: list[SignInterpreter] | None = None


class QuestionsAndAnswers(SettingsModel):
    """Written questions from attendees."""

    enable: Flag = None
    allow_submit_questions: Flag = None
    allow_anonymous_questions: Flag = None
    attendees_can_comment: Flag = None
    attendees_can_upvote: Flag = None


class TrackingField(ZoomModel):
    """One of the account's tracking fields, as an update names it."""

    field: Text = None
    value: Text = None


class NewTrackingField(TrackingField):
    """One of the account's tracking fields, as a create names it."""

    field: RequiredText


class CommonSettings(SettingsModel):
    """Settings of both kinds, by Zoom's names."""

    additional_data_center_regions: Texts = None
    allow_host_control_participant_mute_state: Flag = None
    allow_multiple_devices: Flag = None
    alternative_hosts: Text = None
    alternative_host_update_polls: Flag = None
    approval_type: Annotated[Literal[0, 1, 2] | None, BeforeValidator(whole)] = None
    audio: Literal["both", "telephony", "voip", "thirdParty"] | None = None
    audio_conference_info: Annotated[Text, Field(max_length=2048)] = None
    authentication_domains: Text = None
    authentication_option: Text = None
    auto_recording: Literal["local", "cloud", "none"] | None = None
    close_registration: Flag = None
    contact_email: Text = None
    contact_name: Text = None
    email_in_attendee_report: Flag = None
    enforce_login: Flag = None
    enforce_login_domains: Text = None
    global_dial_in_countries: Texts = None
    host_video: Flag = None
    language_interpretation: LanguageInterpretation | None = None
    meeting_authentication: Flag = None
    registrants_confirmation_email: Flag = None
    registrants_email_notification: Flag = None
    registration_type: Annotated[Literal[1, 2, 3] | None, BeforeValidator(whole)] = None
    request_permission_to_unmute_participants: Flag = None
    show_join_info: Flag = None
    show_share_button: Flag = None
    sign_language_interpretation: SignLanguageInterpretation | None = None


class Plan(SettingsModel):
    """A choice of e-mails to send, as Zoom's number."""

    enable: Flag = None
    type: Annotated[Literal[0, 1, 2, 3, 4, 5, 6, 7] | None, BeforeValidator(whole)] = None


class DelayedStart(ZoomModel):
    """How long a simulive webinar waits before its recording runs."""

    enable: Flag = None
    time: Whole = None
    timeunit: Literal["second", "minute"] | None = None


DAILY, WEEKLY, MONTHLY = 1, 2, 3

# Zoom's pages have lower limits for webinars (90, 12, 3). Only values above these larger ones are certainly refused.
_LONGEST_INTERVAL = {DAILY: 99, WEEKLY: 50, MONTHLY: 10}


class Recurrence(ZoomModel):
    """The `recurrence` of a body. Zoom reads it for recurring meetings with a fixed time only.

    Zoom accepts more than its pages say: programs in production send `end_times` together with `end_date_time`, and an
    endless weekly series becomes about 110 occurrences. So only impossible series are refused.
    """

    type: Annotated[Literal[1, 2, 3], BeforeValidator(whole)]
    end_date_time: Moment = None
    end_times: Annotated[int | None, Field(ge=0), BeforeValidator(whole)] = None
    monthly_day: Annotated[int | None, Field(ge=1, le=31), BeforeValidator(whole)] = None
    monthly_week: Annotated[Literal[-1, 1, 2, 3, 4] | None, BeforeValidator(whole)] = None
    monthly_week_day: Annotated[Literal[1, 2, 3, 4, 5, 6, 7] | None, BeforeValidator(whole)] = None
    repeat_interval: Annotated[int | None, Field(ge=0), BeforeValidator(whole)] = None
    weekly_days: Weekdays = None

    def conflicts(self) -> list[FieldError]:
        """Return what Zoom's rules of recurrence forbid."""
        limit = _LONGEST_INTERVAL[self.type]
        if (self.repeat_interval or 0) > limit:
            return [FieldError("recurrence.repeat_interval", f"Must be {limit} or less for this type of recurrence.")]
        return []


def conflicts_of(recurrence: Recurrence | None) -> Sequence[FieldError]:
    """Return the conflicts in a body's recurrence, if it has one."""
    return () if recurrence is None else recurrence.conflicts()


def unread_recurrence(members: Mapping[str, Any], *, read_for: int) -> Collection[str]:
    """Return `recurrence` as the name of a member that Zoom does not read, unless the body's type is `read_for`.

    Typed clients send one in which no member is set with a series, too.
    """
    kind, recurrence = members.get("type"), members.get("recurrence")
    is_read = (
        not isinstance(kind, bool)
        and isinstance(kind, int | float | str)
        and str(kind).strip() in {str(read_for), f"{read_for}.0"}
    )
    is_set = not isinstance(recurrence, dict) or not all(
        is_empty(each) or str(each) == "0" for each in recurrence.values()
    )
    return () if is_read and is_set else ("recurrence",)


class Livestream(ZoomModel):
    """The body of `PATCH .../livestream`: where the stream is sent."""

    page_url: Annotated[RequiredText, Field(max_length=1024)]
    stream_key: Annotated[RequiredText, Field(max_length=512)]
    stream_url: Annotated[RequiredText, Field(max_length=1024)]
    resolution: Text = None


class LivestreamSettings(SettingsModel):
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


class RecoverRecording(ZoomModel):
    """The body of `PUT .../recordings/status`, for all files or one."""

    action: Literal["recover"] | None = None


class RecordingSettings(SettingsModel):
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
