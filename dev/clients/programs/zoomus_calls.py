"""zoomus: signs in by itself. What changes is `base_uri` and `oauth_uri`, both of them parameters."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from zoomus import ZoomClient

gateway = os.environ["GATEWAY_URL"]
client = ZoomClient(
    os.environ["GATEWAY_KEY_ID"],
    os.environ["GATEWAY_KEY_SECRET"],
    os.environ["GATEWAY_CONNECTION"],
    base_uri=f"{gateway}/v2",
    oauth_uri=f"{gateway}/oauth/token",
    timeout=40,
)


def ok(answer: Any, status: int = 200) -> Any:
    """The JSON of an answer that has to have this status."""
    assert answer.status_code == status, (answer.request.method, answer.url, answer.status_code, answer.text)
    return answer.json() if answer.content else None


assert ok(client.user.get(id="me"))["email"]
assert ok(client.user.get_settings(id="me"))
start = datetime(2030, 1, 7, 10, tzinfo=UTC)
settings = {"approval_type": 1}
meeting = ok(
    client.meeting.create(user_id="me", topic="Zoömus", type=2, start_time=start, duration=30, settings=settings), 201
)["id"]
assert ok(client.meeting.get(id=meeting))["topic"] == "Zoömus"
assert meeting in {each["id"] for each in ok(client.meeting.list(user_id="me", page_size=300))["meetings"]}
ok(client.meeting.update(id=meeting, topic="Changed", start_time=start), 204)
added = ok(client.meeting.add_registrant(id=meeting, email="ada@example.com", first_name="Ada", last_name="L"), 201)
who = [{"id": added["registrant_id"], "email": "ada@example.com"}]
ok(client.meeting.update_registrant_status(id=meeting, action="approve", registrants=who), 204)
assert ok(client.meeting.list_registrants(id=meeting))["registrants"][0]["email"] == "ada@example.com"
stream = {"stream_url": "rtmp://live.example/app", "stream_key": "k", "page_url": "https://live.example"}
ok(client.live_stream.update(meeting_id=meeting, **stream), 204)
ok(client.meeting.delete(id=meeting), 204)
missing = client.meeting.get(id=meeting)
assert (missing.status_code, missing.json()["code"]) == (404, 3001)
webinar = ok(client.webinar.create(user_id="me", topic="W", type=5, settings={"approval_type": 0}), 201)["id"]
assert ok(client.webinar.get(id=webinar))["topic"] == "W"
ok(client.webinar.update(id=webinar, topic="W2"), 204)
ok(client.webinar.register(id=webinar, email="b@example.com", first_name="B", last_name="C"), 201)
assert ok(client.webinar.get_registrants(id=webinar))["registrants"]
ok(client.webinar.add_panelists(id=webinar, panelists=[{"name": "P", "email": "p@example.com"}]), 201)
assert ok(client.webinar.list_panelists(id=webinar))["panelists"]
ok(client.webinar.remove_panelists(id=webinar), 204)
ok(client.webinar.delete(id=webinar), 204)
assert "meetings" in ok(client.recording.list(user_id="me"))
assert client.past_meeting.get(meeting_id=str(meeting)).status_code == 404  # noqa: PLR2004 - HTTP's own number
print("zoomus: users, meetings, registrants, live stream, webinars, panelists, recordings, past meetings")
