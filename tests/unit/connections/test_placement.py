"""Pairs of links: each is stored or revoked, whatever becomes of the link and wherever a process ends."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.zoom_oauth import CLIENT_ID
from tests.unit.connections.test_linking import PROGRAM, Linkage, refused
from zoom_common.access.principal import Principal
from zoom_common.connections.cipher import SealContext, SealKind
from zoom_common.connections.model import Connection, State
from zoom_common.connections.placement import LinkedGrant, LinkEnd
from zoom_common.errors import GatewayError, LinkRefused, NotFound, Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.events import DEAUTHORIZED
from zoom_common.zoom.http import HttpResponse

BETA = Principal("beta", "key:b", frozenset({"*"}))
CODE_AND_SKEW = 660


class Crash(BaseException):
    """The process ends here."""


class Site(Linkage):
    """A vault, its escrow queue, and a process that can end before or after any step to the outside."""

    def __init__(self) -> None:
        super().__init__()
        self.zoom.grace = False  # as documented: the old token is dead at once
        self.steps: list[str] = []
        self.crash_at: tuple[int, str] | None = None
        vars(self.sqs)["send_message"] = self._watched("queue", self.sqs.send_message)
        vars(self.oauth)["_transport"] = SimpleNamespace(send=self._watched("zoom", self.zoom.send))
        for table in (self.memory.table, self.links._coordination):
            vars(table)["_send"] = self._watched("table", table._send)

    def _watched(self, name: str, carry_out: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            number = len(self.steps)
            self.steps.append(name)
            if self.crash_at == (number, "before"):
                raise Crash
            answer = carry_out(*arguments, **named)
            if self.crash_at == (number, "after"):
                raise Crash
            return answer

        return watched

    def crash(self, number: int, when: str) -> None:
        self.steps.clear()
        self.crash_at = (number, when)

    def queue(self, *, hours: float = 8) -> list[LinkEnd]:
        """Bring every message of the queue until none is left; the process of each may end, and it comes again."""
        ends, until = [], self.clock() + hours * 3600
        self.clock.sleep(60)
        while self.sqs.bodies and self.clock() < until:
            message = self.sqs.bodies.pop(0)
            try:
                ends.append(self.placement.follow_up(LinkedGrant.from_message(json.loads(message))))
            except (Crash, Unavailable):
                self.crash_at = None
                self.sqs.bodies.append(message)
            self.clock.sleep(300)
        assert not self.sqs.bodies
        return ends

    def tokens(self, connection: Connection) -> set[str]:
        """Every refresh token that the connection holds, opened under its own seal."""
        context = SealContext(connection.tenant, connection.connection_id, SealKind.REFRESH)
        sealed = [connection.sealed_refresh, *connection.fallbacks()]
        return {self.cipher.open(each, context).reveal() for each in sealed}

    def opened_of(self, connection: Connection) -> str:
        """The current refresh token of a connection."""
        context = SealContext(connection.tenant, connection.connection_id, SealKind.REFRESH)
        return self.cipher.open(connection.sealed_refresh, context).reveal()

    def holder(self) -> Connection:
        claim = self.memory.claims[CLIENT_ID, self.zoom.user_id]
        return self.memory.items[claim.tenant, claim.connection_id]

    def refresh(self, connection: Connection) -> Connection:
        """Refresh a connection whose access token has ended."""
        self.refresher.on_demand(connection.tenant, connection.connection_id, seen_version=connection.version, wait=1.0)
        return self.memory.items[connection.tenant, connection.connection_id]


def arrive(site: Site, principal: Principal = PROGRAM, **about: Any) -> Callable[[], tuple[Secret, str]]:
    """A browser that comes back from Zoom's consent page; calling it is the callback."""
    departure = site.depart(principal, **about)
    back = site.consent(departure)

    def callback() -> tuple[Secret, str]:
        arrival = site.linking.complete(back, departure.cookie.reveal())
        return arrival.code, arrival.connection_id

    return callback


