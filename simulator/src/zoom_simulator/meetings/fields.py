"""The fields of meetings, webinars and registrants in request bodies, and the settings with their defaults.

Unknown settings are ignored, as at Zoom.
"""

from __future__ import annotations

from typing import Any

from zoom_simulator import recurrence
from zoom_simulator.check import Field, check, read
from zoom_simulator.model import Json, Kind

_BOOL = Field("boolean")
_TEXT = Field("string")
_LIST = Field("array")
_OBJECT = Field("object")
_AUDIO = Field("string", allowed=("both", "telephony", "voip", "thirdParty"))
_RECORDING = Field("string", allowed=("local", "cloud", "none"))
_APPROVAL = Field("integer", allowed=(0, 1, 2))
_REGISTRATION = Field("integer", allowed=(1, 2, 3))

SHARED: dict[str, Field] = {
    **dict.fromkeys(
        (
            "allow_multiple_devices", "alternative_host_update_polls", "close_registration", "enforce_login",
            "host_video", "meeting_authentication", "registrants_confirmation_email", "registrants_email_notification",
            "show_share_button", "show_join_info", "request_permission_to_unmute_participants",
            "allow_host_control_participant_mute_state", "email_in_attendee_report",
        ),
        _BOOL,
    ),
    **dict.fromkeys(
        (
            "alternative_hosts", "audio_conference_info", "authentication_domains", "authentication_name",
            "authentication_option", "contact_email", "contact_name", "enforce_login_domains",
        ),
        _TEXT,
    ),
    **dict.fromkeys(("additional_data_center_regions", "global_dial_in_countries", "global_dial_in_numbers"), _LIST),
    **dict.fromkeys(("language_interpretation", "sign_language_interpretation", "question_and_answer"), _OBJECT),
    "approval_type": _APPROVAL,
    "audio": _AUDIO,
    "auto_recording": _RECORDING,
    "registration_type": _REGISTRATION,
}  # fmt: skip

MEETING: dict[str, Field] = {
    **SHARED,
    **dict.fromkeys(
        (
            "alternative_hosts_email_notification", "alternative_host_manage_meeting_summary",
            "alternative_host_manage_cloud_recording", "host_pause_stop_recording", "cn_meeting", "email_notification",
            "focus_mode", "in_meeting", "join_before_host", "mute_upon_entry", "participant_video", "private_meeting",
            "use_pmi", "waiting_room", "watermark", "host_save_video_order", "internal_meeting",
            "participant_focused_meeting", "push_change_to_calendar", "auto_start_meeting_summary",
            "auto_start_ai_companion_questions", "device_testing", "disable_participant_video",
            "auto_start_deepfake_detection",
        ),
        _BOOL,
    ),
    **dict.fromkeys(("authentication_exception", "custom_keys", "meeting_invitees", "resources"), _LIST),
    **dict.fromkeys(
        (
            "approved_or_denied_countries_or_regions", "auto_add_recording_to_video_management", "breakout_room",
            "waiting_room_options", "continuous_meeting_chat",
        ),
        _OBJECT,
    ),
    "calendar_type": Field("integer", allowed=(1, 2)),
    "encryption_type": Field("string", allowed=("enhanced_encryption", "e2ee")),
    "jbh_time": Field("integer", allowed=(0, 5, 10, 15)),
    "who_will_receive_summary": Field("integer", allowed=(1, 2, 3, 4)),
    "who_can_ask_questions": Field("integer", allowed=(1, 2, 3, 4, 5)),
    "summary_template_id": _TEXT,
}  # fmt: skip

WEBINAR: dict[str, Field] = {
    **SHARED,
    **dict.fromkeys(
        (
            "hd_video", "hd_video_for_attendees", "panelist_authentication", "add_watermark", "add_audio_watermark",
            "on_demand", "panelists_invitation_email_notification", "panelists_video", "post_webinar_survey",
            "practice_session", "send_1080p_video_to_attendees", "enable_session_branding",
        ),
        _BOOL,
    ),
    **dict.fromkeys(("email_language", "survey_url"), _TEXT),
    **dict.fromkeys(
        (
            "attendees_and_panelists_reminder_email_notification", "follow_up_absentees_email_notification",
            "follow_up_attendees_email_notification",
        ),
        _OBJECT,
    ),
    "registrants_restrict_number": Field("integer", lowest=0, highest=20_000),
}  # fmt: skip

