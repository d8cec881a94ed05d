"""What Zoom's error numbers mean."""

from __future__ import annotations

import pytest

from zoom_common.zoom.error_codes import RefusedCall, meaning
from zoom_common.zoom.rate_limits import Limit


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, 124, "zoom_rejected_token"),
        (401, None, "zoom_rejected_token"),
        (400, 124, "zoom_rejected_token"),
        (400, 200, "plan_or_permission"),
        (400, 3161, "no_scheduling_rights"),
        (400, 4711, "missing_zoom_scopes"),
        (401, 4700, "missing_zoom_scopes"),
        (400, 404, "zoom_refused"),
        (400, 3038, "registration_over"),
        (400, 3043, "registration_full"),
        (404, 1001, "unknown_user"),
        (404, 3001, "unknown_meeting"),
        (404, 3301, "no_recording"),
        (429, 429, "zoom_rate_limited"),
        (500, 3001, "zoom_failed"),
        (404, 999_999, "zoom_refused"),
    ],
)
def test_status_and_code_together_give_the_reason(status: int, code: int | None, reason: str) -> None:
    """Messages are never read."""
    assert meaning(status, code).reason == reason


@pytest.mark.parametrize(
    ("status", "code"), [(404, 1001), (404, 3001), (400, 200), (400, 3161), (404, 3301), (401, 124)]
)
def test_the_common_ones_say_what_to_do(status: int, code: int) -> None:
    """A sentence for people."""
    assert len(meaning(status, code).hint or "") > 20


LIST = RefusedCall(method="GET", path="/users/{userId}/meetings")
OTHER = RefusedCall(method="GET", path="/users/{userId}/meetings", names_user=True)
ACCOUNT = RefusedCall(method="GET", path="/users/{userId}/meetings", names_user=True, is_account_level=True)
DAILY = RefusedCall(method="GET", path="/report/daily")
MEETING = RefusedCall(method="GET", path="/meetings/{meetingId}")
REGISTER = RefusedCall(method="POST", path="/meetings/{meetingId}/registrants")
REGISTRANTS = RefusedCall(method="GET", path="/meetings/{meetingId}/registrants")
WRONG_FIELD = RefusedCall(method="POST", path="/meetings/{meetingId}/registrants", names_fields=True)
PAGE = RefusedCall(method="GET", path="/users", has_page_token=True)
FIELD_OF_PAGE = RefusedCall(method="GET", path="/users", has_page_token=True, names_fields=True)


@pytest.mark.parametrize(
    ("words", "status", "code", "shown", "not_shown"),
    [
        ("as `me`", 403, 200, [OTHER], [LIST, MEETING, ACCOUNT]),
        ("as `me`", 404, 1001, [OTHER], [LIST, ACCOUNT, REGISTER]),
        ("as `me`", 400, 1010, [OTHER], [LIST, ACCOUNT]),
        ("as `me`", 401, 124, [OTHER], [LIST, MEETING, ACCOUNT]),
        ("belongs to another user", 403, 200, [MEETING, REGISTRANTS], [OTHER, ACCOUNT, LIST, DAILY]),
        ("role", 403, 200, [ACCOUNT, LIST, DAILY], [MEETING, OTHER]),
        ("is not in the connected Zoom account", 404, 1001, [ACCOUNT, LIST], [OTHER, REGISTER]),
        ("The meeting or webinar does not exist", 404, 1001, [REGISTER], [REGISTRANTS, ACCOUNT, OTHER]),
        ("approval_type", 400, 404, [REGISTER], [REGISTRANTS, LIST, MEETING]),
        ("approval_type", 404, 404, [REGISTER], [REGISTRANTS, LIST, MEETING]),
        ("webinar's id", 400, 3000, [MEETING], [LIST, OTHER, REGISTER]),
        ("registration is off", 400, 3000, [REGISTER, REGISTRANTS], [MEETING, LIST]),
        ("registration is off", 400, 300, [REGISTER, REGISTRANTS], [MEETING, LIST, PAGE, WRONG_FIELD]),
        ("page token", 400, 300, [PAGE], [FIELD_OF_PAGE, LIST]),
        ("`errors`", 400, 300, [LIST, FIELD_OF_PAGE], [PAGE]),
        ("100 creates", 429, 429, [RefusedCall(limit=Limit.PER_USER)], [RefusedCall(limit=Limit.DAILY), LIST]),
        ("for today", 429, 429, [RefusedCall(limit=Limit.DAILY)], [RefusedCall(limit=Limit.PER_USER), LIST]),
        ("whole account", 429, 4001, [RefusedCall(limit=Limit.PER_SECOND), LIST], [RefusedCall(limit=Limit.PER_USER)]),
    ],
)
def test_a_hint_fits_the_call(
    words: str, status: int, code: int, shown: list[RefusedCall], not_shown: list[RefusedCall]
) -> None:
    """It depends on the path, the kind of connection and the query, and is absent where it would mislead."""
    assert all(words in (meaning(status, code, each).hint or "") for each in shown)
    assert not any(words in (meaning(status, code, each).hint or "") for each in not_shown)
