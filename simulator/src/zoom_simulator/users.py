"""Users: their default settings, and the tokens that the Meeting SDK takes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from zoom_simulator.model import Json, State, User

DEFAULTS: dict[str, Json] = {
    "schedule_meeting": {
        "host_video": False,
        "participants_video": False,
        "audio_type": "both",
        "join_before_host": False,
        "force_pmi_jbh_password": False,
        "require_password_for_scheduled_meetings": True,
        "require_password_for_scheduling_new_meetings": True,
        "require_password_for_instant_meetings": True,
        "require_password_for_pmi_meetings": "all",
        "embed_password_in_join_link": True,
        "pstn_password_protected": True,
        "use_pmi_for_scheduled_meetings": False,
        "use_pmi_for_instant_meetings": False,
        "personal_meeting": True,
    },
    "in_meeting": {
        "annotation": True,
        "breakout_room": False,
        "chat": True,
        "closed_caption": True,
        "co_host": True,
        "e2e_encryption": False,
        "entry_exit_chime": "none",
        "feedback": False,
        "file_transfer": True,
        "non_verbal_feedback": True,
        "polling": True,
        "private_chat": True,
        "screen_sharing": True,
        "virtual_background": True,
        "waiting_room": False,
        "who_can_share_screen": "all",
        "who_can_share_screen_when_someone_is_sharing": "host",
    },
    "email_notification": {
        "alternative_host_reminder": True,
        "cancel_meeting_reminder": True,
        "cloud_recording_available_reminder": True,
        "jbh_reminder": True,
        "schedule_for_reminder": True,
    },
    "recording": {
        "auto_recording": "none",
        "cloud_recording": True,
        "local_recording": True,
        "host_pause_stop_recording": True,
        "record_audio_file": True,
        "record_gallery_view": False,
        "record_speaker_view": True,
        "recording_audio_transcript": False,
        "recording_disclaimer": False,
        "save_chat_text": True,
        "show_timestamp": True,
        "auto_delete_cmr": False,
    },
    "telephony": {"show_international_numbers_link": True, "third_party_audio": False},
    "feature": {
        "meeting_capacity": 100,
        "large_meeting": False,
        "webinar": True,
        "webinar_capacity": 500,
        "cn_meeting": False,
        "in_meeting": False,
        "zoom_phone": False,
    },
}
_OPTION: Json = {
    "id": "signIn_simulated",
    "name": "Sign in to Zoom",
    "type": "enforce_login",
    "default_option": True,
    "visible": False,
}
MEETING_AUTHENTICATION: Json = {
    "meeting_authentication": False,
    "authentication_options": [_OPTION],
    "allow_authentication_exception": False,
}
RECORDING_AUTHENTICATION: Json = {"recording_authentication": False, "authentication_options": [_OPTION]}


LICENCES = ("meeting_capacity", "large_meeting", "webinar", "webinar_capacity", "zoom_phone")

DEPENDENT = ("breakout_room",)  # settings of meetings that the host's own settings have to allow


def allows(user: User, name: str) -> bool:
    """Whether the user may switch this on in a meeting."""
    return bool({**DEFAULTS["in_meeting"], **user.settings.get("in_meeting", {})}[name])


def security(user: User) -> Json:
    """The answer to `option=meeting_security`."""
    shown: Json = {
        "auto_security": True,
        "block_user_domain": False,
        "embed_password_in_join_link": True,
        "encryption_type": "enhanced_encryption",
        "end_to_end_encrypted_meetings": False,
        "meeting_password": True,
        "phone_password": True,
        "pmi_password": True,
        "require_password_for_scheduled_meeting": True,
        "require_password_for_scheduled_webinar": True,
        "waiting_room": False,
        "webinar_password": True,
    }
    return {**shown, **user.settings.get("meeting_security", {})}


class UserTokens:
    """Makes tokens that speak for a user."""

    def __init__(self, state: State) -> None:
        self._state = state

    def zak(self, user: User, seconds: int, now: float) -> str:
        """A token that starts meetings as `user`."""
        return self._jwt(user, {"aud": "clientsm", "stk": "zak"}, seconds, now)

    def on_behalf(self, user: User, meeting_id: str, seconds: int, now: float) -> str:
        """A token that joins on behalf of `user`, of one meeting where that is said."""
        return self._jwt(user, {"aud": "clientsm", "stk": "obf", "mid": meeting_id}, seconds, now)

    def local_recording(self, user: User, meeting_id: str, seconds: int, now: float) -> str:
        """A token to join one meeting and record it."""
        return self._jwt(user, {"aud": "clientsm", "stk": "recording", "mid": meeting_id}, seconds, now)

    def session(self, user: User, seconds: int, now: float) -> str:
        """The plain token of `type=token`."""
        return self._jwt(user, {"aud": "clientsm", "stk": "token"}, seconds, now)

    def _jwt(self, user: User, claims: Json, seconds: int, now: float) -> str:
        body = {**claims, "iss": "web", "uid": user.id, "iat": int(now), "exp": int(now) + seconds}
        text = _part({"typ": "JWT", "alg": "HS256"}) + "." + _part(body)
        seal = hmac.new(self._state.signing_key.encode(), text.encode(), hashlib.sha256).digest()
        return text + "." + base64.urlsafe_b64encode(seal).decode().rstrip("=")


def _part(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")
