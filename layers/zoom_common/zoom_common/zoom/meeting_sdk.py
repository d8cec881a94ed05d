"""The signature with which the Meeting SDK joins a meeting: a JWT that only a server may make.

https://developers.zoom.us/docs/meeting-sdk/auth/ describes its content. `appKey` is required since SDK 5.0; older
versions read `sdkKey`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import jwt

from zoom_common.secret import Secret

SHORTEST, LONGEST = 1800, 172_800
DEFAULT = 7200
# Clocks differ, and Zoom refuses a signature from the future, so signatures are backdated by half a minute.
BACKDATED = 30


class Role(IntEnum):
    """The role in which the SDK joins."""

    ATTENDEE = 0
    HOST = 1


@dataclass(frozen=True, slots=True)
class SdkApp:
    """The Zoom app with the Meeting SDK: client id and client secret, or SDK key and secret of an older app."""

    key: str
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signed permission to join. `expires_at` is epoch seconds."""

    token: Secret = field(repr=False)
    expires_at: int


def sign(
    app: SdkApp, *, meeting_number: str, role: Role, now: float, lifetime: int, video_webrtc_mode: int | None = None
) -> Signature:
    """Return the signature for one meeting. `now`: epoch seconds. `lifetime`: seconds, from `SHORTEST` to `LONGEST`.

    The lifetime counts from `now`. Near `LONGEST` the signature ends up to half a minute earlier, because Zoom counts
    from the backdated `iat`. Raises ValueError for another lifetime.
    """
    if not SHORTEST <= lifetime <= LONGEST:
        raise ValueError("lifetime")
    issued_at = int(now) - BACKDATED
    expires_at = min(int(now) + lifetime, issued_at + LONGEST)
    claims = {
        "appKey": app.key,
        "sdkKey": app.key,
        "mn": meeting_number,
        "role": int(role),
        "iat": issued_at,
        "exp": expires_at,
        "tokenExp": expires_at,
    }
    if video_webrtc_mode is not None:
        claims["video_webrtc_mode"] = video_webrtc_mode
    return Signature(token=Secret(jwt.encode(claims, app.secret.reveal(), algorithm="HS256")), expires_at=expires_at)
