"""Linking an account: the way through, and every way in which it must not go through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.connections import START, World
from tests.fakes.zoom_oauth import CLIENT_ID
from zoom_common.access.principal import Principal
from zoom_common.connections.cipher import SealContext, SealKind
from zoom_common.connections.link_store import Claim
from zoom_common.connections.linking import AuthorizationRedirect, Linking
from zoom_common.connections.model import State
from zoom_common.connections.redemption import Redemption
from zoom_common.errors import InvalidRequest, LinkRefused, NotFound, Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.http import HttpResponse

PROGRAM = Principal("acme", "key:k1", frozenset({"connections:write"}))
CALLBACK = "https://gateway.example/auth/zoom/callback"


class Linkage(World):
    """A vault without connections, and a browser that can be led through it."""

    def __init__(self) -> None:
        super().__init__()
        self.memory.items.clear()
        self.memory.claims.clear()
        numbers = count(1)
        self.linking = Linking(
            store=self.links,
            connections=self.memory,
            placement=self.placement,
            queue=self.link_queue,
            cipher=self.cipher,
            zoom=self.oauth,
            credentials=self.credentials,
            redirect_uri=CALLBACK,
            return_urls=["https://app.example"],
            clock=self.clock,
            new_secret=lambda: f"secret-{next(numbers)}",
            random_bits=lambda: next(numbers),
        )
        self.redemption = Redemption(
            store=self.links,
            connections=self.memory,
            cipher=self.cipher,
            outbox=self.outbox,
            clock=self.clock,
            chance=lambda: 0.5,
            sleep=self.clock.sleep,
        )

    def depart(
        self, principal: Principal = PROGRAM, *, owner: str = "ada", reconnects: str | None = None
    ) -> AuthorizationRedirect:
        url = "https://app.example/done?x=1"
        ticket = self.linking.request(principal, owner=owner, return_url=url, reconnects=reconnects)
        return self.linking.start(ticket.secret)

    def consent(self, departure: AuthorizationRedirect) -> dict[str, str]:
        """What Zoom sends the browser back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(departure.authorize_url).query).items()}
        code = f"zoom-code-{len(self.zoom.codes)}"
        self.zoom.codes[code] = asked["code_challenge"]
        return {"code": code, "state": asked["state"]}

    def link(
        self, principal: Principal = PROGRAM, *, owner: str = "ada", reconnects: str | None = None
    ) -> tuple[Secret, str]:
        departure = self.depart(principal, owner=owner, reconnects=reconnects)
        arrival = self.linking.complete(self.consent(departure), departure.cookie.reveal())
        return arrival.code, arrival.connection_id

    def connect(self, principal: Principal = PROGRAM, *, owner: str = "ada", reconnects: str | None = None) -> str:
        code, _ = self.link(principal, owner=owner, reconnects=reconnects)
        return self.redemption.redeem(principal, code, owner=owner).connection_id


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(LinkRefused) as error:
        act()
    return error.value.reason


def test_a_link_goes_through() -> None:
    """Ticket, start, consent, callback: a pending connection, and a code at the return URL."""
    world = Linkage()
    departure = world.depart()
    asked = parse_qs(urlsplit(departure.authorize_url).query)
    assert asked["redirect_uri"] == [CALLBACK]
    assert asked["code_challenge_method"] == ["S256"]
    arrival = world.linking.complete(world.consent(departure), departure.cookie.reveal())
    back = urlsplit(arrival.return_url or "")
    assert parse_qs(back.query) == {"x": ["1"], "code": [arrival.code.reveal()], "connection": [arrival.connection_id]}
    [pending] = world.memory.items.values()
    assert (pending.state, pending.owner, pending.zoom_user_id) == (State.PENDING, "ada", "zoom-user")
    context = SealContext("acme", pending.connection_id, SealKind.REFRESH)
    assert world.cipher.open(pending.sealed_refresh, context) == Secret("refresh-1")
    assert "@" not in repr(pending)