_SHARED_DEFAULTS: dict[str, Any] = {
    "host_video": False,
    "approval_type": 2,
    "audio": "both",
    "auto_recording": "none",
    "enforce_login": False,
    "enforce_login_domains": "",
    "alternative_hosts": "",
    "alternative_host_update_polls": False,
    "close_registration": False,
    "show_share_button": False,
    "allow_multiple_devices": False,
    "registrants_confirmation_email": True,
    "registrants_email_notification": True,
    "meeting_authentication": False,
    "request_permission_to_unmute_participants": False,
    "email_in_attendee_report": False,
    "global_dial_in_countries": ["US"],
    "global_dial_in_numbers": [
        {"country_name": "US", "city": "New York", "number": "+1 5550100", "type": "toll", "country": "US"}
    ],
    "contact_name": "",
    "contact_email": "",
}
MEETING_DEFAULTS: dict[str, Any] = {
    **_SHARED_DEFAULTS,
    "participant_video": False,
    "cn_meeting": False,
    "in_meeting": False,
    "join_before_host": False,
    "jbh_time": 0,
    "mute_upon_entry": False,
    "watermark": False,
    "use_pmi": False,
    "waiting_room": False,
    "alternative_hosts_email_notification": True,
    "email_notification": True,
    "encryption_type": "enhanced_encryption",
    "focus_mode": False,
    "private_meeting": False,
    "internal_meeting": False,
    "host_save_video_order": False,
    "device_testing": False,
    "participant_focused_meeting": False,
    "push_change_to_calendar": False,
    "auto_start_meeting_summary": False,
    "auto_start_ai_companion_questions": False,
    "continuous_meeting_chat": {"enable": False, "auto_add_invited_external_users": False},
    "meeting_invitees": [],
}
WEBINAR_DEFAULTS: dict[str, Any] = {
    **_SHARED_DEFAULTS,
    "panelists_video": False,
    "practice_session": False,
    "hd_video": False,
    "hd_video_for_attendees": False,
    "send_1080p_video_to_attendees": False,
    "on_demand": False,
    "post_webinar_survey": False,
    "registrants_restrict_number": 0,
    "panelist_authentication": False,
    "panelists_invitation_email_notification": True,
    "add_watermark": False,
    "add_audio_watermark": False,
    "email_language": "en-US",
    "attendees_and_panelists_reminder_email_notification": {"enable": False, "type": 0},
    "follow_up_attendees_email_notification": {"enable": False, "type": 0},
    "follow_up_absentees_email_notification": {"enable": False, "type": 0},
    "question_and_answer": {"enable": True, "allow_anonymous_questions": True, "answer_questions": "all"},
}
TYPES: dict[Kind, tuple[int, ...]] = {"meeting": (1, 2, 3, 8, 10), "webinar": (5, 6, 9)}
SERIES: dict[Kind, int] = {"meeting": 8, "webinar": 9}
REGISTRANT = {
    "email": Field("email", required=True, longest=128),
    "first_name": Field("string", required=True, longest=64),
    "last_name": Field("string", longest=64),
    "auto_approve": Field("boolean"),
    "custom_questions": Field("array"),
    **dict.fromkeys(("address", "city", "state", "zip", "country", "phone", "comments", "org"), Field("string")),
}


def body_fields(kind: Kind) -> dict[str, Field]:
    """What a create or update may say."""
    return {
        "topic": Field("string", longest=200),
        "type": Field("integer", allowed=TYPES[kind]),
        "agenda": Field("string", longest=2000),
        "duration": Field("integer", lowest=1, highest=1440),
        "timezone": Field("timezone"),
        "start_time": Field("time"),
        "password": Field("string", longest=10),
        "recurrence": Field("recurrence"),
        "settings": Field("object"),
        "tracking_fields": Field("objects"),
        "schedule_for": Field("string"),
        "pre_schedule": Field("boolean"),
        "default_password": Field("boolean"),
    }


def check_body(kind: Kind, body: Json) -> None:
    """Read a body as Zoom does, in place. ZoomError 300 for one that Zoom would not take.

    Zoom reads a recurrence for a series with a fixed time only. For a value outside an enumeration inside `settings` it
    stores its default: measured for `auto_recording`, assumed for the others.
    """
    read(body, {"type": Field("integer", allowed=TYPES[kind])})
    if body.get("type", SERIES[kind]) != SERIES[kind]:
        body.pop("recurrence", None)
    if isinstance(body.get("recurrence"), dict):
        recurrence.read(body["recurrence"])
        if not any(body["recurrence"].values()):  # typed clients send one in which no member is set
            del body["recurrence"]
    check(body, body_fields(kind))
    settings = body.get("settings")
    if settings:
        _default_unknown_choices(kind, settings)
        check(settings, WEBINAR if kind == "webinar" else MEETING, "settings.")


def _default_unknown_choices(kind: Kind, settings: Json) -> None:
    known, defaults = (WEBINAR, WEBINAR_DEFAULTS) if kind == "webinar" else (MEETING, MEETING_DEFAULTS)
    read(settings, known)
    for name, value in settings.items():
        field = known.get(name)
        if field is not None and field.allowed and isinstance(value, str | int | float) and value not in field.allowed:
            settings[name] = defaults.get(name, field.allowed[0])
