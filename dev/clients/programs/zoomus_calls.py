"""zoomus signs in by itself. The program sets its parameters `base_uri` and `oauth_uri`."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from zoomus import ZoomClient

gateway = os.environ["GATEWAY_URL"]
ELSEWHERE = {"unknown_route", "not_served_here", "zoom_refused"}
client = ZoomClient(
    os.environ["GATEWAY_KEY_ID"],
    os.environ["GATEWAY_KEY_SECRET"],
    os.environ["GATEWAY_CONNECTION"],
    base_uri=f"{gateway}/v2",
    oauth_uri=f"{gateway}/oauth/token",
    timeout=40,
)


def ok(answer: Any, status: int = 200) -> Any:
    """Return the JSON of an answer, which must have this status."""
    assert answer.status_code == status, (answer.request.method, answer.url, answer.status_code, answer.text)
    return answer.json() if answer.content else None


def elsewhere(answer: Any) -> None:
    """Check an answer for a family without rows: passed on if the pass-through is on, else named as missing."""
    assert answer.status_code < 400 or answer.json()["reason"] in ELSEWHERE, answer.text  # noqa: PLR2004


assert ok(client.user.get(id="me"))["email"]
assert ok(client.user.me())["email"]
assert ok(client.user.list(status="active", page_size=300))["users"]
email = f"zoomus{time.time_ns()}@zoom.example"
user = ok(client.user.create(action="create", user_info={"email": email, "type": 1}), 201)["id"]
assert client.user.update(id=user, first_name="Z").status_code in {204, 400, 403}
assert client.user.update_status(id=user, action="deactivate").status_code in {204, 400, 403}
ok(client.user.check_email(email=email))
ok(client.user.update_email(id="me", email=email), 204)
ok(client.user.update_settings(id="me", schedule_meeting={"host_video": True}), 204)
assert client.user.delete(id=user, action="delete").status_code in {204, 403}
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
assert client.live_stream.update_status(meeting_id=meeting, action="start").json()["code"] == 4927  # noqa: PLR2004 - not live
assert client.meeting.update_status(id=meeting, action="end").status_code in {204, 400}
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
assert webinar in {each["id"] for each in ok(client.webinar.list(user_id="me", page_size=300))["webinars"]}
assert client.webinar.end(id=webinar).status_code in {204, 400}
assert client.webinar.get_absentees(id=webinar).status_code in {200, 404}
ok(client.webinar.delete(id=webinar), 204)
assert "meetings" in ok(client.recording.list(user_id="me"))
for missing in (
    client.recording.get(meeting_id=meeting),
    client.recording.delete(meeting_id=meeting),
    client.recording.delete_single_recording(meeting_id=meeting, recording_id="r1"),
    client.past_meeting.get(meeting_id=str(meeting)),
    client.past_meeting.get_participants(meeting_id=str(meeting)),
    client.report.get_meeting_participants_report(id=meeting),
    client.report.get_webinar_participants_report(id=webinar),
):
    assert missing.status_code == 404, missing.text  # noqa: PLR2004 - HTTP's own number
assert client.past_meeting.list(meeting_id=str(meeting)).status_code in {200, 404}
next_day = datetime.now(UTC)
day = next_day - timedelta(days=1)
assert "meetings" in ok(client.report.get_user_report(user_id="me", start_time=day, end_time=next_day))
assert "users" in ok(client.report.get_account_report(start_time=day, end_time=next_day))
ok(client.report.get_daily_report(month=day.month, year=day.year))
group = ok(client.group.create(name="Zoomus"), 201)["id"]
assert group in {each["id"] for each in ok(client.group.list())["groups"]}
assert ok(client.group.get(id=group))["name"] == "Zoomus"
ok(client.group.add_members(groupid=group, members=[{"id": "m1", "email": "m@example.com"}]), 201)
assert ok(client.group.list_members(groupid=group))["members"]
ok(client.group.delete_member(groupid=group, memberid="m1"), 204)
ok(client.group.delete(id=group), 204)
elsewhere(client.contacts.search(search_key="a"))
elsewhere(client.contacts.list_user_contacts())
elsewhere(client.contacts.get_user_contact(contact_id="c1"))
elsewhere(client.meeting.list_meeting_participants(id=meeting))
elsewhere(client.metric.list_meetings())
elsewhere(client.metric.get_meeting(meeting_id=str(meeting)))
elsewhere(client.metric.list_participants(meeting_id=str(meeting)))
elsewhere(client.metric.list_webinar_participants(webinar_id=str(webinar)))
elsewhere(client.metric.get_participant_qos(meeting_id=str(meeting), participant_id="p"))
elsewhere(client.metric.list_participants_qos(meeting_id=str(meeting)))
elsewhere(client.phone.numbers_list())
elsewhere(client.phone.numbers_get(id="n1"))
elsewhere(client.phone.call_logs())
elsewhere(client.phone.calling_plans())
elsewhere(client.phone.users())
elsewhere(client.role.list())
elsewhere(client.role.get(id="r1"))
elsewhere(client.role.get_members(id="r1"))
elsewhere(client.room.list())
elsewhere(client.room.get(id="r1"))
elsewhere(client.room.get_devices(id="r1"))
elsewhere(client.room.get_settings(id="r1", setting_type="meeting"))
print("zoomus: every method of users, meetings, webinars, recordings, reports and groups; reads of the others")
