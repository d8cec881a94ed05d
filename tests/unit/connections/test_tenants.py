"""Whoever asks, by whatever route: another tenant's connection does not exist."""

from __future__ import annotations

import importlib.util
import json
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.connections import MemoryAuthorization, World, connection
from tests.fakes.edge import LambdaContext, http_event
from zoom_common.access.principal import Principal
from zoom_common.connections.linking import Linking
from zoom_common.connections.redemption import Redemption
from zoom_common.connections.selection import reach, select
from zoom_common.edge import vault
from zoom_common.edge.settings.oauth import OAuthSettings
from zoom_common.errors import NotFound

HANDLER = Path(__file__).parents[3] / "functions" / "oauth" / "handler.py"
ENVIRON = {
    "CONNECTIONS_TABLE": "connections",
    "COORDINATION_TABLE": "coordination",
    "DATA_KEY_ID": "data-key",
    "REFRESH_KEY_ID": "refresh-key",
    "ESCROW_QUEUE_URL": "escrow",
    "ZOOM_APP_SECRET_ARN": "arn",
    "PUBLIC_BASE_URL": "https://gateway.example",
}
THEIRS = ("acme", "con_1")
# Every route of the function that names a connection, and what its body may say.
ROUTES = st.sampled_from([("GET", ""), ("DELETE", ""), ("POST", "/reconnect")])
BODIES = st.sampled_from([None, {}, {"owner": "key:k1"}, {"tenant": "acme"}, {"connection": "con_1"}])
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


class Site(World):
    """The function `oauth`, in front of one tenant's connection."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__()
        told, links, numbers = OAuthSettings.from_env(ENVIRON), MemoryAuthorization(self.memory), count(1)
        linking = Linking(
            store=links,
            connections=self.memory,
            cipher=self.cipher,
            zoom=self.oauth,
            credentials=self.credentials,
            redirect_uri=told.redirect_uri,
            return_urls=told.return_urls,
            clock=self.clock,
            new_secret=lambda: f"secret-{next(numbers)}",
            random_bits=lambda: next(numbers),
        )
        redemption = Redemption(
            store=links,
            connections=self.memory,
            cipher=self.cipher,
            publish=self.published.append,
            clock=self.clock,
            chance=lambda: 0.5,
        )
        wired = vault.Linked(self.memory, linking, redemption, self.disconnection, self.accounts)
        vars(module)["wiring"], vars(module)["settings"] = lambda: wired, lambda: told
        self.module, self.links = module, links

    def ask(self, method: str, path: str, body: Any, principal: Principal) -> dict[str, Any]:
        text = None if body is None else json.dumps(body)
        event = http_event(method, path, body=text, principal=principal)
        answer: dict[str, Any] = self.module.handler(event, LambdaContext())
        return answer


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("oauth_for_tenants", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(route=ROUTES, body=BODIES, spelling=SPELLINGS, stranger=STRANGERS)
def test_every_route_to_anothers_connection_is_a_404(
    module: ModuleType, route: tuple[str, str], body: Any, spelling: str, stranger: Principal
) -> None:
    """Never a 403, never a word of it, and nothing changes; with the same body as for an id nobody has."""
    site = Site(module)
    before, (method, below) = site.item, route
    answer = site.ask(method, f"/connections/{spelling}{below}", body, stranger)
    nobodys = site.ask(method, f"/connections/con_nobody{below}", body, stranger)
    assert answer["statusCode"] == 404
    if spelling == "con_1":
        assert answer["body"] == nobodys["body"]
    assert list(site.memory.items) == [THEIRS]
    assert site.item == before
    assert (site.zoom.requests, site.links.entries) == ([], {})


@given(stranger=STRANGERS)
def test_no_list_names_anothers_connection(stranger: Principal) -> None:
    """Neither the list nor the choice of a connection for a call knows of it."""
    world = World()
    world.memory.put(connection(tenant=stranger.tenant, connection_id="con_2", owner=stranger.subject))
    page = world.memory.list(stranger.tenant)
    assert [each.connection_id for each in page.connections] == ["con_2"]
    with pytest.raises(NotFound):
        reach(stranger, "con_1", world.memory)
    with pytest.raises(NotFound):
        select(stranger, "con_1", world.memory)
