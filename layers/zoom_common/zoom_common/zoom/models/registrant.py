"""The bodies that let people into meetings and webinars: registrants, panelists, invite links and SIP addresses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from zoom_common.zoom.models.fields import EMail, Flag, RequiredText, Text, Texts, ZoomModel, e_mail, whole

_MOST = 30


RequiredEMail = Annotated[str, AfterValidator(e_mail)]


class CustomAnswer(ZoomModel):
    """The answer to one of the host's own questions."""

    title: Text = None
    value: Annotated[Text, Field(max_length=128)] = None


class _Registrant(ZoomModel):
    first_name: Annotated[RequiredText, Field(max_length=64)]
    email: Annotated[RequiredEMail, Field(max_length=128)]
    address: Text = None
    city: Text = None
    comments: Text = None
    country: Text = None
    custom_questions: list[CustomAnswer] | None = None
    industry: Text = None
    job_title: Text = None
    # Hosts write the choices of these in their own language.
    language: Text = None
    last_name: Annotated[Text, Field(max_length=64)] = None
    no_of_employees: Text = None
    org: Text = None
    phone: Text = None
    purchasing_time_frame: Text = None
    role_in_purchase_process: Text = None
    state: Text = None
    zip: Text = None


class MeetingRegistrant(_Registrant):
    """The body of `POST /meetings/{meetingId}/registrants`."""

    auto_approve: Flag = None


class WebinarRegistrant(_Registrant):
    """The body of `POST /webinars/{webinarId}/registrants`."""

    source_id: Text = None


class BatchRegistrant(ZoomModel):
    """One of many registrants."""

    email: RequiredEMail
    first_name: RequiredText
    last_name: Text = None


class BatchRegistrants(ZoomModel):
    """The body of `POST /webinars/{webinarId}/batch_registrants`."""

    auto_approve: Flag = None
    registrants: Annotated[list[BatchRegistrant] | None, Field(max_length=_MOST)] = None


class BatchMeetingRegistrants(BatchRegistrants):
    """The body of `POST /meetings/{meetingId}/batch_registrants`."""

    registrants_confirmation_email: Flag = None


class DecidedRegistrant(ZoomModel):
    """The registrant that a decision is about."""

    email: EMail = None
    id: Text = None


class RegistrantStatus(ZoomModel):
    """The body of `PUT .../registrants/status`."""

    action: Literal["approve", "cancel", "deny"]
    registrants: Annotated[list[DecidedRegistrant] | None, Field(max_length=_MOST)] = None


class Question(ZoomModel):
    """One of Zoom's questions."""

    field_name: Text = None
    required: Flag = None


class _CustomQuestion(ZoomModel):
    answers: Texts = None
    required: Flag = None
    title: Text = None


class MeetingCustomQuestion(_CustomQuestion):
    """One of the host's own questions, for a meeting."""

    type: Literal["short", "single"] | None = None


class WebinarCustomQuestion(_CustomQuestion):
    """One of the host's own questions, for a webinar."""

    type: Literal["short", "single", "single_radio", "single_dropdown", "multiple"] | None = None


class MeetingQuestionsAsked(ZoomModel):
    """The body of `PATCH /meetings/{meetingId}/registrants/questions`."""

    custom_questions: list[MeetingCustomQuestion] | None = None
    questions: list[Question] | None = None


class WebinarQuestionsAsked(ZoomModel):
    """The body of `PATCH /webinars/{webinarId}/registrants/questions`."""

    custom_questions: list[WebinarCustomQuestion] | None = None
    questions: list[Question] | None = None


_NINETY_DAYS = 90 * 86_400


class Attendee(ZoomModel):
    """A person who gets a link."""

    name: Annotated[RequiredText, Field(max_length=64)]
    disable_audio: Flag = None
    disable_video: Flag = None


class InviteLinks(ZoomModel):
    """The body of `POST .../invite_links`. `ttl` is in seconds; 0 is for ever."""

    attendees: Annotated[list[Attendee] | None, Field(min_length=1, max_length=500)] = None
    ttl: Annotated[int | None, Field(ge=0, le=_NINETY_DAYS), BeforeValidator(whole)] = None


class SipDialing(ZoomModel):
    """The body of `POST .../sip_dialing`."""

    passcode: Text = None


class Panelist(ZoomModel):
    """A person on the panel of a webinar."""

    email: EMail = None
    name: Text = None
    name_tag_description: Text = None
    name_tag_id: Text = None
    name_tag_name: Text = None
    name_tag_pronouns: Text = None
    virtual_background_id: Text = None


class Panelists(ZoomModel):
    """The body of `POST /webinars/{webinarId}/panelists`."""

    panelists: Annotated[list[Panelist] | None, Field(max_length=30)] = None
