"""What a request to join says, and what the answer looks like."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from zoom_common.connections.view import iso
from zoom_common.edge.link_requests import body_of
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import connection_header
from zoom_common.edge.response import error_response
from zoom_common.errors import FieldError, GatewayError, InvalidRequest, ZoomRefused
from zoom_common.gateway.joining import Admission, Kind, Wish
from zoom_common.zoom.meeting_sdk import DEFAULT, LONGEST, SHORTEST, Role

_NUMBER = re.compile(r"[0-9]{9,12}")


def wish_of(request: Request, meeting_id: str) -> Wish:
    """Read a request. Raises InvalidRequest, naming every field that will not do."""
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
    return Wish(
        meeting_number=meeting_id,
        role=Role(role),
        lifetime=lifetime,
        video_webrtc_mode=webrtc,
        connection=connection_header(request.headers),
    )


def describe(wish: Wish, admission: Admission, request_id: str) -> dict[str, Any]:
    """The JSON for a browser: what the SDK's `join` takes, and why a token is missing where one is due."""
    token = admission.token.reveal() if admission.token else None
    shown: dict[str, Any] = {
        "signature": admission.signature.token.reveal(),
        "sdk_key": admission.sdk_key,
        "meeting_number": wish.meeting_number,
        "role": int(wish.role),
        "expires_at": iso(admission.signature.expires_at),
        "password": admission.password.reveal() if admission.password else None,
        "outside_account": admission.outside,
        "zak": token if admission.due is Kind.ZAK else None,
        "obf": token if admission.due is Kind.ON_BEHALF else None,
    }
    if admission.due is not None and admission.refusal is not None:
        shown["token_missing"] = {"kind": str(admission.due), **_reason(admission.refusal, request_id)}
    return shown


def _reason(error: GatewayError, request_id: str) -> Mapping[str, Any]:
    answered = error_response(error, request_id)
    try:
        said = json.loads(answered.body)
    except ValueError:
        said = {}
    # Zoom's own words where it refused, and our reason for both.
    about = dict(said) if isinstance(said, dict) else {}
    about.pop("request_id", None)
    hint = {"hint": error.hint} if error.hint and isinstance(error, ZoomRefused) else {}
    return {"code": error.status, "message": str(error), **about, "reason": error.reason, **hint}


def _is_one_of(value: object, choices: tuple[int, ...]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in choices
