"""`POST /meetings/{id}/sdk-signature`: what a browser needs to join with Zoom's Meeting SDK."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from time import time
from typing import Any

from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.connections.oauth_client import AppSecret
from zoom_common.connections.views import iso
from zoom_common.edge.call_log import Logged
from zoom_common.edge.http import Router
from zoom_common.edge.own_requests import body_of
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import connection_header
from zoom_common.edge.response import Response, error_response, json_response
from zoom_common.edge.zoom_api import ZoomApiSettings
from zoom_common.errors import FieldError, GatewayError, InvalidRequest, ZoomRefused
from zoom_common.gateway.join import JoinCredentials, JoinRequest, Kind, MeetingAccess
from zoom_common.settings import optional, require
from zoom_common.wiring.gateway import gateway
from zoom_common.wiring.throttle import key_limits
from zoom_common.zoom.meeting_sdk import DEFAULT, LONGEST, SHORTEST, Role, SdkApp


@dataclass(frozen=True, slots=True)
class MeetingSdkSettings:
    """`app_account_id` is the Zoom account that owns the app, empty when it is not known."""

    zoom_api: ZoomApiSettings
    sdk_secret_arn: str
    app_account_id: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> MeetingSdkSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            zoom_api=ZoomApiSettings.from_env(environ),
            sdk_secret_arn=require(environ, "ZOOM_SDK_SECRET_ARN"),
            app_account_id=optional(environ, "ZOOM_APP_ACCOUNT_ID"),
        )


_NUMBER = re.compile(r"[0-9]{9,12}")


def join_request_of(request: Request, meeting_id: str) -> JoinRequest:
    """Read a request. Raises InvalidRequest with every wrong field."""
    body = body_of(request)
    role, lifetime = body.get("role", 0), body.get("expires_in", DEFAULT)
    webrtc = body.get("video_webrtc_mode")
    checks = {
        "meetingId": ("A meeting number: 9 to 12 digits.", _NUMBER.fullmatch(meeting_id) is not None),
        "role": ("0 to attend, 1 to host.", _is_one_of(role, (0, 1))),
        "expires_in": (
            f"Seconds, from {SHORTEST} to {LONGEST}.",
            isinstance(lifetime, int) and not isinstance(lifetime, bool) and SHORTEST <= lifetime <= LONGEST,
        ),
        "video_webrtc_mode": ("0 or 1.", webrtc is None or _is_one_of(webrtc, (0, 1))),
    }
    wrong = [FieldError(name, message) for name, (message, right) in checks.items() if not right]
    if wrong:
        raise InvalidRequest(wrong)
    return JoinRequest(
        meeting_number=meeting_id,
        role=Role(role),
        lifetime=lifetime,
        video_webrtc_mode=webrtc,
        connection=connection_header(request.headers),
    )


def describe(join: JoinRequest, credentials: JoinCredentials, request_id: str) -> dict[str, Any]:
    """Return the JSON for a browser: the arguments of the SDK's `join`, or why a required token is missing."""
    token = credentials.token.reveal() if credentials.token else None
    shown: dict[str, Any] = {
        "signature": credentials.signature.token.reveal(),
        "sdk_key": credentials.sdk_key,
        "meeting_number": join.meeting_number,
        "role": int(join.role),
        "expires_at": iso(credentials.signature.expires_at),
        "password": credentials.password.reveal() if credentials.password else None,
        "outside_account": credentials.outside,
        "zak": token if credentials.due is Kind.ZAK else None,
        "obf": token if credentials.due is Kind.ON_BEHALF else None,
    }
    if credentials.due is not None and credentials.refusal is not None:
        shown["token_missing"] = {"kind": str(credentials.due), **_reason(credentials.refusal, request_id)}
    return shown


def _reason(error: GatewayError, request_id: str) -> Mapping[str, Any]:
    answered = error_response(error, request_id)
    try:
        said = json.loads(answered.body)
    except ValueError:
        said = {}
    # Zoom's own body where Zoom answered with an error; our reason in both cases.
    about = dict(said) if isinstance(said, dict) else {}
    about.pop("request_id", None)
    hint = {"hint": error.hint} if error.hint and isinstance(error, ZoomRefused) else {}
    return {"code": error.status, "message": str(error), **about, "reason": error.reason, **hint}


def _is_one_of(value: object, choices: tuple[int, ...]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in choices


@cache
def _settings() -> MeetingSdkSettings:
    return MeetingSdkSettings.from_env(os.environ)


router = Router(key_limits(lambda: _settings().zoom_api))
handler = router.handle


@cache
def _meeting_access() -> MeetingAccess:
    settings = _settings()
    secret = AppSecret(clients.client("secretsmanager"), settings.sdk_secret_arn, clock=time)

    def app() -> SdkApp:
        known = secret.app()
        return SdkApp(known.client_id, known.client_secret)

    return MeetingAccess(
        zoom=Logged(gateway(settings.zoom_api)), app=app, app_account=settings.app_account_id, clock=time
    )


@router.route("POST", "/meetings/{meeting_id}/sdk-signature", scope="meetings:read")
def sign(request: Request, principal: Principal, meeting_id: str) -> Response:
    """Answer what a browser needs to join a meeting."""
    join = join_request_of(request, meeting_id)
    credentials = _meeting_access().admit(principal, join, request.deadline)
    return json_response(200, describe(join, credentials, request.request_id))
