"""Creates of registrants, panelists and users with an Idempotency-Key, which are found again by e-mail address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.gateway import NOW, World, answer
from zoom_common.errors import Conflict, OutcomeUnknown
from zoom_common.gateway.idempotency import SETTLED_AFTER
from zoom_common.gateway.service import Answer
from zoom_common.transport import AnswerLost
from zoom_common.zoom.http import HttpResponse

REGISTER = "/v2/meetings/85746065/registrants"
MANY = "/v2/meetings/85746065/batch_registrants"
PANEL = "/v2/webinars/85746066/panelists"
USERS = "/v2/users"
ADA = {"email": "Ada@example.com", "first_name": "Ada"}
GRACE = {"email": "grace@example.com", "first_name": "Grace"}
NEW, OLD = "2030-03-17T17:46:40Z", "2030-03-17T17:46:00Z"
MEETING = {"id": 85746065, "topic": "Talk", "start_time": "2031-05-06T07:08:00Z"}
INVITED = {"action": "create", "user_info": {"email": "zoe@example.com", "type": 1, "first_name": "Zoë"}}
SCOPES = frozenset({"meeting:read", "meeting:write", "webinar:read", "webinar:write", "user:read:admin", "user:write"})


def post(world: World, path: str, body: dict[str, Any], *, key: str = "key-1") -> Answer:
    """Send it with a key."""
    return world.call("POST", path, headers={"idempotency-key": key}, body=json.dumps(body).encode())


def world_of(*script: HttpResponse | AnswerLost) -> World:
    """A world in which one may do all of this."""
    return World.of(*script, scopes=SCOPES)


def listed(*people: dict[str, Any], members: str = "registrants") -> HttpResponse:
    """A list of Zoom's."""
    return answer(200, json.dumps({members: people, "next_page_token": ""}).encode())


def registered(person: dict[str, Any], *, at: str = NEW) -> dict[str, Any]:
    """A registrant as Zoom lists one."""
    name = person["email"].partition("@")[0].lower()
    link = f"https://zoom.us/w/1?tk={name}"
    return {**person, "id": f"reg-{name}", "create_time": at, "status": "approved", "join_url": link}


def posts(world: World) -> int:
    """How often something was sent that changes something."""
    return sum(each.method == "POST" for each in world.zoom.sent)


def test_everybody_who_registers_for_one_meeting_has_a_key_of_their_own() -> None:
    """The answer's `id` is the meeting's, for all of them: no key owns it, and each gets its own answer again."""
    made = [answer(201, json.dumps({"id": 85746065, "registrant_id": name}).encode()) for name in ("ada", "grace")]
    world = world_of(*made)
    for key, person in (("key-1", ADA), ("key-2", GRACE)):
        assert post(world, REGISTER, person, key=key).headers["idempotency-status"] == "made"
    for key, person, name in (("key-1", ADA, "ada"), ("key-2", GRACE, "grace")):
        again = post(world, REGISTER, person, key=key)
        assert again.headers["idempotency-status"] == "replayed"
        assert json.loads(again.body)["registrant_id"] == name


def test_panels_of_one_webinar_grow_under_many_keys() -> None:
    """The answer's `id` is the webinar's."""
    world = world_of(*[answer(201, b'{"id":"85746066"}')] * 2)
    bodies = [{"panelists": [{"name": name, "email": f"{name}@example.com"}]} for name in ("p", "q")]
    for _ in range(2):
        found = [post(world, PANEL, body, key=f"key-{n}") for n, body in enumerate(bodies)]
    assert {each.headers["idempotency-status"] for each in found} == {"replayed"}
    assert posts(world) == 2


def test_a_registration_whose_answer_got_lost_is_found_by_its_address() -> None:
    """Whatever the case it is written in, and whether or not it waits for approval."""
    world = world_of(
        AnswerLost(), listed(registered(GRACE)), listed(registered(ADA)), answer(200, json.dumps(MEETING).encode())
    )
    found = post(world, REGISTER, ADA)
    assert (found.status, found.headers["idempotency-status"]) == (201, "adopted")
    assert json.loads(found.body) == {
        **MEETING,
        "registrant_id": "reg-ada",
        "join_url": "https://zoom.us/w/1?tk=ada",
    }
    assert "status=approved" in world.zoom.sent[1].url
    assert "status=pending" in world.zoom.sent[2].url
    assert post(world, REGISTER, ADA).headers["idempotency-status"] == "replayed"
    assert posts(world) == 1


def test_a_registration_is_found_without_a_look_at_the_meeting() -> None:
    """The meeting's topic is not worth an unknown outcome."""
    world = world_of(AnswerLost(), listed(registered(ADA)), answer(403, b'{"code":200}'))
    assert json.loads(post(world, REGISTER, ADA).body)["registrant_id"] == "reg-ada"


