"""Connections that were made with another Zoom app than the configured one: nothing of theirs is sent to Zoom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.connections import START, World, connection
from tests.fakes.zoom_oauth import CLIENT_ID
from tests.unit.connections.test_linking import PROGRAM, Linkage
from zoom_common.connections.disconnecting import EndedGrant, Revoked
from zoom_common.connections.link_store import Claim
from zoom_common.connections.model import State
from zoom_common.connections.oauth_client import AnotherApp
from zoom_common.connections.placement import LinkedGrant
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.errors import Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import App

OTHER = App("another-app", Secret("its-secret"))


def switched(**changes: Any) -> World:
    """A vault whose connection was made before another Zoom app was configured."""
    world = World(**changes)
    world.credentials._app = world.credentials.next = OTHER
    return world


def test_the_sweep_leaves_it() -> None:
    """Nothing is sent, its state stays, and the sweep looks at it again a day later."""
    world = switched()
    before = world.item
    result = world.refresher.when_due("acme", "con_1")
    assert (result.outcome, result.reason) == (Outcome.UNAVAILABLE, "connection_of_another_app")
    assert world.zoom.requests == []
    after = world.item
    assert (after.state, after.version, after.due_at) == (before.state, before.version, START + 86_400)
    assert (after.lease_owner, after.cool_until, world.published) == (None, 0.0, [])


def test_it_is_refreshed_once_its_app_is_configured_again() -> None:
    """On demand at once: it was left as it was."""
    world = World()
    mine = world.credentials.app()
    world.credentials._app = world.credentials.next = OTHER
    world.refresher.when_due("acme", "con_1")
    world.credentials._app = world.credentials.next = mine
    assert world.on_demand().outcome is Outcome.REFRESHED


@pytest.mark.parametrize("reason", [None, "invalid_grant"])
def test_neither_a_call_nor_an_operator_has_it_refreshed(reason: str | None) -> None:
    """A call, and a try of a connection that was given up, send nothing either."""
    given_up = {"state": State.REAUTHORIZATION_REQUIRED, "reason": reason} if reason else {}
    world = switched(**given_up)
    result = world.refresher.try_again("acme", "con_1") if reason else world.on_demand()
    assert (result.outcome, result.reason) == (Outcome.UNAVAILABLE, "connection_of_another_app")
    assert world.zoom.requests == []


def test_the_app_is_changed_while_zoom_refuses_the_former_one() -> None:
    """The credentials are read again, and are another app's: the refresh token is not sent with those."""
    world = World()
    world.credentials.rotate("old-secret")
    world.credentials.next = OTHER
    assert world.on_demand().reason == "connection_of_another_app"
    assert len(world.zoom.requests) == 1  # with the app's own former secret
    assert world.item.state is State.CONNECTED
    assert world.current == "refresh-0"


def test_the_credentials_cannot_be_read() -> None:
    """Which app is configured is not known: the connection rests as after every fault of ours."""
    world = World()

    def away() -> App:
        raise Unavailable(reason="app_secret_unavailable")

    vars(world.credentials)["app"] = away
    assert world.refresher.when_due("acme", "con_1").unread is False
    assert world.zoom.requests == []
    assert (world.item.state, world.item.cool_until > START) == (State.CONNECTED, True)


@pytest.mark.parametrize("left", [-1, 3000])
def test_it_is_disconnected_without_zoom(left: float) -> None:
    """It is deleted; no token of it leaves, by access or by refresh token, now or from the queue."""
    world = switched(access_expires_at=START + left)
    grant = EndedGrant.of(world.item)
    done = world.disconnection.disconnect(world.item)
    assert (done.revoked, done.queued) == (False, False)
    assert ("acme", "con_1") not in world.memory.items
    assert grant is not None
    assert world.revocation.revoke(grant) is Revoked.NOT_OURS
    assert (world.zoom.requests, world.sqs.bodies) == ([], [])


def test_the_pair_of_a_link_waits_in_the_queue() -> None:
    """A callback of the former app that did not get so far: its pair is kept while that app may come back."""
    world = Linkage()
    world.memory.faults["put_pending"] = 10
    with pytest.raises(Unavailable):
        world.link()
    world.credentials._app = world.credentials.next = OTHER
    asked = len(world.zoom.requests)
    linked = LinkedGrant.from_message(json.loads(world.sqs.bodies[0]))
    with pytest.raises(Unavailable) as error:
        world.placement.follow_up(linked)
    assert (error.value.reason, len(world.zoom.requests)) == ("connection_of_another_app", asked)


def test_a_connection_that_was_reconnected_with_another_app_is_that_apps() -> None:
    """It keeps its id. What Zoom tells the former app, such as that it was removed, is not about it any more."""
    world = Linkage()
    former = connection(client_id="another-app", owner="ada")
    world.memory.put(former)
    world.memory.claims["another-app", "zoom-user"] = Claim(tenant="acme", connection_id="con_1")
    assert world.memory.by_zoom_user("another-app", "zoom-user") == former
    assert world.connect(PROGRAM, reconnects="con_1") == "con_1"
    assert world.memory.items["acme", "con_1"].client_id == CLIENT_ID
    assert world.memory.by_zoom_user(CLIENT_ID, "zoom-user") is not None
    assert world.memory.by_zoom_user("another-app", "zoom-user") is None


def test_no_token_is_sent_with_another_apps_credentials() -> None:
    """Below everything else: the client of Zoom's OAuth compares the apps."""
    world = switched()
    with pytest.raises(AnotherApp):
        world.oauth.refresh(Secret("refresh-0"), client_id=CLIENT_ID)
    with pytest.raises(AnotherApp):
        world.oauth.revoke(Secret("access-0"), client_id=CLIENT_ID)
    assert world.zoom.requests == []