def test_a_scanner_that_opens_the_link_burns_nothing() -> None:
    """Looking, however often, leaves the ticket as it was."""
    world = Linkage()
    ticket = world.linking.request(PROGRAM, owner="ada", return_url=None)
    for _ in range(3):
        assert world.linking.look_up(ticket.secret).owner == "ada"
    assert world.linking.start(ticket.secret)


def test_a_ticket_starts_once_and_not_for_ever() -> None:
    """Used and expired tickets look like unknown ones."""
    world = Linkage()
    ticket = world.linking.request(PROGRAM, owner="ada", return_url=None)
    world.linking.start(ticket.secret)
    assert refused(lambda: world.linking.start(ticket.secret)) == "ticket_unknown"
    late = world.linking.request(PROGRAM, owner="ada", return_url=None)
    world.clock.sleep(900)
    assert refused(lambda: world.linking.start(late.secret)) == "ticket_unknown"
    assert refused(lambda: world.linking.look_up(Secret(""))) == "ticket_unknown"


@pytest.mark.parametrize("url", ["https://app.example.evil.test/", "http://app.example/", "https://app.example:8443/"])
def test_a_return_url_with_a_look_alike_host(url: str) -> None:
    """Scheme, host and port are compared exactly, before there is a ticket."""
    world = Linkage()
    with pytest.raises(InvalidRequest):
        world.linking.request(PROGRAM, owner="ada", return_url=url)
    assert world.links.entries == {}


def test_the_checks_come_in_their_order() -> None:
    """Each failure has its own reason, the first one counts, and nothing is stored by any of them."""
    world = Linkage()
    departure = world.depart()
    back, cookie = world.consent(departure), departure.cookie.reveal()
    complete = world.linking.complete
    assert refused(lambda: complete({"error": "access_denied"} | back, None)) == "access_denied"
    assert refused(lambda: complete({"error": "<script>"} | back, cookie)) == "zoom_refused"
    assert refused(lambda: complete({"code": back["code"]}, cookie)) == "not_asked_for"
    assert refused(lambda: complete(back, None)) == "cookie_missing"
    assert refused(lambda: complete(back, "foreign")) == "state_unknown"
    assert refused(lambda: complete(back | {"state": "forged"}, cookie)) == "state_unknown"
    assert world.zoom.requests == []
    assert refused(lambda: complete({"state": back["state"]}, cookie)) == "code_missing"
    assert refused(lambda: complete(back, cookie)) == "state_unknown"
    assert (world.zoom.requests, world.memory.items) == ([], {})


def test_a_replayed_callback() -> None:
    """A state is taken once: the second callback sends nothing to Zoom and stores nothing."""
    world = Linkage()
    departure = world.depart()
    back = world.consent(departure)
    world.linking.complete(back, departure.cookie.reveal())
    sent = len(world.zoom.requests)
    assert refused(lambda: world.linking.complete(back, departure.cookie.reveal())) == "state_unknown"
    assert (len(world.zoom.requests), len(world.memory.items)) == (sent, 1)


def test_a_state_that_took_too_long() -> None:
    """Ten minutes for the consent page, and no more."""
    world = Linkage()
    departure = world.depart()
    back = world.consent(departure)
    world.clock.sleep(600)
    assert refused(lambda: world.linking.complete(back, departure.cookie.reveal())) == "state_unknown"


def test_a_code_injected_from_another_session() -> None:
    """A stolen code fails Zoom's PKCE check in any session but its own."""
    world = Linkage()
    victim, attacker = world.consent(world.depart()), world.depart()
    own = world.consent(attacker)
    mixed = {"code": victim["code"], "state": own["state"]}
    assert refused(lambda: world.linking.complete(mixed, attacker.cookie.reveal())) == "code_refused"
    assert world.memory.items == {}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("lost_response", "zoom_unavailable"),
        ("never_sent", "zoom_unavailable"),
        (HttpResponse(500), "zoom_unavailable"),
        (HttpResponse(400, {}, b'{"errorCode":4717}'), "app_at_fault"),
        (HttpResponse(400, {}, b'{"error":"invalid_grant"}'), "code_refused"),
        (HttpResponse(200, {}, b'{"access_token":"a","expires_in":3600}'), "zoom_refused"),
    ],
)
def test_zoom_fails_the_exchange(fault: str | HttpResponse, reason: str) -> None:
    """A clear reason, nothing stored, and the one-time code is not sent twice."""
    world = Linkage()
    departure = world.depart()
    back = world.consent(departure)
    world.zoom.faults = [fault]
    assert refused(lambda: world.linking.complete(back, departure.cookie.reveal())) == reason
    assert (world.memory.items, len(world.zoom.requests)) == ({}, 1)


