"""What Zoom's error numbers mean."""

from __future__ import annotations

import pytest

from zoom_common.zoom.error_codes import meaning


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, 124, "zoom_rejected_token"),
        (401, None, "zoom_rejected_token"),
        (400, 124, "zoom_rejected_token"),
        (400, 200, "plan_or_permission"),
        (400, 3161, "no_scheduling_rights"),
        (400, 4711, "missing_zoom_scopes"),
        (400, 404, "registration_off"),
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
