"""The gateway as functions wire it: connections in DynamoDB, tokens under KMS, and a scripted Zoom at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.gateway import World, answer, connection, principal
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.connections.cipher import Cipher, SealContext, SealKind
from zoom_common.connections.model import Connection, State
from zoom_common.connections.store import to_values
from zoom_common.edge.zoom_api import ZoomApiSettings
from zoom_common.errors import Conflict, ConnectionUnusable, NotFound
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Answer
from zoom_common.secret import Secret
from zoom_common.wiring.gateway import gateway

pytestmark = pytest.mark.aws

type Store = Callable[..., Connection]


@pytest.fixture
def settings(connections_table: str, coordination_table: str) -> ZoomApiSettings:
    """A table and a key; nobody refreshes."""
    key = clients.boto3_client("kms").create_key()["KeyMetadata"]["Arn"]
    return ZoomApiSettings(
        connections_table,
        key,
        "token_refresh",
        "https://gateway.example",
        coordination_table=coordination_table,
    )


@pytest.fixture
def store(settings: ZoomApiSettings) -> Store:
    """Put a connection with a sealed token into the table."""
    cipher = Cipher(clients.boto3_client("kms"), {SealKind.ACCESS: settings.data_key_id})

    def put(connection_id: str, **changes: Any) -> Connection:
        now = time.time()
        made = connection(connection_id=connection_id, access_expires_at=now + 3600, last_used_at=now, **changes)
        sealer = cipher.sealer(SealContext(made.tenant, connection_id, SealKind.ACCESS))
        made = replace(made, sealed_access=sealer.seal(Secret(f"token of {connection_id}")))
        Table(clients.boto3_client("dynamodb"), settings.connections_table).put(to_values(made))
        return made

    return put


def call(settings: ZoomApiSettings, world: World, **headers: str) -> Answer:
    """Read a meeting."""
    wired = gateway(settings)
    wired = replace(wired, client=replace(wired.client, http=world.http_client()))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = Call.read("/v2/meetings/1", principal("meetings:read"), world.time.deadline())
    asked.headers = named
    return wired.call(asked)


def test_the_only_connection_serves_with_its_own_token(settings: ZoomApiSettings, store: Store) -> None:
    """Found, opened, sent."""
    store("con_1")
    world = World.of(answer(200, b'{"id":1}'))
    assert call(settings, world).body == b'{"id":1}'
    assert world.zoom.sent[0].headers["Authorization"] == "Bearer token of con_1"


def test_of_several_the_header_names_one(settings: ZoomApiSettings, store: Store) -> None:
    """Without it the caller has to choose; another tenant's does not exist."""
    store("con_1")
    store("con_2")
    store("con_3", tenant="other")
    world = World.of(answer(200, b"{}"))
    call(settings, world, x_zoom_connection="con_2")
    assert world.zoom.sent[0].headers["Authorization"] == "Bearer token of con_2"
    with pytest.raises(Conflict) as choice:
        call(settings, World.of())
    assert choice.value.details == {"connections": ["con_1", "con_2"], "labels": {}}
    with pytest.raises(NotFound):
        call(settings, World.of(), x_zoom_connection="con_3")


def test_a_connection_that_needs_its_person_is_not_used(settings: ZoomApiSettings, store: Store) -> None:
    """The answer says where to go."""
    store("con_1", state=State.REAUTHORIZATION_REQUIRED, reason="refused")
    with pytest.raises(ConnectionUnusable) as refusal:
        call(settings, World.of())
    assert refusal.value.reconnect_url == "https://gateway.example/connections/con_1/reconnect"
