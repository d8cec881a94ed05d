"""The page and its buttons."""

from __future__ import annotations

import re

from zoom_simulator.testing import Json, Zoom

FORM = {"content-type": "application/x-www-form-urlencoded"}  # what browsers send even with an empty form


def press(zoom: Zoom, action: str, **fields: str) -> str:
    """Press a button; the page after."""
    response = zoom.form(action, fields, headers=FORM)
    assert response.status_code == 303
    return zoom.get(response.headers["location"]).text


def test_it_shows_people_meetings_and_deliveries(zoom: Zoom) -> None:
    """The page shows people, meetings, and deliveries with the endpoint's answers."""
    meeting = zoom.meeting(topic="Shown <b>")
    zoom.deliver()
    text = zoom.get("/").text
    for part in ("jill@zoom.example", str(meeting["id"]), "Shown &lt;b&gt;", "meeting.created", "delivered"):
        assert part in text
    assert "<b>" not in text


def test_meetings_stand_first_and_people_have_a_menu_each(zoom: Zoom) -> None:
    """What somebody came for is on top; a person is one row with the names of the connected apps."""
    zoom.sim.app.name = "Planner <3"
    text = zoom.get("/").text
    assert re.findall("<h2>([A-Z][a-z]+)", text)[:2] == ["Meetings", "People"]
    (jill,) = [user for user in zoom.sim.state.users.values() if user.email == "jill@zoom.example"]
    assert f'popovertarget="user-{jill.id}"' in text
    assert f'title="{zoom.sim.app.client_id}">Planner &lt;3</span>' in text


def test_time_reads_like_a_clock(zoom: Zoom) -> None:
    """Today's moments are a time of day, others name their day; the clock shows both, and goes on by itself."""
    zoom.sim.clock.run_at(0)
    zoom.sim.clock.set(1_900_000_000.0)
    zoom.connect()
    zoom.meeting(start_time="2030-03-18T08:30:00Z")
    zoom.deliver()
    text = zoom.get("/").text
    assert 'data-rate="0"><span>Sun 17 Mar 2030</span> <span>17:46:40 UTC</span>' in text
    assert ">18 Mar 08:30:00</time>" in text
    assert ">17:46:40</time>" in text


def test_every_form_leads_somewhere(zoom: Zoom) -> None:
    """No button of the page is dead."""
    meeting = zoom.meeting(settings={"approval_type": 1})["id"]
    zoom.act(meeting, "register", email="a@b.example", first_name="A")
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="G")
    zoom.deliver()
    actions = set(re.findall(r'action="([^"]+)"', zoom.get("/").text))
    assert len(actions) > 25
    for action in actions:
        assert zoom.form(action, {}, headers=FORM).status_code == 303, action


def test_a_meeting_by_buttons(zoom: Zoom) -> None:
    """Schedule, start, join, share, leave, end."""
    press(zoom, "/_sim/meetings", topic="Buttons", user="jill@zoom.example", kind="meeting", auto_recording="cloud")
    (meeting,) = zoom.sim.state.meetings.values()
    path = f"/_sim/meetings/{meeting.id}"
    press(zoom, f"{path}/start")
    assert "Gus" in press(zoom, f"{path}/join", name="Gus")
    visit = next(iter(zoom.sim.state.instances.values())).visits[0]
    press(zoom, f"{path}/share", participant=visit.user_id)
    press(zoom, f"{path}/leave", participant=visit.user_id)
    press(zoom, f"{path}/end")
    assert zoom.deliver().names()[-1] == "recording.stopped"


def test_faults_crowds_switches_and_time_by_buttons(zoom: Zoom) -> None:
    """Numbers come as text from forms."""
    press(zoom, "/_sim/faults", fault="500", target="users.get", count="1")
    assert zoom.get("/v2/users/me").status_code == 500
    press(zoom, "/_sim/faults/clear")
    press(zoom, "/_sim/crowds", seed="1", meetings="1", people="2", steps_per_minute="60", seconds="5")
    press(zoom, "/_sim/behaviour", name="retry_scale", value="0.5")
    assert zoom.sim.behaviour.retry_scale == 0.5
    press(zoom, "/_sim/clock", advance="60")
    (subscription,) = zoom.sim.state.subscriptions.values()
    press(zoom, f"/_sim/subscriptions/{subscription.id}", enabled="false")
    assert subscription.enabled is False


def test_people_in_a_meeting_by_buttons(zoom: Zoom) -> None:
    """Roles, breakout rooms and the waiting room; a webinar has neither rooms."""
    meeting, webinar = zoom.meeting()["id"], zoom.webinar()["id"]
    for each in (meeting, webinar):
        zoom.act(each, "start")
        zoom.act(each, "join", name=f"In {each}")
    visit = next(iter(zoom.sim.state.instances.values())).visits[0]
    path = f"/_sim/meetings/{meeting}"
    text = press(zoom, f"{path}/role", participant=visit.user_id, role="co-host")
    assert "co-host" in text
    assert "Room 1" in press(zoom, f"{path}/breakout", participant=visit.user_id)
    press(zoom, f"{path}/return", participant=visit.user_id)
    assert "waits" in press(zoom, f"{path}/hold", participant=visit.user_id)
    actions = set(re.findall(r'action="([^"]+)"', zoom.get("/").text))
    assert f"/_sim/meetings/{webinar}/leave" in actions
    assert f"/_sim/meetings/{webinar}/breakout" not in actions


def test_apps_faults_subscriptions_and_events_by_buttons(zoom: Zoom) -> None:
    """Toggle the app, repair one fault, deliver by name, remove where events go."""
    press(zoom, "/_sim/apps/client", published="true")
    assert zoom.sim.app.published is True
    press(zoom, "/_sim/faults", fault="500", target="users.get")
    press(zoom, "/_sim/faults", fault="503", target="users.list")
    press(zoom, "/_sim/faults/1/remove")
    assert [rule.status for rule in zoom.sim.faults.rules.values()] == [503]
    press(zoom, "/_sim/clock", rate="2")
    assert zoom.sim.clock.rate == 2
    press(zoom, "/_sim/events", event="meeting.summary_completed")
    assert zoom.deliver().names() == ["meeting.summary_completed"]
    (subscription,) = zoom.sim.state.subscriptions
    press(zoom, f"/_sim/subscriptions/{subscription}/remove")
    assert zoom.sim.state.subscriptions == {}


def test_what_goes_wrong_is_said_on_the_page(zoom: Zoom) -> None:
    """The page shows an error with its fields, instead of JSON."""
    text = press(zoom, f"/_sim/meetings/{zoom.meeting(settings={'approval_type': 0})['id']}/register", email="nobody")
    assert "Validation Failed. email: Invalid field.; first_name: Required field." in text
    meeting: Json = zoom.meeting()
    assert "the meeting is not on" in press(zoom, f"/_sim/meetings/{meeting['id']}/end")
