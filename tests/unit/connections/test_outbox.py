"""Every change of state is published at least once: what a crash or a refusal leaves behind, the sweep publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.connections import START, World
from tests.fakes.zoom_oauth import CLIENT_ID
from tests.unit.connections.test_linking import PROGRAM, Linkage
from zoom_common.access.principal import Principal
from zoom_common.connections.model import State
from zoom_common.connections.refresh.effects import Finish, Write
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.connections.server_to_server import AccountRequest
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.connection_events import Deauthorization
from zoom_common.secret import Secret
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.oauth import App

BETA = Principal("beta", "key:b", frozenset({"*"}))
REFUSED = HttpResponse(400, {}, b'{"reason":"Invalid Token!","error":"invalid_grant"}')

type Change = Callable[[], object]


def swept(world: World) -> list[str]:
    """What the next sweep publishes, once the bus is back; nothing is left behind after it."""
    world.bus_away = False
    before = len(world.published)
    world.clock.sleep(61)
    deadline = Deadline(1000.0, clock=lambda: 0.0)
    world.outbox.sweep(deadline)
    assert world.outbox.sweep(deadline) == 0
    return [change["type"].removeprefix("connection.") for change in world.published[before:]]


def redeemed() -> tuple[World, Change, list[str]]:
    world = Linkage()
    code, _ = world.link()
    return world, lambda: world.redemption.redeem(PROGRAM, code, owner="ada"), ["connected"]


def superseded() -> tuple[World, Change, list[str]]:
    world = Linkage()
    world.connect()
    code, _ = world.link(BETA)
    changes = ["reauthorization_required", "connected"]
    return world, lambda: world.redemption.redeem(BETA, code, owner="ada"), changes


def disconnected() -> tuple[World, Change, list[str]]:
    world = World(access_expires_at=START + 3000)
    return world, lambda: world.disconnection.disconnect(world.item), ["disconnected"]


def account_connected() -> tuple[World, Change, list[str]]:
    world = World()
    world.zoom.account_apps.add("s2s:secret")
    asked = AccountRequest(tenant="acme", owner="ada", app=App("s2s", Secret("secret")), account_id="zoom-account")
    return world, lambda: world.accounts.connect(asked), ["connected"]


def given_up() -> tuple[World, Change, list[str]]:
    world = World()
    world.zoom.faults = [REFUSED] * 3
    return world, world.on_demand, ["reauthorization_required"]


def failing() -> tuple[World, Change, list[str]]:
    world = World()
    world.zoom.faults = ["never_sent"] * 3
    return world, world.on_demand, ["refresh_failing"]


def healed() -> tuple[World, Change, list[str]]:
    world = World(state=State.REFRESH_FAILING, reason="zoom_error")
    return world, world.on_demand, ["connected"]


def removed() -> tuple[World, Change, list[str]]:
    world = World(access_expires_at=START + 3000)
    ends = Deauthorization(connections=world.memory, outbox=lambda: world.outbox, clock=world.clock)
    return world, lambda: ends.end(CLIENT_ID, "zoom-user", at=START), ["reauthorization_required"]


def refused() -> tuple[World, Change, list[str]]:
    world = World(version=3, refusals=2, refused_version=2, refused_since=START - 700)
    return world, lambda: world.refresher.refused("acme", "con_1", version=3), ["reauthorization_required"]


def revived() -> tuple[World, Change, list[str]]:
    world = World(state=State.REAUTHORIZATION_REQUIRED, reason="tokens_refused")
    return world, lambda: world.refresher.when_due("acme", "con_1"), ["connected"]


KINDS = [
    redeemed,
    superseded,
    disconnected,
    account_connected,
    given_up,
    failing,
    healed,
    removed,
    refused,
    revived,
]


@pytest.mark.parametrize("kind", KINDS)
def test_put_events_is_refused(kind: Callable[[], tuple[World, Change, list[str]]]) -> None:
    """The change is made all the same, and published by the sweep."""
    world, change, expected = kind()
    world.published.clear()
    world.bus_away = True
    change()
    assert world.published == []
    assert sorted(swept(world)) == sorted(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_after_the_write(kind: Callable[[], tuple[World, Change, list[str]]], monkeypatch: Any) -> None:
    """Nobody publishes: the sweep does."""
    world, change, expected = kind()
    world.published.clear()
    with monkeypatch.context() as patched:
        patched.setattr(type(world.outbox), "publish", lambda *_: None)
        change()
    assert sorted(swept(world)) == sorted(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_published_is_not_published_again(
    kind: Callable[[], tuple[World, Change, list[str]]],
) -> None:
    """Its entry is gone by then."""
    world, change, expected = kind()
    world.published.clear()
    change()
    assert sorted(each["type"].removeprefix("connection.") for each in world.published) == sorted(expected)
    assert swept(world) == []


def test_a_delete_that_fails_publishes_twice_with_one_id() -> None:
    """At least once: whoever deduplicates by id sees one event."""
    world, change, _ = redeemed()
    table, carry_out = world.memory.table, world.memory.table.delete

    def lost(*_: Any, **__: Any) -> dict[str, Any]:
        raise Unavailable(reason="connections_store_unavailable")

    vars(table)["delete"] = lost
    change()
    vars(table)["delete"] = carry_out
    assert swept(world) == ["connected"]
    first, second = world.published
    assert first == second


def test_the_answer_to_the_write_is_lost() -> None:
    """The refresh does not know that it gave up or healed: the sweep publishes it."""
    world = World(state=State.REFRESH_FAILING, reason="zoom_error")
    world.store.lost_writes = 1
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert (world.item.state, world.published) == (State.CONNECTED, [])
    assert swept(world) == ["connected"]


def test_the_state_moved_between_reading_and_writing() -> None:
    """What was compared is stale: the change is published from the state that the write has met."""
    world = World()
    worker = world.worker("w1").until(Write)
    world.change(state=State.REFRESH_FAILING, reason="zoom_error")
    worker.finish()
    assert world.item.state is State.CONNECTED
    [change] = world.published
    assert (change["previous_state"], change["state"]) == ("refresh_failing", "connected")


def test_a_result_that_was_not_written_is_not_published() -> None:
    """Another has moved the connection on: neither state nor event."""
    world = World()
    world.zoom.faults = ["never_sent"] * 3
    worker = world.worker("w1").until(Finish)
    world.change(state=State.REAUTHORIZATION_REQUIRED, reason="superseded", grant_id="superseded")
    worker.finish()
    assert world.item.reason == "superseded"
    assert swept(world) == []


def test_the_sweep_leaves_what_is_being_published() -> None:
    """An entry younger than a minute may still be published by the one who wrote it."""
    world, change, _ = redeemed()
    world.bus_away = True
    change()
    world.bus_away = False
    assert world.outbox.sweep(Deadline(1000.0, clock=lambda: 0.0)) == 0
    assert swept(world) == ["connected"]


def test_a_bus_that_stays_away_loses_nothing() -> None:
    """The entry waits for the next sweep."""
    world, change, _ = redeemed()
    world.bus_away = True
    change()
    world.clock.sleep(61)
    assert world.outbox.sweep(Deadline(1000.0, clock=lambda: 0.0)) == 0
    assert swept(world) == ["connected"]


def test_a_sweep_ends_with_its_time() -> None:
    """What is left waits for the next one."""
    world, change, _ = redeemed()
    world.bus_away = True
    change()
    world.bus_away = False
    world.clock.sleep(61)
    assert world.outbox.sweep(Deadline(0.0, clock=lambda: 0.0)) == 0
    assert swept(world) == ["connected"]


def test_new_credentials_are_published_where_a_refresh_has_just_failed() -> None:
    """The state that was read may be stale: the new connection is published in any case."""
    world, change, _ = account_connected()
    change()
    world.published.clear()
    change()
    assert [each["state"] for each in world.published] == ["connected"]


def test_the_answer_to_a_removal_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event comes back and finds the tokens gone. The entry was written with that: the sweep publishes it once."""
    world, change, _ = removed()
    carry_out = world.memory.table.transact

    def lost(operations: Any) -> None:
        carry_out(operations)
        raise Unavailable(reason="connections_store_unavailable")

    with monkeypatch.context() as patched:
        patched.setitem(vars(world.memory.table), "transact", lost)
        with pytest.raises(Unavailable):
            change()
    assert (world.item.reason, world.published) == ("app_deauthorized", [])
    assert change()
    assert world.published == []
    assert swept(world) == ["reauthorization_required"]
    assert "refresh_token" in world.published[0]["deleted"]
