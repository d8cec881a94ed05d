"""Bodies that create and update webinars."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_common.zoom.models.fields import faults
from zoom_common.zoom.models.webinar import CreateWebinar, UpdateWebinar


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"topic": "Launch", "type": 5, "start_time": "2030-01-07T09:00:00Z", "settings": {"practice_session": True}},
        {"type": 9, "recurrence": {"type": 2, "weekly_days": "7", "end_times": 4, "repeat_interval": 13}},
        {"topic": "x" * 500, "agenda": "x" * 5000},
        {"simulive_delay_start": {"enable": True, "time": 10, "timeunit": "minute"}, "is_simulive": True},
        {"settings": {"registrants_restrict_number": 20000, "question_and_answer": {"answer_questions": "all"}}},
        {"settings": {"follow_up_attendees_email_notification": {"enable": True, "type": 0}}},
        {"settings": {"attendees_and_panelists_reminder_email_notification": {"type": 8}}},
        {"type": 6, "recurrence": {"type": 2, "weekly_days": "8"}},
    ],
)
def test_what_zoom_may_accept_passes(body: dict[str, Any]) -> None:
    """Webinars have no limit on topic and agenda in Zoom's contract."""
    assert faults(CreateWebinar, body) == []
    assert faults(UpdateWebinar, body) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": 2}, "type"),
        ({"settings": {"registrants_restrict_number": 20001}}, "settings.registrants_restrict_number"),
        ({"simulive_delay_start": {"timeunit": "hour"}}, "simulive_delay_start.timeunit"),
        ({"type": 9, "recurrence": {"type": 2, "weekly_days": "8"}}, "recurrence.weekly_days"),
        ({"settings": {"practice_session": "sometimes"}}, "settings.practice_session"),
    ],
)
def test_what_zoom_is_sure_to_refuse_is_named_once(body: dict[str, Any], field: str) -> None:
    """One fault, one field, by Zoom's name for it."""
    assert [each.field for each in faults(CreateWebinar, body)] == [field]
    assert [each.field for each in faults(UpdateWebinar, body)] == [field]
