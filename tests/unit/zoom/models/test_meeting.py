"""Bodies that create and update meetings: never stricter than Zoom's contract, clear where Zoom is sure to refuse."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_common.zoom.models.fields import faults
from zoom_common.zoom.models.meeting import CreateMeeting, UpdateMeeting

WEEKLY = {"topic": "Standup", "type": 8, "start_time": "2030-01-07T09:00:00Z", "duration": 30, "timezone": "UTC"}


def recurring(**recurrence: Any) -> dict[str, Any]:
    """A meeting that repeats like this."""
    return {**WEEKLY, "recurrence": recurrence}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {
            "topic": "Standup",
            "type": 2,
            "start_time": "2030-01-07T09:00:00",
            "duration": 60,
            "timezone": "Asia/Kolkata",
        },
        recurring(type=2, weekly_days="2,4", end_times=12, repeat_interval=1),
        recurring(type=1, repeat_interval=99, end_times=0),
        recurring(type=3, monthly_week=-1, monthly_week_day=6, end_date_time="2031-01-01T00:00:00Z"),
        recurring(type=3, monthly_day=31),
        {"topic": None, "settings": None, "recurrence": None, "tracking_fields": None},
        {"duration": "60", "type": "2", "settings": {"host_video": "true", "approval_type": "0"}},
        {"settings": {"waiting_room": 1, "jbh_time": 10.0}, "password": 123456},
        {"something_new": {"since": [1, 2]}, "settings": {"newer": 2**80}},
        {"topic": "\U0001f600" * 200},
        {"type": 2, "recurrence": {"type": 2, "end_times": 3, "end_date_time": "2031-01-01T00:00:00Z"}},
        {"start_time": "", "timezone": "", "password": ""},
        {"start_time": 1900000000, "topic": 3, "duration": 0, "settings": [], "schedule_for": ""},
        {"recurrence": {"type": 9, "weekly_days": ["2"]}},
        recurring(type=2, repeat_interval=1),
        recurring(type=1, end_times=110),
        recurring(type=1, end_times=2, end_date_time="2031-01-01T00:00:00Z"),
        recurring(type=3, monthly_week=1),
        recurring(type=3, monthly_day=0, monthly_week=0, monthly_week_day=0, weekly_days="", end_times=0),
        {
            "settings": {
                "audio": "loud",
                "auto_recording": "",
                "approval_type": 7,
                "registration_type": 0,
                "jbh_time": "x",
            }
        },
        {"settings": {"waiting_room_options": {}, "breakout_room": [], "host_video": []}},
        {"settings": {"auto_add_recording_to_video_management": {"enable": True, "channels": []}}},
    ],
)
def test_what_zoom_may_accept_passes(body: dict[str, Any]) -> None:
    """Values that mean "not set", scalars of other types, unknown members, a recurrence that Zoom does not read."""
    assert faults(CreateMeeting, body) == []
    assert faults(UpdateMeeting, body) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"topic": "x" * 201}, "topic"),
        ({"topic": ["x"]}, "topic"),
        ({"agenda": "x" * 2001}, "agenda"),
        ({"type": 5}, "type"),
        ({"type": True}, "type"),
        ({"duration": 1441}, "duration"),
        ({"duration": "an hour"}, "duration"),
        ({"duration": 1441.5}, "duration"),
        ({"duration": float("inf")}, "duration"),
        ({"password": "12345678901"}, "password"),
        ({"start_time": "tomorrow"}, "start_time"),
        ({"start_time": "2030-02-30T10:00:00Z"}, "start_time"),
        ({"timezone": "Mars/Olympus_Mons"}, "timezone"),
        ({"settings": {"host_video": "maybe"}}, "settings.host_video"),
        ({"settings": {"alternative_hosts": ["a@example.com"]}}, "settings.alternative_hosts"),
        ({"settings": {"meeting_invitees": [{"email": "nobody"}]}}, "settings.meeting_invitees[0].email"),
        ({"settings": {"custom_keys": [{"key": "k"}] * 11}}, "settings.custom_keys"),
        ({"duration": -1}, "duration"),
        ({"settings": {"audio": ["loud"]}}, "settings.audio"),
        ({"settings": {"host_video": {}}}, "settings.host_video"),
        (recurring(repeat_interval=1), "recurrence.type"),
        (recurring(type=1, end_times=-1), "recurrence.end_times"),
        (recurring(type=2, weekly_days=["2", "4"]), "recurrence.weekly_days"),
        (recurring(type=4), "recurrence.type"),
        (recurring(type=2, weekly_days="0,8"), "recurrence.weekly_days"),
        (recurring(type=1, end_date_time="soon"), "recurrence.end_date_time"),
        (recurring(type=1, repeat_interval=100), "recurrence.repeat_interval"),
        (recurring(type=2, weekly_days="1", repeat_interval=51), "recurrence.repeat_interval"),
        (recurring(type=3, monthly_day=1, repeat_interval=11), "recurrence.repeat_interval"),
        (recurring(type=3, monthly_day=32), "recurrence.monthly_day"),
        (recurring(type=3, monthly_week=5, monthly_week_day=1), "recurrence.monthly_week"),
    ],
)
def test_what_zoom_is_sure_to_refuse_is_named_once(body: dict[str, Any], field: str) -> None:
    """One fault, one field, by Zoom's name for it."""
    assert [each.field for each in faults(CreateMeeting, body)] == [field]
    assert [each.field for each in faults(UpdateMeeting, body)] == [field]


def test_a_tracking_field_is_named_when_it_is_new() -> None:
    """Zoom's contract asks for the name on creating only."""
    body = {"tracking_fields": [{"value": "x"}]}
    assert [each.field for each in faults(CreateMeeting, body)] == ["tracking_fields[0].field"]
    assert faults(UpdateMeeting, body) == []


def test_all_faults_are_reported_at_once() -> None:
    """The messages are the contract's words and not a library's."""
    body = {"type": 99, "duration": -1, "topic": "x" * 201, "agenda": {}, "password": "12345678901"}
    reported = {
        each.field: each.message for each in faults(CreateMeeting, {**body, "settings": {"custom_keys": [{}] * 11}})
    }
    assert reported == {
        "topic": "Must have at most 200 characters.",
        "password": "Must have at most 10 characters.",
        "settings.custom_keys": "Must have at most 10 entries.",
        "type": "Must be 1, 2, 3, 8 or 10.",
        "duration": "Must be 1 or more.",
        "agenda": "Must be a string.",
    }


def test_no_fault_quotes_what_was_sent() -> None:
    """Bodies hold passcodes and addresses."""
    body = {"password": "s3cret-and-long", "timezone": "s3cret", "start_time": "s3cret", "type": "s3cret"}
    found = faults(
        CreateMeeting, {**body, "settings": {"host_video": "s3cret", "meeting_invitees": [{"email": "s3cret"}]}}
    )
    assert len(found) == 6
    assert "s3cret" not in repr(found)
