"""Zoom's signature and challenge."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.events import APP, NOW, SECRET, zoom_headers
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import (
    EarlyTimestamp,
    MalformedChallenge,
    MalformedTimestamp,
    MissingHeader,
    Rejected,
    SigningSecret,
    StaleTimestamp,
    WrongSignature,
    answer_challenge,
    verify,
)

BODY = b'{"event":"meeting.started"}'
KEY = SigningSecret(APP, Secret(SECRET))
OTHER = SigningSecret("OtherApp", Secret("another-secret"))


@given(body=st.binary(max_size=2000))
def test_any_bytes_verify(body: bytes) -> None:
    """What was signed verifies, whatever the bytes are: JSON is not looked at."""
    assert verify(body, zoom_headers(body), [KEY], now=NOW) is KEY


@pytest.mark.parametrize(
    "body",
    [
        b'{"topic":"caf\\u00e9"}',
        '{"topic":"café \u2019 🚒"}'.encode(),
        b' { "a" :\t1,\r\n "a": 2 }\n',
        b'{"n":123456789012345678901234567890e-1}',
        b"\xff\xfe not text",
        b"",
    ],
)
def test_a_changed_byte_does_not_verify(body: bytes) -> None:
    """The signature is over these bytes and no equivalent of them."""
    with pytest.raises(WrongSignature):
        verify(body + b" ", zoom_headers(body), [KEY], now=NOW)


def test_the_app_is_the_secrets() -> None:
    """Which app a delivery is from is decided by the secret alone."""
    assert verify(BODY, zoom_headers(BODY, secret="another-secret"), [KEY, OTHER], now=NOW).app == "OtherApp"


def test_an_unknown_secret_is_rejected() -> None:
    """A signature made with a secret that is not ours is a wrong one."""
    with pytest.raises(WrongSignature):
        verify(BODY, zoom_headers(BODY, secret="forged"), [KEY, OTHER], now=NOW)


@pytest.mark.parametrize("missing", ["x-zm-signature", "x-zm-request-timestamp"])
def test_both_headers_are_required(missing: str) -> None:
    """Without its signature or stamp a delivery is rejected as such."""
    headers = zoom_headers(BODY)
    del headers[missing]
    with pytest.raises(MissingHeader):
        verify(BODY, headers, [KEY], now=NOW)


@pytest.mark.parametrize("stamp", ["now", "-1", "1.5", "1_000", "\u0661\u0662", "9" * 13, " 1790000000"])
def test_a_stamp_is_digits(stamp: str) -> None:
    """Python's int() takes more than Zoom writes; we do not."""
    with pytest.raises(MalformedTimestamp):
        verify(BODY, {**zoom_headers(BODY), "x-zm-request-timestamp": stamp}, [KEY], now=NOW)


@pytest.mark.parametrize("age", [-300, 0, 300, 90 * 60])
def test_the_window_covers_zooms_retries(age: int) -> None:
    """From five minutes ahead to ninety minutes old, which is more than the 85 Zoom keeps trying."""
    assert verify(BODY, zoom_headers(BODY, at=NOW - age), [KEY], now=NOW) is KEY


@pytest.mark.parametrize(("age", "rejection"), [(-301, EarlyTimestamp), (90 * 60 + 1, StaleTimestamp)])
def test_outside_the_window_nothing_verifies(age: int, rejection: type[Rejected]) -> None:
    """A genuine signature with a stamp outside the window is rejected, and says on which side."""
    with pytest.raises(rejection):
        verify(BODY, zoom_headers(BODY, at=NOW - age), [KEY], now=NOW)


def test_a_rotation_has_no_gap() -> None:
    """Around a rotation both secrets of one app verify, each for deliveries stamped in its time."""
    old = SigningSecret(APP, Secret("old"), ends=NOW)
    new = SigningSecret(APP, Secret("new"), starts=NOW - 60)
    for secret, at, expected in (("old", NOW - 1, old), ("new", NOW - 1, new), ("new", NOW + 60, new)):
        assert verify(BODY, zoom_headers(BODY, secret=secret, at=at), [old, new], now=NOW + 60) is expected
    with pytest.raises(WrongSignature):
        verify(BODY, zoom_headers(BODY, secret="old", at=NOW), [old, new], now=NOW)
    with pytest.raises(WrongSignature):
        verify(BODY, zoom_headers(BODY, secret="new", at=NOW - 61), [old, new], now=NOW)


@pytest.mark.parametrize("signature", ["v0=", "v1=" + "0" * 64, "v0=" + "ü" * 64, "\ud83d", "0" * 64])
def test_odd_signatures_are_wrong_ones(signature: str) -> None:
    """Nothing in the header makes the comparison itself fail."""
    with pytest.raises(WrongSignature):
        verify(BODY, {**zoom_headers(BODY), "x-zm-signature": signature}, [KEY], now=NOW)


def test_a_rejection_says_nothing() -> None:
    """The exception holds its reason and neither header nor body."""
    with pytest.raises(Rejected) as caught:
        verify(BODY, zoom_headers(BODY, secret="forged"), [KEY], now=NOW)
    assert str(caught.value) == caught.value.reason == "wrong_signature"
    assert SECRET not in repr(KEY)


def test_the_challenge_is_answered_with_the_secret_given() -> None:
    """Zoom wants its token back together with the token's HMAC in hex."""
    expected = hmac.new(SECRET.encode(), b"qgg8-vlv_Z", hashlib.sha256).hexdigest()
    assert answer_challenge({"plainToken": "qgg8-vlv_Z"}, KEY) == {
        "plainToken": "qgg8-vlv_Z",
        "encryptedToken": expected,
    }


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, *[{"plainToken": odd} for odd in (7, "", "v0:1790000000:{}", "a\n", "a" * 129)]],
)
def test_only_a_token_is_signed(payload: object) -> None:
    """A challenge is no way to have us sign a delivery."""
    with pytest.raises(MalformedChallenge):
        answer_challenge(payload, KEY)
