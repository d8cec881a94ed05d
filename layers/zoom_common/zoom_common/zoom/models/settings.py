"""The settings that meetings and webinars share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from zoom_common.zoom.models.base import ZoomModel
from zoom_common.zoom.models.fields import EMail, Flag, Text, Texts, Whole, whole


class Countries(ZoomModel):
    """Countries or regions that may join, or may not."""

    enable: Flag = None
    method: Literal["approve", "deny"] | None = None
    approved_list: Texts = None
    denied_list: Texts = None


class Interpreter(ZoomModel):
    """Someone who interprets between two languages."""

    email: EMail = None
    languages: Text = None
    interpreter_languages: Text = None


class LanguageInterpretation(ZoomModel):
    """Interpretation into other languages."""

    enable: Flag = None
    interpreters: list[Interpreter] | None = None


class SignInterpreter(ZoomModel):
    """Someone who interprets into a sign language."""

    email: EMail = None
    sign_language: Text = None


class SignLanguageInterpretation(ZoomModel):
    """Interpretation into sign languages."""

    enable: Flag = None
    interpreters: list[SignInterpreter] | None = None


class QuestionsAndAnswers(ZoomModel):
    """Written questions from those who attend."""

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

    field: str


class CommonSettings(ZoomModel):
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


class Plan(ZoomModel):
    """A choice of e-mails to send, by Zoom's number for it."""

    enable: Flag = None
    type: Annotated[Literal[0, 1, 2, 3, 4, 5, 6, 7] | None, BeforeValidator(whole)] = None


class DelayedStart(ZoomModel):
    """How long a simulive webinar waits before its recording runs."""

    enable: Flag = None
    time: Whole = None
    timeunit: Literal["second", "minute"] | None = None
