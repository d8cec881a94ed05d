"""Which connection serves a call."""

from __future__ import annotations

import pytest

from tests.fakes.connection_stores import Memory
from tests.fakes.connections import connection
from zoom_common.access.principal import Principal
from zoom_common.connections.model import State
from zoom_common.connections.selection import authorize_connection, select
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
    assert (error.value.reason, error.value.details) == ("connection_ambiguous", {"connections": ["con_a", "con_b"]})


def test_none_at_all(store: Memory) -> None:
    """Nobody has connected yet."""
    with pytest.raises(Conflict) as error:
        select(Principal("acme", "carol", frozenset()), None, store)
    assert error.value.reason == "no_connection"
