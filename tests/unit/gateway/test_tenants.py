"""Whoever calls, by whatever operation: another tenant's connection does not exist, and Zoom hears nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.connection_stores import Memory
from tests.fakes.connections import connection as stored
from tests.fakes.gateway import World
from tests.fakes.soak import times
from zoom_common.access.principal import Principal
from zoom_common.connections.selection import select
from zoom_common.errors import NotFound
from zoom_common.gateway.context import Call
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import operations

THEIRS = "con_1"
STRANGERS = st.builds(
    Principal,
    tenant=st.sampled_from(["beta", "acme-", "ac", "acme2"]),
    subject=st.sampled_from(["key:k1", "key:k9", "ada", "acme"]),
    scopes=st.sampled_from([frozenset({"*"}), frozenset({"*", "connections:all"})]),
    connection=st.sampled_from([None, THEIRS]),
)
# An id may be spelt to look like another key of the table.
SPELLINGS = st.sampled_from([THEIRS, "acme#con_1", "../acme/con_1", "acme#connections", "CON_1"])


@settings(max_examples=times(150), deadline=None)
@given(operation=st.sampled_from(operations()), stranger=STRANGERS, named=SPELLINGS)
def test_no_operation_reaches_another_tenants_connection(operation: Operation, stranger: Principal, named: str) -> None:
    """Named in the header or bound to the key, it is 404 for every row of the table."""
    memory, world = Memory(), World.of()
    memory.put(stored(tenant="acme", connection_id=THEIRS))
    gateway = replace(world.gateway(), select=partial(select, store=memory))
    call = Call(
        principal=stranger,
        operation=operation,
        ids=dict.fromkeys(re.findall(r"\{(\w+)\}", operation.path), "85746065"),
        headers={"x-zoom-connection": named},
        body=b"{}",
        deadline=world.time.deadline(),
    )
    with pytest.raises(NotFound) as refused:
        gateway.call(call)
    assert refused.value.reason == "connection_unknown"
    assert world.zoom.sent == []
