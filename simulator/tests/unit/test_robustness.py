"""Whatever is thrown at it, it refuses or obeys; it never breaks."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

import httpx
import pytest

from zoom_simulator.rest import table
from zoom_simulator.testing import Zoom

VALUES: tuple[Any, ...] = (
    None, 0, 1, -1, 2**70, "", "x", "x" * 3000, True, [], [1], [None], [{}], {}, {"a": 1}, 1.5, "2026-11-20T10:00:00Z",
    "99999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "a@b.example", "UTC", "approve", "start", "end", "recover", 8, 9,
    5,
    {"type": 3, "monthly_week": 4, "monthly_week_day": 7, "end_times": 60}, {"type": 1, "end_date_time": 5},
    {"type": True},
)  # fmt: skip
FIELDS = (
    "topic", "type", "agenda", "duration", "timezone", "start_time", "password", "recurrence", "settings",
    "schedule_for",
    "tracking_fields", "action", "user_info", "email", "first_name", "registrants", "panelists", "attendees", "ttl",
    "events", "event_webhook_url", "page_url", "stream_key", "stream_url", "custom_questions", "pmi", "in_meeting",
    "recording", "auto_approve",
)  # fmt: skip
QUERY = (
    "page_size",
    "next_page_token",
    "type",
    "status",
    "occurrence_id",
    "from",
    "to",
    "action",
    "ttl",
    "year",
    "month",
)
TEXTS = ("", "x", "1", "2026-11-01", "2026-13-01", "-5", "9" * 20, "²", "true", "upcoming")
SPARED = ("delete", "delete_all", "clear", "users.status")


@pytest.mark.parametrize("seed", range(3))
def test_random_requests_never_break_it(seed: int) -> None:
    """Hundreds of them, from a seed; nothing is answered by 5xx or an exception."""
    zoom = Zoom(me_for_account_apps="accept", own_id_for_me="accept")
    zoom.connect("owner@zoom.example")
    meeting = zoom.meeting(type=8, recurrence={"type": 1, "end_times": 3}, settings={"approval_type": 0})["id"]
    webinar = zoom.webinar(settings={"approval_type": 0, "auto_recording": "cloud"})["id"]
    zoom.hold(meeting)
    zoom.hold(webinar)
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    ids = {"meetingId": meeting, "meetingUUID": meeting, "webinarId": webinar, "userId": "me"}
    rows = [row for row in table.rows() if not row.name.endswith(SPARED)]

    async def send() -> set[int]:
        found = set()
        transport = httpx.ASGITransport(zoom.server)
        headers = {"Authorization": f"Bearer {zoom.token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://zoom.test", headers=headers) as client:
            for _ in range(800):
                row = chance.choice(rows)
                path = re.sub(r"\{(\w+)\}", lambda match: str(ids.get(match[1], chance.choice(TEXTS[1:]))), row.path)
                params = {chance.choice(QUERY): chance.choice(TEXTS) for _ in range(chance.randrange(3))}
                body = {chance.choice(FIELDS): chance.choice(VALUES) for _ in range(chance.randrange(6))}
                sent = None if row.method == "GET" else body
                found.add((await client.request(row.method, f"/v2{path}", params=params, json=sent)).status_code)
        return found

    assert zoom.run(asyncio.wait_for(send(), 60)) <= {200, 201, 204, 400, 401, 403, 404, 409, 415}
