"""The table of user paths knows every place where Zoom's event contracts name a Zoom user.

`event_user_paths.json` holds facts only: event names and members. They were read on 2026-11-30 from the event pages of
every family at https://developers.zoom.us/docs/api/ (snapshot of 2026-02-07) and, for Phone, from the typings of
@zoom/rivet 0.4.0. Contact Center is not in it: its page was not at hand, only its changelog names members.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract import facts
from tests.fakes.event_stores import Connection, Connections, Hosts
from tests.fakes.events import APP
from zoom_common.events.routing import Route, routes
from zoom_common.zoom.event_users import OPERATOR_PATH, USER_PATHS, values_at
from zoom_common.zoom.events import parse

DOCUMENTED: dict[str, list[str]] = json.loads((Path(__file__).parent / "event_user_paths.json").read_text())
ADA, HER_CONNECTION = "kFFvsJc-Q1OSxaJQLvaa_A", Connection("acme", "con_a")


def with_user_at(path: str) -> dict[str, Any]:
    """A payload that names Ada at one path and nobody else."""
    payload: dict[str, Any] = {}
    place = payload
    *parents, leaf = path.split(".")
    for name in parents:
        entry: dict[str, Any] = {}
        place[name.removesuffix("[]")] = [7, entry] if name.endswith("[]") else entry
        place = entry
    place[leaf] = ADA
    return payload


def routed(name: str, payload: dict[str, Any]) -> list[Route]:
    """Where an event of this name goes while only Ada is connected."""
    event = parse(json.dumps({"event": name, "event_ts": 1, "payload": payload}).encode())
    return routes(event, APP, Connections(users={(APP, ADA): HER_CONNECTION}), Hosts())


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_an_event_reaches_the_user_at_every_documented_path(name: str) -> None:
    """A user who is named in one place only receives the event by their own connection."""
    missed = [path for path in DOCUMENTED[name] if routed(name, with_user_at(path)) != [Route("acme", "con_a")]]
    assert missed == []


@pytest.mark.parametrize("name", sorted(facts.SAMPLES))
def test_a_sample_names_no_user_that_the_table_misses(name: str) -> None:
    """Every `host_id`, `operator_id` and `owner_id` in a sample is among the users of the event."""
    body = json.dumps(facts.sample(name)).encode()
    event = parse(body)
    places = ("object.host_id", "object.meeting_host_id", "object.owner_id", OPERATOR_PATH)
    named = {str(value) for path in places for value in values_at(event.payload, path) if value}
    assert named <= set(event.users)


@pytest.mark.parametrize("family", ["meeting", "webinar"])
def test_owners_of_files_and_editors_of_summaries_are_reached(family: str) -> None:
    """In the contract of August 2026: whoever uploaded a file of the chat, and whoever changed a summary last."""
    owner, editor = "object.chat_message_file.file_owner_id", "object.summary_last_modified_user_id"
    for what, path in (("chat_message_file_downloaded", owner), ("summary_updated", editor)):
        assert routed(f"{family}.{what}", with_user_at(path)) == [Route("acme", "con_a")]


def test_contact_center_events_reach_their_agents() -> None:
    """`user_id` and `assigned_user_id`: https://developers.zoom.us/changelog/contact-center/ of January 2023."""
    for path in ("object.user_id", "object.assigned_user_id"):
        assert routed("contact_center.task_reservation_created", with_user_at(path)) == [Route("acme", "con_a")]


def test_an_unknown_family_is_routed_by_the_usual_names() -> None:
    """Zoom adds families; their people are most likely in `user_id` or `owner_id`."""
    assert routed("holograms.started", with_user_at("object.user_id")) == [Route("acme", "con_a")]
    assert routed("holograms.started", with_user_at("object.owner.id")) == [Route("acme", "con_a")]


@pytest.mark.parametrize("name", ["session.user_joined", "cobrowse.session_ended", "meeting.participant_joined"])
def test_ids_that_are_no_zoom_users_route_nothing(name: str) -> None:
    """In these families a `user_id` names a session or whatever the program chose."""
    assert routed(name, with_user_at("object.user_id")) == []


@pytest.mark.parametrize("odd", [None, 7, [], "text", {"members": {"id": ADA}}])
def test_an_object_of_another_form_names_nobody(odd: object) -> None:
    """A payload that is not what the contract says is unrouted and not an error."""
    assert routed("group.member_added", {"object": odd}) == []


def test_every_path_of_the_table_can_be_read() -> None:
    """No path is misspelled in a way that reads nothing."""
    for paths in USER_PATHS.values():
        for path in paths:
            assert list(values_at(with_user_at(path), path)) == ([None, ADA] if "[]" in path else [ADA])
