"""pyzoom takes tokens. The program replaces `base_url`, and the URL at which its `oauth` module signs in."""

from __future__ import annotations

import os

import requests
from pyzoom import ZoomClient, oauth
from pyzoom.err import APIError, NotFound

gateway = os.environ["GATEWAY_URL"]
posted = requests.post
# Its token URL is a literal.
oauth.requests.post = lambda url, **more: posted(url.replace("https://zoom.us", gateway), **more)
tokens = oauth.refresh_tokens(os.environ["GATEWAY_KEY_ID"], os.environ["GATEWAY_KEY_SECRET"], "any")
oauth.requests.post = posted
client = ZoomClient(tokens["access_token"], tokens["refresh_token"], base_url=f"{gateway}/v2")

meeting = client.meetings.create_meeting(
    "pyzöom", start_time="2030-01-07T10:00:00Z", duration_min=30, password="123456"
)
assert client.meetings.get_meeting(meeting.id).topic == "pyzöom"
assert meeting.id in {each.id for each in client.meetings.list_meetings().meetings}
client.meetings.update_meeting(
    "changed", start_time="2030-01-07T11:00:00Z", duration_min=45, password="123456", meeting_id=meeting.id
)
assert client.meetings.get_meeting(meeting.id).topic == "changed"
client.raw.patch(f"/meetings/{meeting.id}", body={"settings": {"approval_type": 0}})
assert client.raw.get_all_pages("/users/me/meetings", query={"page_size": 2})["meetings"]
assert client.raw.get(f"/meetings/{meeting.id}/registrants").json()["registrants"] == []
# The library sends every member of registrants that it knows, most of them null.
who = {"first_name": "Ada", "last_name": "L", "email": "ada@example.com"}
added = client.meetings.add_and_confirm_registrant(meeting.id, **who)
client.meetings.cancel_registration(meeting.id, registrant_id=added.registrant_id, email=who["email"])
client.meetings.approve_registration(meeting.id, registrant_id=added.registrant_id, email=who["email"])
assert client.meetings.list_meeting_registrants(meeting.id).registrants[0].email == who["email"]
assert client.users.get_users("active")
for call in (client.meetings.past_meeting_participants, client.users.delete_user):
    try:
        call(meeting.id)
    except APIError:
        continue
    raise AssertionError(call)
assert client.meetings.delete_meeting(meeting.id)
try:
    client.meetings.get_meeting(meeting.id)
except NotFound:
    pass
else:
    raise AssertionError
print("pyzoom: every method of meetings and users, pages, errors")
