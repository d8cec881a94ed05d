"""Whoever asks, by whatever route: another tenant's connection does not exist."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.connections import World, connection
from tests.fakes.oauth_site import OAuthSite
from tests.fakes.soak import times
from zoom_common.access.principal import Principal
from zoom_common.connections.selection import authorize_connection, select
from zoom_common.errors import NotFound

THEIRS = ("acme", "con_1")
# Every route of the function that names a connection, and what its body may say.
NAMED = {("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/reconnect")}
ROUTES = st.sampled_from(sorted(NAMED))
BODIES = st.sampled_from(
    [None, {}, {"owner": "key:k1"}, {"tenant": "acme"}, {"connection": "con_1"}, {"label": "mine"}]
)
# An id may be spelt to look like another key of the table.
SPELLINGS = st.sampled_from(
    ["con_1", "acme#con_1", "../acme/con_1", "con_1%00", "acme%23connections", "CON_1", "con_1/../con_1"]
)
STRANGERS = st.builds(
    Principal,
    tenant=st.sampled_from(["beta", "acme-", "ac", "acme2"]),
    subject=st.sampled_from(["key:k1", "key:k9", "ada", "acme"]),
    scopes=st.sampled_from([frozenset({"*"}), frozenset({"connections:read", "connections:write", "connections:all"})]),
    connection=st.sampled_from([None, "con_1"]),
)


@settings(max_examples=times(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(route=ROUTES, body=BODIES, spelling=SPELLINGS, stranger=STRANGERS)
def test_every_route_to_anothers_connection_is_a_404(
    route: tuple[str, str], body: Any, spelling: str, stranger: Principal
) -> None:
    """Never a 403, never a word of it, and nothing changes; with the same body as for an id nobody has."""
    site = OAuthSite()
    before, (method, below) = site.item, route
    answer = site.ask(method, f"/connections/{spelling}{below}", body, principal=stranger)
    nobodys = site.ask(method, f"/connections/con_nobody{below}", body, principal=stranger)
    assert answer["statusCode"] == 404
    if spelling == "con_1":
        assert answer["body"] == nobodys["body"]
    assert list(site.memory.items) == [THEIRS]
    assert site.item == before
    assert (site.zoom.requests, site.links.entries) == ([], {})


def test_no_route_is_left_out() -> None:
    """Whatever names a connection in its path is on the list above."""
    named = {
        (route.method, route.pattern.pattern.partition(")")[2])
        for route in OAuthSite().module.router._routes
        if "connection_id" in route.pattern.groupindex
    }
    assert named == NAMED


@given(stranger=STRANGERS)
def test_no_list_names_anothers_connection(stranger: Principal) -> None:
    """Neither the list nor the choice of a connection for a call knows of it."""
    world = World()
    world.memory.put(connection(tenant=stranger.tenant, connection_id="con_2", owner=stranger.subject))
    page = world.memory.list(stranger.tenant)
    assert [each.connection_id for each in page.connections] == ["con_2"]
    with pytest.raises(NotFound):
        authorize_connection(stranger, "con_1", world.memory)
    with pytest.raises(NotFound):
        select(stranger, "con_1", world.memory)
