"""zoom-python-client signs in by itself. The program replaces `api_endpoint`, and an attribute of its sign-in."""

from __future__ import annotations

import json
import os

from zoom_python_client.zoom_api_client import ZoomApiClient
from zoom_python_client.zoom_auth_api.zoom_auth_api_client import ZoomAuthApiClient

gateway = os.environ["GATEWAY_URL"]
ZoomAuthApiClient.oauth_base_url = f"{gateway}/oauth"
client = ZoomApiClient(
    os.environ["GATEWAY_CONNECTION"],
    os.environ["GATEWAY_KEY_ID"],
    os.environ["GATEWAY_KEY_SECRET"],
    api_endpoint=f"{gateway}/v2",
)

assert client.users.get_user("me")["email"]
# The library has no creates.
meeting = client.make_post_request("/users/me/meetings", data=json.dumps({"topic": "zpç", "type": 2})).json()["id"]
listed = client.users.get_user_meetings("me", {"type": "scheduled", "page_size": 300})
assert meeting in {each["id"] for each in listed["meetings"]}
assert client.meetings.get_meeting(str(meeting))["topic"] == "zpç"
stream = {
    "stream_url": "rtmp://live.example/app",
    "stream_key": "k",
    "page_url": "https://live.example",
    "resolution": "720p",
}
assert client.meeting_livestreams.update_livestream(str(meeting), stream)
assert client.meetings.get_meeting_token(str(meeting))
assert client.meeting_livestreams.get_livestream(str(meeting))["stream_url"] == stream["stream_url"]
webinar = client.make_post_request("/users/me/webinars", data=json.dumps({"topic": "w", "type": 5})).json()["id"]
assert client.webinars.get_webinar(str(webinar))["topic"] == "w"
assert client.webinar_livestreams.update_livestream(str(webinar), stream)
assert client.webinar_livestreams.get_livestream(str(webinar))["stream_key"] == "k"
for streams, number in ((client.meeting_livestreams, meeting), (client.webinar_livestreams, webinar)):
    # Neither is running. The library turns a refusal into an empty answer, and fails when it reads that.
    try:
        assert not streams.update_livestream_status(str(number), "start")
    except TypeError:
        continue
for read in (
    lambda: client.rooms.get_rooms({}),
    lambda: client.rooms.get_room("r1"),
    client.calendars.list_calendar_services,
):
    # Families without rows, which are passed on if the pass-through is on. The library reads a refusal as broken JSON.
    try:
        assert read() is not None
    except ValueError:
        continue
print("zoom-python-client: sign-in, users, meetings, tokens, webinars, live streams; rooms and calendars")
