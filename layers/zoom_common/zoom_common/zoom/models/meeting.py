"""The bodies that create and update a meeting, with its settings."""

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
    SettingsModel,
    Text,
    Texts,
    TimeZone,
    ZoomModel,
    whole,
)
from zoom_common.zoom.models.settings import (
    CommonSettings,
    Countries,
    NewTrackingField,
    QuestionsAndAnswers,
    Recurrence,
    TrackingField,
    conflicts_of,
    unread_recurrence,
)


class Exempt(SettingsModel):
    """A person who may join without signing in."""

    email: EMail = None
    name: Text = None
    join_url: Text = None


class Invitee(SettingsModel):
    """A person who is invited."""

    email: EMail = None


class BreakoutRoom(SettingsModel):
    """One breakout room and the people assigned to it."""

    name: Text = None
    participants: Texts = None


class BreakoutRooms(SettingsModel):
    """Rooms that are created before the meeting."""

    enable: Flag = None
    rooms: list[BreakoutRoom] | None = None


class Channel(SettingsModel):
    """A channel of video management."""

    channel_id: Text = None
    name: Text = None


class VideoManagement(SettingsModel):
    """Where recordings are added."""

    enable: Flag = None
    channels: Annotated[list[Channel] | None, Field(min_length=1, max_length=5)] = None


class CustomKey(SettingsModel):
    """A key and value of the developer's own."""

    key: Annotated[Text, Field(max_length=64)] = None
    value: Annotated[Text, Field(max_length=256)] = None


class DialInNumber(SettingsModel):
    """A number to join by telephone."""

    city: Text = None
    country: Text = None
    country_name: Text = None
    number: Text = None
    type: Literal["toll", "tollfree"] | None = None


class MeetingQuestions(QuestionsAndAnswers):
    """Written questions in a meeting."""

    question_visibility: Literal["answered", "all"] | None = None


class Chat(SettingsModel):
    """A chat that stays after the meeting."""

    enable: Flag = None
    auto_add_invited_external_users: Flag = None
    auto_add_meeting_participants: Flag = None


class Resource(SettingsModel):
    """A whiteboard of the meeting."""

    resource_type: Literal["whiteboard"] | None = None
    resource_id: Text = None
    permission_level: Literal["editor", "commenter", "viewer"] | None = None


class WaitingRoom(SettingsModel):
    """Who has to wait before they are let in."""

    mode: Literal["follow_setting", "custom"] | None = None
    who_goes_to_waiting_room: (
        Literal[
            "everyone",
            "users_not_in_account",
            "users_not_in_account_or_whitelisted_domains",
            "users_not_on_invite",
            "users_not_in_org",
        ]
        | None
    ) = None


class MeetingSettings(CommonSettings):
    """The `settings` of a meeting, by Zoom's names."""

    alternative_host_manage_cloud_recording: Flag = None
    alternative_host_manage_meeting_summary: Flag = None
    alternative_hosts_email_notification: Flag = None
    approved_or_denied_countries_or_regions: Countries | None = None
    authentication_exception: list[Exempt] | None = None
    authentication_name: Text = None
    auto_add_recording_to_video_management: VideoManagement | None = None
    auto_start_ai_companion_questions: Flag = None
    auto_start_deepfake_detection: Flag = None
    auto_start_meeting_summary: Flag = None
    breakout_room: BreakoutRooms | None = None
    calendar_type: Annotated[Literal[1, 2] | None, BeforeValidator(whole)] = None
    cn_meeting: Flag = None
    continuous_meeting_chat: Chat | None = None
    custom_keys: Annotated[list[CustomKey] | None, Field(max_length=10)] = None
    device_testing: Flag = None
    disable_participant_video: Flag = None
    email_notification: Flag = None
    encryption_type: Literal["enhanced_encryption", "e2ee"] | None = None
    focus_mode: Flag = None
    global_dial_in_numbers: list[DialInNumber] | None = None
    host_pause_stop_recording: Flag = None
    host_save_video_order: Flag = None
    in_meeting: Flag = None
    internal_meeting: Flag = None
    jbh_time: Annotated[Literal[0, 5, 10, 15] | None, BeforeValidator(whole)] = None
    join_before_host: Flag = None
    meeting_invitees: list[Invitee] | None = None
    mute_upon_entry: Flag = None
    participant_focused_meeting: Flag = None
    participant_video: Flag = None
    private_meeting: Flag = None
    push_change_to_calendar: Flag = None
    question_and_answer: MeetingQuestions | None = None
    resources: list[Resource] | None = None
    summary_template_id: Text = None
    use_pmi: Flag = None
    waiting_room: Flag = None
    waiting_room_options: WaitingRoom | None = None
    watermark: Flag = None
    who_can_ask_questions: Annotated[Literal[1, 2, 3, 4, 5] | None, BeforeValidator(whole)] = None
    who_will_receive_summary: Annotated[Literal[1, 2, 3, 4] | None, BeforeValidator(whole)] = None


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

    def conflicts(self) -> Sequence[FieldError]:
        """Return what the rules of recurrence forbid."""
        return conflicts_of(self.recurrence)

    @classmethod
    def ignored(cls, members: Mapping[str, Any]) -> Collection[str]:
        """Return `recurrence` if Zoom does not read it: it does so only for a series with a fixed time."""
        return unread_recurrence(members, read_for=RECURRING_WITH_FIXED_TIME)


class CreateMeeting(_Meeting):
    """The body of `POST /users/{userId}/meetings`."""

    type: Annotated[Literal[1, 2, 3, 8, 10] | None, BeforeValidator(whole)] = None
    default_password: Flag = None
    tracking_fields: list[NewTrackingField] | None = None


class UpdateMeeting(_Meeting):
    """The body of `PATCH /meetings/{meetingId}`. It accepts the values of `GET`: type 4 is a personal meeting room."""

    type: Annotated[Literal[1, 2, 3, 4, 8, 10] | None, BeforeValidator(whole)] = None
    tracking_fields: list[TrackingField] | None = None


class MeetingStatus(ZoomModel):
    """The body of `PUT /meetings/{meetingId}/status`."""

    action: Literal["end", "recover"] | None = None
