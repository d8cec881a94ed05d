"""The Meeting SDK's signature, read back with another library than the one that made it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OctKey

from zoom_common.secret import Secret
from zoom_common.zoom.meeting_sdk import LONGEST, SHORTEST, Role, SdkApp, sign

NOW = 1_900_000_000.7
SECRET = "an-sdk-secret-of-some-length-0123456789"
APP = SdkApp("sdk-key", Secret(SECRET))


def claims_of(token: Secret, secret: str = SECRET) -> dict[str, Any]:
    decoded = jwt.decode(token.reveal(), OctKey.import_key(secret), algorithms=["HS256"])
    assert decoded.header == {"alg": "HS256", "typ": "JWT"}
    return decoded.claims


def test_a_signature_says_what_the_sdk_wants_today() -> None:
    """`appKey` since 5.0, `sdkKey` for those before; `mn` as text, because some have more digits than others."""
    signed = sign(APP, meeting_number="85123456789", role=Role.ATTENDEE, now=NOW, lifetime=7200)
    assert claims_of(signed.token) == {
        "appKey": "sdk-key",
        "sdkKey": "sdk-key",
        "mn": "85123456789",
        "role": 0,
        "iat": 1_899_999_970,
        "exp": 1_900_007_200,
        "tokenExp": 1_900_007_200,
    }
    assert signed.expires_at == 1_900_007_200


def test_webrtc_is_said_only_when_it_is_asked_for() -> None:
    """Zoom's own choice otherwise."""
    signed = sign(APP, meeting_number="123456789", role=Role.HOST, now=NOW, lifetime=SHORTEST, video_webrtc_mode=1)
    claims = claims_of(signed.token)
    assert (claims["video_webrtc_mode"], claims["role"]) == (1, 1)


@given(lifetime=st.integers(SHORTEST, LONGEST), now=st.floats(1e9, 4e9))
def test_every_lifetime_is_one_that_zoom_takes(lifetime: int, now: float) -> None:
    """30 minutes to 48 hours between `iat` and `exp`, whatever is asked for in between."""
    claims = claims_of(sign(APP, meeting_number="123456789", role=Role.ATTENDEE, now=now, lifetime=lifetime).token)
    assert SHORTEST <= claims["exp"] - claims["iat"] <= LONGEST
    assert claims["iat"] < now < claims["exp"]


@pytest.mark.parametrize("lifetime", [0, SHORTEST - 1, LONGEST + 1])
def test_other_lifetimes_are_not_signed(lifetime: int) -> None:
    """Zoom would refuse them at the door."""
    with pytest.raises(ValueError, match="lifetime"):
        sign(APP, meeting_number="123456789", role=Role.ATTENDEE, now=NOW, lifetime=lifetime)


def test_another_secret_does_not_verify_it() -> None:
    """And neither secret nor signature shows itself."""
    signed = sign(APP, meeting_number="123456789", role=Role.ATTENDEE, now=NOW, lifetime=SHORTEST)
    with pytest.raises(BadSignatureError):
        claims_of(signed.token, "another-secret-of-some-length-0123456789")
    assert SECRET not in repr(APP)
    assert signed.token.reveal() not in repr(signed)
