"""Which connection serves a call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.connection_stores import Memory
from tests.fakes.connections import connection
from tests.fakes.zoom_oauth import CLIENT_ID
from zoom_common.access.principal import Principal
from zoom_common.connections.model import Kind, State
from zoom_common.connections.selection import ConnectionOfAnotherApp, authorize_connection, select
from zoom_common.errors import Conflict, NotFound

KEY = Principal("acme", "key:k1", frozenset({"meetings:read"}))
ADA = Principal("acme", "ada", frozenset({"meetings:read"}))


@pytest.fixture
def store() -> Memory:
    memory = Memory()
    memory.put(connection(connection_id="con_a", owner="ada"))
    memory.put(connection(connection_id="con_b", owner="bob"))
    memory.put(connection(connection_id="con_p", owner="ada", state=State.PENDING))
    memory.put(connection(tenant="beta", connection_id="con_z", owner="ada"))
    return memory


def test_a_bound_key_uses_its_connection(store: Memory) -> None:
    """And no other, whatever the header says."""
    bound = Principal("acme", "key:k1", frozenset(), connection="con_b")
    assert select(bound, None, store).connection_id == "con_b"
    assert select(bound, "con_b", store).connection_id == "con_b"
    with pytest.raises(NotFound):
        select(bound, "con_a", store)
    with pytest.raises(NotFound):
        authorize_connection(bound, "con_a", store)


def test_the_header_names_one(store: Memory) -> None:
    """A key reaches all of its tenant's."""
    assert select(KEY, "con_a", store).connection_id == "con_a"


@pytest.mark.parametrize("connection_id", ["con_z", "con_nowhere", ""])
def test_foreign_and_unknown_look_alike(store: Memory, connection_id: str) -> None:
    """Another tenant's connection is a 404 like one that does not exist."""
    with pytest.raises(NotFound) as error:
        select(KEY, connection_id, store)
    assert str(error.value) == "There is no such connection."


def test_a_person_reaches_only_their_own(store: Memory) -> None:
    """Unless they may reach all."""
    assert select(ADA, None, store).connection_id == "con_a"
    with pytest.raises(NotFound):
        select(ADA, "con_b", store)
    admin = Principal("acme", "root", frozenset({"connections:all"}))
    assert select(admin, "con_b", store).connection_id == "con_b"


def test_several_are_listed(store: Memory) -> None:
    """The caller decides; what is not in use is not on offer."""
    with pytest.raises(Conflict) as error:
        select(KEY, None, store)
    assert error.value.reason == "connection_ambiguous"
    assert error.value.details == {"connections": ["con_a", "con_b"], "labels": {}}


def test_several_are_listed_by_label(store: Memory) -> None:
    """People know them by label. One that was linked before labels has none."""
    store.put(connection(connection_id="con_a", owner="ada", label="Ada (a•••@example.com)"))
    with pytest.raises(Conflict) as error:
        select(KEY, None, store)
    assert error.value.details["labels"] == {"con_a": "Ada (a•••@example.com)"}


def test_connections_of_another_app_are_no_candidates(store: Memory) -> None:
    """Of the simulator's and the real app's connections only the configured app's serves calls."""
    store.put(connection(connection_id="con_b", owner="bob", client_id="simulated"))
    assert select(KEY, None, store, app=CLIENT_ID).connection_id == "con_a"
    assert select(KEY, None, store, app="simulated").connection_id == "con_b"


@pytest.mark.parametrize("principal", [KEY, replace(KEY, connection="con_a"), ADA])
def test_one_of_another_app_that_is_named_is_refused(store: Memory, principal: Principal) -> None:
    """By the header or by the key's binding: the error says which app it belongs to."""
    with pytest.raises(ConnectionOfAnotherApp) as error:
        select(principal, "con_a", store, app="another-app")
    assert (error.value.status, error.value.reason) == (409, "connection_of_another_app")
    assert error.value.client_id == CLIENT_ID
    assert (
        str(error.value) == f"The connection belongs to the Zoom app {CLIENT_ID}; the gateway's own app is another-app."
    )


def test_anothers_connection_of_another_app_stays_unknown(store: Memory) -> None:
    """The app of a connection is told to those who reach it, and to nobody else."""
    with pytest.raises(NotFound):
        select(KEY, "con_z", store, app="another-app")


def test_whole_accounts_have_apps_of_their_own(store: Memory) -> None:
    """A Server-to-Server connection serves calls whatever the configured app is."""
    store.put(connection(connection_id="con_s", kind=Kind.ACCOUNT, zoom_user_id=None, client_id="server-to-server"))
    assert select(KEY, "con_s", store, app="another-app").connection_id == "con_s"
    assert select(KEY, None, store, app="another-app").connection_id == "con_s"


def test_an_app_that_is_not_configured_leaves_nothing_out(store: Memory) -> None:
    """A stack whose secrets were set by hand does not know its client id."""
    assert select(KEY, "con_a", store, app="").connection_id == "con_a"


def test_none_at_all(store: Memory) -> None:
    """Nobody has connected yet."""
    with pytest.raises(Conflict) as error:
        select(Principal("acme", "carol", frozenset()), None, store)
    assert (error.value.reason, error.value.details) == ("no_connection", {"connect_path": "/auth/zoom/authorize"})


def test_more_than_are_looked_at_have_to_be_named(store: Memory) -> None:
    """A hundred connections of another app say nothing about the next ones."""
    for number in range(100):
        store.put(connection(tenant="big", connection_id=f"con_{number:03}", client_id="simulated"))
    store.put(connection(tenant="big", connection_id="con_real"))
    with pytest.raises(Conflict) as error:
        select(replace(KEY, tenant="big"), None, store, app=CLIENT_ID)
    assert error.value.reason == "connection_ambiguous"


def test_none_of_this_app(store: Memory) -> None:
    """The same reason and the same way on, in other words."""
    with pytest.raises(Conflict) as error:
        select(KEY, None, store, app="another-app")
    assert (error.value.reason, error.value.details) == ("no_connection", {"connect_path": "/auth/zoom/authorize"})
    assert str(error.value) == "No Zoom account is connected with this Zoom app."