def live(site: Site) -> str:
    [token] = site.zoom.live
    return token


def alive(site: Site, connection: Connection) -> None:
    """The connection is connected and holds the only token that Zoom accepts."""
    assert connection.state is State.CONNECTED
    assert live(site) in site.tokens(connection)
    assert site.zoom.revoked == []


def test_consenting_again_and_closing_the_tab() -> None:
    """The new pair is the next version of the person's connection at once, and stays when the link is over."""
    site = Site()
    first = site.connect()
    former = live(site)
    site.link()
    held = site.memory.items["acme", first]
    assert (held.version, held.state) == (2, State.CONNECTED)
    assert site.tokens(held) == {live(site), former}
    assert LinkEnd.KEPT in site.queue()
    alive(site, site.memory.items["acme", first])
    assert list(site.memory.items) == [("acme", first)]


@pytest.mark.parametrize("redeems", [False, True])
def test_a_new_authorisation_ends_a_rejection_streak(redeems: bool) -> None:  # noqa: FBT001
    """What Zoom refused were tokens of the former one: the first refusal of the new pair is the first of a row."""
    site = Site()
    first = site.connect()
    held = site.memory.items["acme", first]
    site.memory.put(replace(held, refused_version=1, refusals=3, refused_since=site.clock() - 3600))
    code, _ = site.link()
    if redeems:
        site.redemption.redeem(PROGRAM, code, owner="ada")
    held = site.memory.items["acme", first]
    assert (held.refused_version, held.refusals, held.refused_since) == (0, 0, 0.0)
    assert not site.refresher.refused("acme", first, version=held.version)
    assert site.memory.items["acme", first].state is State.CONNECTED


def test_another_tenant_that_redeems_gets_no_rejection_streak() -> None:
    """The tokens move to another connection, without what was counted against the former one."""
    site = Site()
    first = site.connect()
    code, _ = site.link(BETA)
    site.memory.put(replace(site.memory.items["acme", first], refused_version=2, refusals=2))
    assert site.redemption.redeem(BETA, code, owner="ada").refusals == 0


def test_another_tenants_link_that_is_never_redeemed() -> None:
    """The connection of the former tenant gets the pair under its own seal, and its next refresh carries it on."""
    site = Site()
    first = site.connect()
    _, pending = site.link(BETA)
    assert site.memory.items["beta", pending].state is State.PENDING
    site.queue()
    assert ("beta", pending) not in site.memory.items
    site.clock.sleep(3600)
    held = site.refresh(site.memory.items["acme", first])
    alive(site, held)
    assert live(site) == site.opened_of(held)
    assert [change["tenant"] for change in site.published] == ["acme"]


def test_a_reconnect_finished_as_another_zoom_user() -> None:
    """The other user's own connection gets the pair, although nobody gets a code."""
    site = Site()
    first = site.connect()
    site.zoom.user_id = "other-user"
    second = site.connect(BETA)
    assert refused(lambda: site.link(reconnects=first)) == "other_zoom_user"
    alive(site, site.memory.items["beta", second])
    site.queue()
    alive(site, site.memory.items["beta", second])


@pytest.mark.parametrize(
    "fault", ["lost_response", HttpResponse(500), HttpResponse(401), HttpResponse(400, {}, b'{"code":4711}')]
)
def test_users_me_fails_after_the_exchange(fault: Any) -> None:
    """The pair comes back from the queue and is placed with whom it belongs to."""
    site = Site()
    first = site.connect()
    callback = arrive(site, BETA)
    site.zoom.faults = [None, fault, fault]
    with pytest.raises(LinkRefused):
        callback()
    assert live(site) not in site.tokens(site.memory.items["acme", first])
    site.queue()
    alive(site, site.memory.items["acme", first])


def test_the_pending_write_fails_after_the_exchange() -> None:
    """The same for the table."""
    site = Site()
    first = site.connect()
    callback = arrive(site)
    site.memory.faults["put_pending"] = 5
    with pytest.raises(Unavailable):
        callback()
    site.queue()
    alive(site, site.memory.items["acme", first])