def test_zoom_does_not_say_who_it_is() -> None:
    """Without the right to read the profile there is no connection; one hiccup is forgiven."""
    world = Linkage()
    departure = world.depart()
    no_scope = HttpResponse(400, {}, b'{"code":4711,"message":"..."}')
    world.zoom.faults = [None, no_scope, no_scope]
    back = world.consent(departure)
    assert refused(lambda: world.linking.complete(back, departure.cookie.reveal())) == "identity_unreadable"
    assert world.memory.items == {}
    world.zoom.faults = [None, no_scope]
    assert world.link()


def test_kms_away_spends_no_code() -> None:
    """Data keys come first: Zoom is not asked when nothing could be sealed."""
    world = Linkage()
    departure = world.depart()
    world.kms.away = True
    with pytest.raises(Unavailable):
        world.linking.complete(world.consent(departure), departure.cookie.reveal())
    assert world.zoom.requests == []


def test_redeemed_by_the_program_that_asked() -> None:
    """Only then it is connected, claimed, due, and published; asking again returns the same connection."""
    world = Linkage()
    code, connection_id = world.link()
    connected = world.redemption.redeem(PROGRAM, code, owner="ada")
    assert (connected.connection_id, connected.state) == (connection_id, State.CONNECTED)
    assert connected.due_at is not None
    assert connected.expires_at is None
    claim = Claim(tenant="acme", connection_id=connection_id)
    assert world.memory.claims == {(CLIENT_ID, "zoom-user"): claim}
    assert world.redemption.redeem(PROGRAM, code, owner="ada") == world.memory.items["acme", connection_id]
    assert [change["type"] for change in world.published] == ["connection.connected"]
    world.clock.sleep(600)
    with pytest.raises(NotFound):
        world.redemption.redeem(PROGRAM, code, owner="ada")


@pytest.mark.parametrize(
    "other",
    [Principal("beta", "key:k1", frozenset({"*"})), Principal("acme", "key:k2", frozenset({"*"}))],
)
def test_redeemed_by_somebody_else(other: Principal) -> None:
    """Another tenant and another program find nothing, and the right one can still redeem."""
    world = Linkage()
    code, connection_id = world.link()
    with pytest.raises(NotFound):
        world.redemption.redeem(other, code)
    assert world.memory.items["acme", connection_id].state is State.PENDING
    assert world.redemption.redeem(PROGRAM, code, owner="ada")


def test_redeemed_for_another_owner() -> None:
    """The code is refused and not used up; without an owner it is, unless the program is the owner itself."""
    world = Linkage()
    code, connection_id = world.link()
    with pytest.raises(NotFound):
        world.redemption.redeem(PROGRAM, code, owner="bob")
    with pytest.raises(InvalidRequest) as missing:
        world.redemption.redeem(PROGRAM, code)
    assert [field.field for field in missing.value.fields] == ["owner"]
    assert world.redemption.redeem(PROGRAM, code, owner="ada").connection_id == connection_id
    own, own_id = world.link(owner=PROGRAM.subject)
    assert world.redemption.redeem(PROGRAM, own).connection_id == own_id


def test_redeemed_again() -> None:
    """The same subject and owner get the same connection; others do not, nor anybody once it is disconnected."""
    world = Linkage()
    code, connection_id = world.link()
    world.redemption.redeem(PROGRAM, code, owner="ada")
    assert world.redemption.redeem(PROGRAM, code, owner="ada").connection_id == connection_id
    assert len(world.published) == 1
    with pytest.raises(NotFound):
        world.redemption.redeem(replace(PROGRAM, subject="key:k2"), code, owner="ada")
    with pytest.raises(NotFound):
        world.redemption.redeem(PROGRAM, code, owner="bob")
    world.disconnection.disconnect(world.memory.items["acme", connection_id])
    with pytest.raises(NotFound):
        world.redemption.redeem(PROGRAM, code, owner="ada")


