"""Whose an event is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.connection_stores import Memory
from tests.fakes.connections import connection
from tests.fakes.event_stores import Connection, Connections, Hosts
from tests.fakes.events import APP
from zoom_common.connections.link_store import Claim
from zoom_common.connections.store import ConnectionStore, folded_partition
from zoom_common.events.routing import Route, routes
from zoom_common.zoom.events import ZoomEvent, parse

ACME = Connection("acme", "con_a")
GLOBEX = Connection("globex", "con_g")


def routed(connections: Connections, app: str = APP, hosts: Hosts | None = None, **payload: Any) -> list[Route]:
    event = parse(json.dumps({"event": "meeting.updated", "payload": payload}).encode())
    return routes(event, app, connections, hosts or Hosts())


def hosted(host: str = "host-1", **payload: Any) -> dict[str, Any]:
    return {"object": {"id": 1, "host_id": host}, **payload}


def test_an_event_goes_to_its_hosts_tenant() -> None:
    """The event is routed by the connection of the verified app and the host's Zoom user."""
    vault = Connections(users={(APP, "host-1"): ACME})
    assert routed(vault, **hosted()) == [Route("acme", "con_a")]


def test_another_app_reaches_nobody() -> None:
    """An event signed with another app's secret finds no connection of this one, whatever it names."""
    vault = Connections(
        users={(APP, "host-1"): ACME}, accounts={(APP, "acc-1"): [Connection("acme", "con_s", "account")]}
    )
    assert routed(vault, "OtherApp", **hosted(account_id="acc-1", client_id=APP)) == []


def test_an_account_reaches_account_level_connections_only() -> None:
    """A colleague's meeting is not an event of everyone in the company."""
    server = Connection("initech", "con_s", "account")
    vault = Connections(users={(APP, "host-1"): ACME}, accounts={(APP, "acc-1"): [server, GLOBEX]})
    assert routed(vault, **hosted("colleague", account_id="acc-1")) == [Route("initech", "con_s")]
    assert routed(vault, **hosted("colleague", account_id="acc-2")) == []


def test_host_and_operator_each_get_it_once() -> None:
    """Two tenants, one event each; within a tenant the host's connection speaks."""
    vault = Connections(
        users={(APP, "host-1"): ACME, (APP, "op"): GLOBEX, (APP, "op-2"): Connection("acme", "con_b")},
        accounts={(APP, "acc-1"): [Connection("globex", "con_s", "account")]},
    )
    assert routed(vault, **hosted(operator_id="op", account_id="acc-1")) == [
        Route("acme", "con_a"),
        Route("globex", "con_g"),
    ]
    assert routed(vault, **hosted(operator_id="op-2")) == [Route("acme", "con_a")]


def test_an_update_that_names_its_operator_alone_goes_to_the_host_as_well() -> None:
    """An administrator changes somebody's meeting: the host, whom earlier events named, hears of it too."""
    vault = Connections(users={(APP, "host-1"): ACME, (APP, "admin"): GLOBEX})
    about: dict[str, Any] = {"object": {"id": 1}, "operator_id": "admin"}
    known = Hosts({(APP, "1"): "host-1"})
    assert routed(vault, hosts=known, **about) == [Route("acme", "con_a"), Route("globex", "con_g")]
    assert routed(vault, **about) == [Route("globex", "con_g")]


@pytest.mark.parametrize(
    ("state", "receives"),
    [
        ("connected", True),
        ("refresh_failing", True),
        ("reauthorization_required", True),
        ("pending", False),
        ("disconnected", False),
    ],
)
def test_only_a_redeemed_connection_receives(state: str, *, receives: bool) -> None:
    """Before the program that asked has redeemed it, the person's events are nobody's."""
    vault = Connections(users={(APP, "host-1"): Connection("acme", "con_a", state=state)})
    assert bool(routed(vault, **hosted())) is receives


def test_an_event_of_nobody_has_no_route() -> None:
    """No host, no operator, no account."""
    assert routed(Connections()) == []


@pytest.mark.parametrize(
    "payload",
    [
        {"account_id": "acc-1", "object": {"uuid": "u/1==", "participant": {"qos": []}}},
        {"account_id": "acc-1", "object": {"id": 85746065, "chat_message": {}}},
        {"account_id": "acc-1", "object": {"meeting_id": "85746065", "meeting_uuid": "u/1=="}},
        {"meeting_uuid": "u/1==", "rtms_stream_id": "s"},
    ],
)
def test_what_names_a_meeting_and_nobody_goes_to_its_host(payload: dict[str, Any]) -> None:
    """Chat, quality and realtime streams; by UUID or number, as events of the same app told it before."""
    vault, hosts = Connections(users={(APP, "host-1"): ACME, ("Other", "host-1"): GLOBEX}), Hosts()
    assert routed(vault, hosts=hosts, **payload) == []
    reported = {"id": "85746065", "uuid": "u/1==", "host_id": "host-1"}
    hosts.learn(APP, parse(json.dumps({"event": "meeting.started", "payload": {"object": reported}}).encode()))
    assert routed(vault, hosts=hosts, **payload) == [Route("acme", "con_a")]
    assert routed(vault, "Other", hosts=hosts, **payload) == []  # which has told nothing of it


def test_who_is_named_counts_for_more_than_whose_meeting_it_was() -> None:
    """An event that says whose it is, is theirs and nobody else's."""
    vault, hosts = Connections(users={(APP, "host-1"): ACME, (APP, "host-2"): GLOBEX}), Hosts({(APP, "1"): "host-1"})
    assert routed(vault, hosts=hosts, **hosted("host-2")) == [Route("globex", "con_g")]
    assert routed(vault, hosts=hosts, **hosted("stranger")) == []