def test_a_registration_from_before_is_not_this_one() -> None:
    """Nor is another person's; after a minute it is sent again, which Zoom answers with the registration there is."""
    before = registered(ADA, at=OLD)
    lists = [listed(before, registered(GRACE)), listed(), listed()]
    world = world_of(AnswerLost(), *lists, *lists, *lists, answer(201, b'{"registrant_id":"reg-ada"}'))
    with pytest.raises(OutcomeUnknown) as unknown:
        post(world, REGISTER, ADA)
    assert unknown.value.hint is not None
    assert "same Idempotency-Key" in unknown.value.hint
    with pytest.raises(Conflict):
        post(world, REGISTER, ADA)
    world.time.passed += SETTLED_AFTER
    assert post(world, REGISTER, ADA).headers["idempotency-status"] == "made"
    assert posts(world) == 2


def test_a_batch_is_found_when_all_of_it_is_there() -> None:
    """One answer for each, in the order in which they were asked for."""
    people = [registered(GRACE), registered(ADA)]
    found = post(world_of(AnswerLost(), listed(*people)), MANY, {"registrants": [ADA, GRACE]})
    assert found.headers["idempotency-status"] == "adopted"
    reply = json.loads(found.body)["registrants"]
    assert [each["registrant_id"] for each in reply] == ["reg-ada", "reg-grace"]


def test_half_a_batch_is_left_to_the_caller() -> None:
    """Nobody can say what becomes of the other half."""
    lists = [listed(registered(ADA)), listed(), listed()]
    world = world_of(AnswerLost(), *lists, *lists)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            post(world, MANY, {"registrants": [ADA, GRACE]})
        world.time.passed += SETTLED_AFTER
    assert posts(world) == 1


def test_panelists_are_found_when_all_are_there() -> None:
    """A panel says nothing of when somebody came to it, and has each of them once."""
    panel = listed({"id": "1", "email": "P@example.com"}, members="panelists")
    world = world_of(AnswerLost(), panel)
    found = post(world, PANEL, {"panelists": [{"name": "P", "email": "p@example.com"}]})
    assert (found.status, found.headers["idempotency-status"]) == (201, "adopted")
    assert json.loads(found.body) == {"id": "85746066"}


@pytest.mark.parametrize("body", [{"panelists": [{"name": "No address"}]}, {}])
def test_who_has_no_address_is_not_looked_for(body: dict[str, Any]) -> None:
    """The hint says so."""
    world = world_of(AnswerLost())
    with pytest.raises(OutcomeUnknown) as unknown:
        post(world, PANEL, body)
    assert "new Idempotency-Key" in str(unknown.value.hint)
    assert len(world.zoom.sent) == 1


def test_a_user_who_was_provisioned_is_found_by_address() -> None:
    """As Zoom's own answer would have named them, and no more."""
    there = {"id": "u1", "email": "zoe@example.com", "type": 1, "first_name": "Zoë", "created_at": NEW, "pmi": 1}
    world = world_of(AnswerLost(), answer(200, json.dumps(there).encode()))
    found = post(world, USERS, INVITED)
    assert json.loads(found.body) == {"id": "u1", "email": "zoe@example.com", "type": 1, "first_name": "Zoë"}
    assert "/users/zoe%40example.com" in world.zoom.sent[1].url


@pytest.mark.parametrize("code", [b'{"code":1001}', b'{"code":1120}'])
def test_a_user_who_was_invited_is_found_among_the_pending(code: bytes) -> None:
    """Who has not accepted can not be read singly, and has no id in the list."""
    there = {"email": "zoe@example.com", "type": 1, "created_at": NEW}
    world = world_of(AnswerLost(), answer(404, code), listed(there, members="users"))
    assert json.loads(post(world, USERS, INVITED).body) == {"email": "zoe@example.com", "type": 1}
    assert "status=pending" in world.zoom.sent[2].url


def test_a_user_from_before_is_not_this_one() -> None:
    """Zoom would have refused: the next call asks it again, and gets the refusal."""
    there = answer(200, json.dumps({"id": "u1", "email": "zoe@example.com", "created_at": OLD}).encode())
    world = world_of(AnswerLost(), there)
    with pytest.raises(OutcomeUnknown):
        post(world, USERS, INVITED)


def test_a_look_that_is_refused_finds_nobody() -> None:
    """The outcome stays unknown; nothing is made again."""
    world = world_of(AnswerLost(), *[answer(400, b'{"code":4711}')] * 4)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            post(world, USERS, INVITED)
        world.time.passed += SETTLED_AFTER
    assert posts(world) == 1


def test_links_to_join_by_are_simply_made_again() -> None:
    """Two of them do no harm."""
    world = world_of(AnswerLost(), answer(201, b'{"attendees":[]}'))
    path, body = "/v2/meetings/85746065/invite_links", {"attendees": [{"name": "Ada"}]}
    with pytest.raises(OutcomeUnknown) as unknown:
        post(world, path, body)
    assert "same Idempotency-Key" in str(unknown.value.hint)
    assert post(world, path, body).headers["idempotency-status"] == "made"
    assert world.time.now() == NOW
