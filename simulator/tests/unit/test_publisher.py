"""Who hears of what."""

from __future__ import annotations

from zoom_simulator.testing import SECRET, Zoom


def test_patterns_choose_events(zoom: Zoom) -> None:
    """A second subscription gets only events of webinars, with a request id of its own."""
    zoom.post("/_sim/subscriptions", {"url": "https://two.example", "secret": SECRET, "events": ["webinar.*"]})
    zoom.meeting()
    zoom.webinar()
    posted = zoom.deliver().events()
    assert [(each.event, each.url) for each in posted] == [
        ("meeting.created", "https://hooks.example/zoom"),
        ("webinar.created", "https://hooks.example/zoom"),
        ("webinar.created", "https://two.example"),
    ]
    assert len({each.headers["x-zm-request-id"] for each in posted}) == 3


def test_two_subscriptions_of_one_app_get_twins(zoom: Zoom) -> None:
    """One event under two `event_ts`, as far apart as a switch says."""
    zoom.post("/_sim/subscriptions", {"url": "https://two.example", "secret": SECRET, "events": ["meeting.*"]})
    zoom.meeting()
    one, other = (each.json for each in zoom.deliver().events("meeting.created"))
    assert other["event_ts"] - one["event_ts"] == 37
    assert one["payload"] == other["payload"]


def test_only_the_installed_where_that_is_switched_on(zoom: Zoom) -> None:
    """Events of people who have not authorised the app stay at Zoom."""
    zoom.sim.behaviour.audience = "installed"
    for user in ("jill@zoom.example", "owner@zoom.example"):
        zoom.post("/_sim/meetings", {"user": user, "topic": "x"})
    (posted,) = zoom.deliver().events("meeting.created")
    assert posted.json["payload"]["object"]["host_id"] == zoom.user_id()


def test_object_ids_are_text_while_it_is_on_and_numbers_else(zoom: Zoom) -> None:
    """`object.id` is a text in events of a running meeting and a number in all others, as at Zoom."""
    meeting = zoom.meeting(settings={"auto_recording": "cloud"})["id"]
    zoom.hold(meeting)
    kinds = {each.event: type(each.json["payload"]["object"]["id"]) for each in zoom.endpoint.events()}
    texts = {"meeting.started", "meeting.participant_joined", "meeting.participant_left", "meeting.ended"}
    assert {event for event, kind in kinds.items() if kind is str} == texts
    assert {kinds["meeting.created"], kinds["recording.started"], kinds["recording.completed"]} == {int}


def test_the_other_way_of_early_2026() -> None:
    """On request ids are numbers throughout, and joins are dated otherwise."""
    zoom = Zoom(live_ids="number", joined_at_field="date_time")
    zoom.connect()
    meeting = zoom.meeting()["id"]
    zoom.hold(meeting)
    joined = zoom.endpoint.events("meeting.participant_joined")[0].json["payload"]["object"]
    assert joined["id"] == meeting
    assert "date_time" in joined["participant"]


def test_a_free_plan_gets_fewer_events() -> None:
    """`meeting.updated` and `meeting.deleted` need Pro."""
    zoom = Zoom(plan="free")
    zoom.connect()
    meeting = zoom.meeting()["id"]
    zoom.patch(f"/v2/meetings/{meeting}", {"topic": "x"})
    zoom.delete(f"/v2/meetings/{meeting}")
    assert zoom.deliver().names() == ["meeting.created"]


def test_events_by_hand(zoom: Zoom) -> None:
    """Any name and payload can be sent, also unknown ones."""
    zoom.post("/_sim/events", {"event": "meeting.brand_new", "payload": {"object": {"id": "1"}}})
    (posted,) = zoom.deliver().events("meeting.brand_new")
    assert posted.json["payload"] == {"account_id": "simulated-account", "object": {"id": "1"}}
    assert zoom.post("/_sim/events", {}).status_code == 400


def test_fields_that_nobody_knows_yet(zoom: Zoom) -> None:
    """Zoom adds some every month; a receiver has to put up with that."""
    zoom.sim.behaviour.unknown_fields = True
    zoom.meeting()
    (event,) = zoom.deliver().events("meeting.created")
    assert "unknown_field" in event.json["payload"]
    assert "custom_keys" in event.json["payload"]["object"]
    assert event.json["payload"]["object"]["topic"] == "Weekly"
