"""Ending a connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.connections import START, World, connection
from tests.fakes.zoom_oauth import CLIENT_ID
from zoom_common.connections.disconnecting import Disconnection, EndedGrant, Revoked
from zoom_common.connections.link_store import Claim
from zoom_common.connections.model import State
from zoom_common.connections.refresh.effects import Write
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.errors import NotFound, Unavailable
from zoom_common.zoom.http import HttpResponse


def ending(**changes: Any) -> tuple[World, Disconnection]:
    world = World(**({"access_expires_at": START + 3000} | changes))
    return world, world.disconnection


def test_revoked_then_deleted() -> None:
    """Zoom is told, connection and claim are gone, and it is announced."""
    world, disconnection = ending()
    assert disconnection.disconnect(world.item).revoked
    assert world.zoom.revoked == ["access-0"]
    assert (world.memory.items, world.memory.claims) == ({}, {})
    assert [change["state"] for change in world.published] == ["disconnected"]


def test_an_ended_access_token_is_renewed_to_be_revoked() -> None:
    """Zoom revokes by access token only."""
    world, disconnection = ending(access_expires_at=START - 1)
    assert disconnection.disconnect(world.item).revoked
    assert world.zoom.revoked == ["access-1"]


@pytest.mark.parametrize("fault", ["never_sent", "lost_response", HttpResponse(500), HttpResponse(429)])
def test_zoom_is_down(fault: str | HttpResponse) -> None:
    """The connection goes all the same, and the revoke is tried again from the queue, without a readable token."""
    world, disconnection = ending()
    world.zoom.faults = [fault]
    ended = disconnection.disconnect(world.item)
    assert (ended.revoked, ended.queued) == (False, True)
    assert world.memory.items == {}
    [body] = world.sqs.bodies
    assert "access-0" not in body
    assert "refresh-0" not in body
    world.zoom.revoked.clear()
    assert world.revocation.revoke(EndedGrant.from_message(json.loads(body))) is Revoked.CONFIRMED
    assert world.zoom.revoked == ["access-0"]


def test_zoom_is_down_for_hours() -> None:
    """The access token ends meanwhile: a new one is asked for, to be revoked in the same breath."""
    world, disconnection = ending()
    world.zoom.faults = ["never_sent"]
    disconnection.disconnect(world.item)
    world.clock.sleep(7200)
    grant = EndedGrant.from_message(json.loads(world.sqs.bodies[0]))
    world.zoom.faults = [HttpResponse(503)]
    assert world.revocation.revoke(grant) is Revoked.UNANSWERED
    assert world.revocation.revoke(grant) is Revoked.CONFIRMED
    assert world.zoom.revoked == ["access-1"]


def test_connected_again_before_the_revoke_was_retried() -> None:
    """The person has come back, here or at another tenant: revoking would uninstall the app for them."""
    world, disconnection = ending()
    world.zoom.faults = ["never_sent"]
    disconnection.disconnect(world.item)
    world.memory.put(connection(tenant="beta", connection_id="con_9"))
    world.memory.claims[CLIENT_ID, "zoom-user"] = Claim(tenant="beta", connection_id="con_9")
    grant = EndedGrant.from_message(json.loads(world.sqs.bodies[0]))
    assert world.revocation.revoke(grant) is Revoked.NOT_OURS
    assert world.zoom.revoked == []


def test_zoom_and_the_queue_are_down() -> None:
    """Nobody can use it any more; it stays for the sweep, which revokes and deletes it later."""
    world, disconnection = ending()
    world.zoom.faults = ["never_sent"]
    world.sqs.away = True
    ended = disconnection.disconnect(world.item)
    assert (ended.revoked, ended.queued, world.item.state) == (False, True, State.DISCONNECTED)
    world.sqs.away = False
    assert disconnection.finish(world.item).revoked
    assert world.memory.items == {}


@pytest.mark.parametrize("changes", [{"access_expires_at": START - 1}, {}])
def test_nothing_to_revoke_with(changes: dict[str, Any]) -> None:
    """A dead grant, or KMS away: deleted anyway."""
    world, disconnection = ending(**changes)
    world.zoom.live = set()
    world.kms.away = not changes
    assert not disconnection.disconnect(world.item).revoked
    assert world.memory.items == {}


def test_a_superseded_connection_revokes_nothing() -> None:
    """A revoke would uninstall the app for the one who connected last."""
    world, disconnection = ending()
    world.memory.put(connection(tenant="beta", connection_id="con_9"))
    world.memory.claims[CLIENT_ID, "zoom-user"] = Claim(tenant="beta", connection_id="con_9")
    assert not disconnection.disconnect(world.item).revoked
    assert world.zoom.revoked == []
    assert list(world.memory.items) == [("beta", "con_9")]
    assert (CLIENT_ID, "zoom-user") in world.memory.claims


def test_a_refresh_under_way_brings_nothing_back() -> None:
    """The pair it gets is dropped."""
    world, disconnection = ending(access_expires_at=START - 1)
    worker = world.worker("w").until(Write)
    disconnection.disconnect(world.item)
    assert worker.finish().outcome is Outcome.CURRENT
    assert world.memory.items == {}


def test_the_table_is_away() -> None:
    """Nothing was promised: Zoom is not told, and the caller tries again."""
    world, disconnection = ending()
    world.memory.faults["disconnect"] = 1
    with pytest.raises(Unavailable):
        disconnection.disconnect(world.item)
    assert world.zoom.revoked == []


def test_gone_meanwhile() -> None:
    """Somebody else has ended it."""
    world, disconnection = ending()
    seen = world.item
    world.memory.items.clear()
    with pytest.raises(NotFound):
        disconnection.disconnect(seen)