def test_redeemed_too_late() -> None:
    """The code lives ten minutes."""
    world = Linkage()
    code, _ = world.link()
    world.clock.sleep(600)
    with pytest.raises(NotFound):
        world.redemption.redeem(PROGRAM, code, owner="ada")
    with pytest.raises(NotFound):
        world.redemption.redeem(PROGRAM, Secret(""), owner="ada")


def test_redemption_looks_again_when_something_moved() -> None:
    """A refresh in between is no reason to fail; something that never stands still is."""
    world = Linkage()
    code, _ = world.link()
    world.memory.faults["redeem"] = 1
    assert world.redemption.redeem(PROGRAM, code, owner="ada")
    code, _ = world.link()
    world.memory.faults["redeem"] = 4
    with pytest.raises(Unavailable):
        world.redemption.redeem(PROGRAM, code, owner="ada")


def test_connecting_again_replaces_the_grant() -> None:
    """Same owner, same Zoom user: the connection keeps its id, and gets the new grant sealed for itself."""
    world = Linkage()
    first = world.connect()
    created = world.memory.items["acme", first].created_at
    world.clock.sleep(5)
    assert world.connect() == first
    [item] = world.memory.items.values()
    assert (item.version, item.created_at, item.authorized_at) == (2, created, START + 5)
    token = world.cipher.open(item.sealed_refresh, SealContext("acme", first, SealKind.REFRESH))
    assert token.reveal() in world.zoom.live


def test_reconnecting_a_connection_that_was_given_up() -> None:
    """A new grant makes it work again, under its id."""
    world = Linkage()
    first = world.connect()
    given_up = replace(world.memory.items["acme", first], state=State.REAUTHORIZATION_REQUIRED, reason="invalid_grant")
    world.memory.put(given_up)
    assert world.connect(reconnects=first) == first
    assert world.memory.items["acme", first].state is State.CONNECTED


def test_reconnecting_as_another_zoom_user() -> None:
    """The browser was signed in to somebody else's Zoom: nobody gets a code, and the connection stays as it was."""
    world = Linkage()
    first = world.connect()
    before = world.memory.items["acme", first]
    world.zoom.user_id = "somebody-else"
    assert refused(lambda: world.link(reconnects=first)) == "other_zoom_user"
    assert world.memory.items["acme", first] == before


def test_claimed_by_another_tenant() -> None:
    """The last authorization wins at Zoom: the former connection needs its person, and is never touched again."""
    world = Linkage()
    first = world.connect()
    beta = Principal("beta", "key:b", frozenset({"*"}))
    second = world.connect(beta)
    former = world.memory.items["acme", first]
    assert (former.state, former.reason) == (State.REAUTHORIZATION_REQUIRED, "superseded")
    assert world.memory.claims[CLIENT_ID, "zoom-user"] == Claim(tenant="beta", connection_id=second)
    states = [(change["tenant"], change["state"]) for change in world.published]
    assert states[-2:] == [("beta", "connected"), ("acme", "reauthorization_required")]
    assert world.zoom.revoked == []


def test_claimed_by_another_owner() -> None:
    """Within a tenant, an owner's connection never becomes another owner's."""
    world = Linkage()
    first = world.connect(owner="ada")
    second = world.connect(owner="bob")
    assert first != second
    assert world.memory.items["acme", first].reason == "superseded"
    assert world.memory.items["acme", second].owner == "bob"


def test_a_claim_without_its_connection() -> None:
    """A claim left over by a deletion does not stand in the way."""
    world = Linkage()
    world.memory.claims[CLIENT_ID, "zoom-user"] = Claim(tenant="acme", connection_id="con_gone")
    connection_id = world.connect()
    assert world.memory.claims[CLIENT_ID, "zoom-user"].connection_id == connection_id