def test_the_answer_to_the_pending_write_is_lost() -> None:
    """It was applied: the person gets the code, and it works."""
    site = Site()
    site.links.lost_writes = 1
    code, pending = site.link()
    site.links.lost_writes = 1
    with pytest.raises(Unavailable):
        site.redemption.redeem(PROGRAM, code, owner="ada")
    assert site.redemption.redeem(PROGRAM, code, owner="ada").connection_id == pending


def test_the_queue_is_away() -> None:
    """The table takes the pair all the same."""
    site = Site()
    first = site.connect()
    site.sqs.away = True
    site.link()
    alive(site, site.memory.items["acme", first])


def test_nobody_holds_the_user() -> None:
    """An unredeemed link is revoked once its code cannot be redeemed any more, and not before."""
    site = Site()
    _, pending = site.link()
    message = LinkedGrant.from_message(json.loads(site.sqs.bodies[0]))
    assert site.placement.follow_up(message) is LinkEnd.WAITING
    site.clock.sleep(CODE_AND_SKEW - 1)
    assert site.placement.follow_up(message) is LinkEnd.WAITING
    assert (site.zoom.revoked, list(site.memory.items)) == ([], [("acme", pending)])
    site.clock.sleep(1)
    assert site.placement.follow_up(message) is LinkEnd.REVOKED
    assert (site.zoom.revoked, site.memory.items) == (["access-1"], {})
    assert site.placement.follow_up(message) is LinkEnd.REDEEMED


def test_the_message_of_a_link_comes_out_of_the_dead_letter_queue() -> None:
    """Days later, when DynamoDB has deleted what had expired: the pair that nobody redeemed is still revoked."""
    site = Site()
    site.link()
    [message] = site.sqs.bodies
    site.clock.sleep(14 * 86_400)
    for table in site.memory.dynamodb.tables.values():
        for item in list(table.items()):
            if float(item.get("expires_at", {"N": "inf"})["N"]) <= site.clock():
                del table.partitions[item["pk"]["S"]][item["sk"]["S"]]
    assert site.placement.follow_up(LinkedGrant.from_message(json.loads(message))) is LinkEnd.REVOKED
    assert len(site.zoom.revoked) == 1


def test_a_redeemed_link_is_not_revoked() -> None:
    """Nor is a link whose user has connected by another one meanwhile."""
    site = Site()
    first, _ = site.link()
    second, _ = site.link(BETA)
    site.redemption.redeem(BETA, second, owner="ada")
    assert set(site.queue()) == {LinkEnd.WAITING, LinkEnd.KEPT, LinkEnd.REDEEMED}
    alive(site, site.holder())
    with pytest.raises(NotFound):
        site.redemption.redeem(PROGRAM, first, owner="ada")


def test_an_earlier_link_gets_the_pair_of_a_later_one() -> None:
    """Zoom has superseded its own pair, whichever is redeemed, and in whichever order."""
    site = Site()
    first, pending = site.link()
    later, _ = site.link(BETA)
    connected = site.redemption.redeem(PROGRAM, first, owner="ada")
    assert connected.connection_id == pending
    alive(site, connected)
    taken = site.redemption.redeem(BETA, later, owner="ada")
    alive(site, taken)
    assert site.memory.items["acme", pending].reason == "superseded"


def test_redeeming_after_the_holder_has_refreshed() -> None:
    """The new connection gets what the former one holds by then; the former is told that it is superseded."""
    site = Site()
    first = site.connect()
    code, _ = site.link(BETA)
    site.clock.sleep(500)
    held = site.memory.items["acme", first]
    site.zoom.faults = []
    site.refresh(held)
    taken = site.redemption.redeem(BETA, code, owner="ada")
    alive(site, taken)
    assert site.published[-1]["reason"] == "superseded"