def presence(user: str, account: str = "acc-1") -> ZoomEvent:
    """A change of presence, in which Zoom writes the user's id in lower case."""
    payload = {"account_id": account, "object": {"id": user, "presence_status": "Available"}}
    return parse(json.dumps({"event": "user.presence_status_updated", "event_ts": 1, "payload": payload}).encode())


def connected(*users: str | tuple[str, str]) -> ConnectionStore:
    """A vault where each user, of `acc-1` or of the account named, has connected themselves in tenant `t<n>`."""
    memory = Memory()
    for at, named in enumerate(users):
        user, account = named if isinstance(named, tuple) else (named, "acc-1")
        each = connection(
            tenant=f"t{at}", connection_id=f"con_{at}", client_id=APP, zoom_user_id=user, zoom_account_id=account
        )
        memory.put(each)
        memory.claims[APP, user] = Claim(tenant=each.tenant, connection_id=each.connection_id)
        memory.heard(each.tenant, each.connection_id, now=1.0)
    return memory


def test_a_presence_in_lower_case_reaches_its_user() -> None:
    """Measured: presence events carry the user's id in lower case and the account's with its capitals."""
    vault = connected("KFfvsJc-Q1", "other")
    assert routes(presence("kffvsjc-q1"), APP, vault, Hosts()) == [Route("t0", "con_0")]
    assert routes(presence("KFfvsJc-Q1"), APP, vault, Hosts()) == [Route("t0", "con_0")]


def test_a_fold_that_fits_two_users_is_unrouted() -> None:
    """Which of them is meant is never guessed; an exact id is no question."""
    vault = connected("KFfvsJc-Q1", "kffvsJc-Q1")
    assert routes(presence("kffvsjc-q1"), APP, vault, Hosts()) == []
    assert routes(presence("kffvsJc-Q1"), APP, vault, Hosts()) == [Route("t1", "con_1")]


def test_an_id_that_is_in_lower_case_itself_is_one_of_those_that_fit() -> None:
    """Zoom writes every id in lower case here: the event may be about the other user."""
    assert routes(presence("abcdefghij"), APP, connected("abcdefghij"), Hosts()) == [Route("t0", "con_0")]
    assert routes(presence("abcdefghij"), APP, connected("abcdefghij", "ABcdefghij"), Hosts()) == []


def test_the_account_tells_two_users_of_one_fold_apart() -> None:
    """The account's id keeps its capitals."""
    vault = connected("KFfvsJc-Q1", ("kffvsJc-Q1", "acc-2"))
    assert routes(presence("kffvsjc-q1"), APP, vault, Hosts()) == [Route("t0", "con_0")]
    assert routes(presence("kffvsjc-q1", "acc-2"), APP, vault, Hosts()) == [Route("t1", "con_1")]


def test_a_fold_stays_within_one_account_and_one_app() -> None:
    """A user of another Zoom account or app who happens to have the same letters does not receive it."""
    vault = connected("KFfvsJc-Q1")
    assert routes(presence("kffvsjc-q1", "acc-2"), APP, vault, Hosts()) == []
    assert routes(presence("kffvsjc-q1"), "OtherApp", vault, Hosts()) == []


def test_only_presence_folds_case() -> None:
    """Every other event writes ids as they are: another case is another user."""
    vault = connected("KFfvsJc-Q1")
    body = {"event": "user.updated", "payload": {"account_id": "acc-1", "object": {"id": "kffvsjc-q1"}}}
    assert routes(parse(json.dumps(body).encode()), APP, vault, Hosts()) == []


def test_a_disconnected_user_is_not_found_in_lower_case() -> None:
    """The item goes with the connection and its claim."""
    vault = connected("KFfvsJc-Q1")
    gone = vault.get("t0", "con_0")
    assert gone
    vault.delete(gone)
    assert routes(presence("kffvsjc-q1"), APP, vault, Hosts()) == []
    assert vault._table.query("#pk = :pk", {"pk": folded_partition(APP, "kffvsjc-q1")})[0] == []


def expiry(hosts: Hosts, name: str) -> int:
    """The epoch second until which a host is stored."""
    (item,) = hosts.stored.partitions[f"hosts.{APP}#{name}"].values()
    return int(item["expires_at"]["N"])


def planned(name: str, **thing: Any) -> ZoomEvent:
    """An event about meeting 1."""
    return parse(json.dumps({"event": name, "payload": {"object": {"id": 1, **thing}}}).encode())


def test_a_host_is_stored_as_long_as_the_meeting_is_planned() -> None:
    """Thirty days after the last occurrence, however far away; at most 800 days are believed."""
    now, month = 1_790_000_000, 30 * 86_400
    hosts = Hosts(clock=lambda: now)
    hosts.learn(APP, planned("meeting.created", host_id="host-1", start_time="2026-12-01T00:00:00Z"))
    assert expiry(hosts, "1") == 1_796_083_200 + month
    weekly = [{"start_time": "2026-12-01T00:00:00Z"}, {"start_time": "2027-06-01T00:00:00Z"}]
    hosts.learn(APP, planned("meeting.updated", occurrences=weekly))  # names no host
    assert expiry(hosts, "1") == 1_811_808_000 + month
    hosts.learn(APP, planned("meeting.ended", host_id="host-1", start_time="2026-09-01T00:00:00Z"))
    assert expiry(hosts, "1") == 1_811_808_000 + month
    hosts.learn(APP, planned("meeting.updated", host_id="host-1", start_time="9999-01-01T00:00:00Z"))
    assert expiry(hosts, "1") == now + 800 * 86_400 + month