def test_redeeming_waits_for_a_refresh_under_way() -> None:
    """Its pair would be lost with the former connection: the code stays good until the lease is over."""
    site = Site()
    first = site.connect()
    code, _ = site.link(BETA)
    held = site.memory.items["acme", first]
    assert site.store.take_lease(held, "a1", now=site.clock(), until=site.clock() + 75, skew=10)
    with pytest.raises(Unavailable):
        site.redemption.redeem(BETA, code, owner="ada")
    site.clock.sleep(90)
    alive(site, site.redemption.redeem(BETA, code, owner="ada"))


def test_a_given_up_connection_is_not_revived_by_another_tenants_link() -> None:
    """The person has not agreed to it. Its own owner's link revives it, redeemed or not."""
    site = Site()
    first = site.connect()
    given_up = site.memory.items["acme", first]
    assert site.memory.end(given_up, reason="invalid_grant", now=site.clock())
    site.clock.sleep(3600)
    site.link(BETA)
    held = site.memory.items["acme", first]
    assert (held.state, held.reason, held.due_at) == (State.REAUTHORIZATION_REQUIRED, "invalid_grant", None)
    assert live(site) in site.tokens(held)
    site.link()
    alive(site, site.memory.items["acme", first])


def test_a_connection_given_up_because_of_the_link_is_revived() -> None:
    """Its refresh met the superseded token before the pair was placed."""
    site = Site()
    first = site.connect()
    callback = arrive(site, BETA)
    site.zoom.faults = [None, "never_sent", "never_sent"]
    with pytest.raises(LinkRefused):
        callback()
    site.clock.sleep(30)
    site.memory.end(site.memory.items["acme", first], reason="invalid_grant", now=site.clock())
    site.queue()
    alive(site, site.memory.items["acme", first])
    assert [change["state"] for change in site.published] == ["connected", "connected"]


def test_a_removed_app_is_not_brought_back() -> None:
    """The person removed the app: a new link does not give its tokens to the connection of before, and is revoked."""
    site = Site()
    first = site.connect()
    site.memory.forget_tokens(site.memory.items["acme", first], reason=DEAUTHORIZED, now=site.clock())
    site.link(BETA)
    assert site.queue()[-1] is LinkEnd.REVOKED
    assert site.memory.items["acme", first].sealed_refresh == b""


@pytest.mark.parametrize("holds", ["nobody", "own", "another tenant"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(14))
def test_the_callback_crashes(holds: str, when: str, number: int) -> None:
    """Wherever: the pair is with its holder in the end, or revoked; only what never left memory is lost."""
    site = Site()
    if holds != "nobody":
        site.connect(PROGRAM if holds == "own" else BETA)
        site.queue()
    callback = arrive(site)
    site.crash(number, when)
    with contextlib.suppress(Crash, GatewayError):
        callback()
    exchanged = "zoom" in site.steps and not site.zoom.codes
    in_memory_only = exchanged and "queue" not in site.steps[: number + (when == "after")]
    site.crash_at = None
    site.queue()
    if in_memory_only:
        return  # the process ended with Zoom's answer, before it could write anything
    if holds != "nobody":
        alive(site, site.holder())
    else:
        assert (len(site.zoom.revoked), site.memory.items) == (int(exchanged), {})


@pytest.mark.parametrize("holds", ["nobody", "another tenant"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(10))
def test_the_follow_up_crashes(holds: str, when: str, number: int) -> None:
    """Its message comes again: the pair of a callback that failed is placed once, or revoked."""
    site = Site()
    if holds != "nobody":
        site.connect(BETA)
        site.queue()
    callback = arrive(site)
    site.zoom.faults = [None, "never_sent", "never_sent"]
    with pytest.raises(LinkRefused):
        callback()
    site.crash(number, when)
    site.queue()
    if holds != "nobody":
        alive(site, site.holder())
        assert site.holder().version == 2
    else:
        assert site.zoom.revoked
        assert site.memory.items == {}
