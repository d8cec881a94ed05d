"""Erasing a person or a tenant, over the tables as the stores write them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import CLIENT_ID, START, FakeSqs, connection
from zoom_common.access.keys import Credential, issue
from zoom_common.access.store import ApiKeyStore
from zoom_common.connections.item import claim_key, to_values
from zoom_common.connections.queue import RevokeQueue
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.table_client import Table
from zoom_common.connections.tombstones import Tombstones, of_person, of_user
from zoom_common.edge.erasure import Erasure
from zoom_common.edge.erasure_match import Wanted
from zoom_common.errors import Unavailable
from zoom_common.events.log_entry import LogEntry, unrouted
from zoom_common.events.log_store import EventLog
from zoom_common.events.projection_store import ProjectionStore
from zoom_common.events.projections.changes import changes
from zoom_common.zoom.events import ZoomEvent

pytestmark = pytest.mark.aws

ADA = Wanted(tenant="acme", zoom_user_id="ada-id", email="Ada@example.com")


@dataclass
class Held:
    """Two tenants with a connection, a key, events and projections each."""

    dynamodb: DynamoDBClient
    erasure: Erasure
    table: Table
    queue: FakeSqs
    events: str

    def connect(self, tenant: str, name: str, user: str) -> None:
        self.table.put(to_values(connection(tenant=tenant, connection_id=name, zoom_user_id=user, sealed_refresh=b"r")))
        pk, sk = claim_key(CLIENT_ID, user)
        self.table.put({"pk": pk, "sk": sk, "tenant": tenant, "connection_id": name})

    def receive(self, owner: str, number: int, content: dict[str, Any]) -> None:
        entry = LogEntry(
            owner=owner,
            event_id=f"event-{number}",
            key=str(number),
            app=CLIENT_ID,
            type="zoom.meeting.started",
            received_at_ms=int(START * 1000) + number,
            content=json.dumps(content).encode(),
        )
        EventLog(self.events, self.dynamodb, clock=lambda: START).admit(entry)
        event = ZoomEvent("meeting.started", {"event": "meeting.started", "event_ts": 1, "payload": content})
        if "." not in owner:
            ProjectionStore(self.events, self.dynamodb).apply(owner, changes(event), (1, f"event-{number}"))

    def left(self, table: str = "") -> list[str]:
        """Everything in the tables, as text, without tombstones and receipts."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table or self.events)
        found = [item for page in pages for item in page["Items"]]
        return [str(item) for item in found if "erased#" not in str(item) and "#erasures" not in str(item)]


@pytest.fixture
def held(dynamodb: DynamoDBClient, connections_table: str, events_table: str) -> Held:
    queue, table = FakeSqs(), Table(dynamodb, connections_table)
    erasure = Erasure(
        dynamodb=dynamodb,
        connections_table=connections_table,
        events_table=events_table,
        revokes=RevokeQueue(queue.client(), "escrow"),
        clock=lambda: START,
    )
    made = Held(dynamodb, erasure, table, queue, events_table)
    made.connect("acme", "con_1", "ada-id")
    made.connect("acme", "con_2", "bob-id")
    made.connect("beta", "con_3", "cyd-id")
    for tenant in ("acme", "beta"):
        key = issue(Credential.generate(), tenant=tenant, name="k", scopes=["*"], now=START)
        ApiKeyStore(dynamodb, connections_table).add(key)
    by_ada = {"object": {"id": "1", "uuid": "u1", "host_id": "ada-id", "topic": "one"}}
    made.receive("acme", 1, by_ada)
    made.receive("acme", 2, {"object": {"id": "2", "uuid": "u2", "host_id": "bob-id", "topic": "two"}})
    big = {"object": {"id": "3", "uuid": "u3", "host_id": "bob-id", "registrant": {"email": "ada@EXAMPLE.com"}}}
    made.receive("acme", 3, big | {"noise": [f"{number:x}" * 5 for number in range(3000)]})
    made.receive("beta", 4, {"object": {"id": "4", "uuid": "u4", "host_id": "cyd-id", "topic": "four"}})
    made.receive(unrouted(CLIENT_ID), 5, by_ada)
    for name in ("con_1", "con_2"):
        Table(dynamodb, events_table).put({"pk": "acme#usage", "sk": f"2027-01-15#{name}#meetings.get", "calls": 3})
    return made


def test_a_person_is_erased_everywhere(held: Held) -> None:
    """Connection, claim, events that name the person by id or e-mail, and what they added up to; nobody else's."""
    receipt = held.erasure.erase(ADA)
    text = "\n".join([*held.left(), *held.left(held.table.name)])
    assert "ada-id" not in text
    assert ConnectionStore(held.table).get("acme", "con_1") is None
    assert ConnectionStore(held.table).by_zoom_user(CLIENT_ID, "ada-id") is None
    log = EventLog(held.events, held.dynamodb, clock=lambda: START)
    assert [log.get("acme", f"event-{number}") is None for number in (1, 2, 3)] == [True, False, True]
    assert log.get(unrouted(CLIENT_ID), "event-5") is None
    assert log.get("beta", "event-4") is not None
    assert ConnectionStore(held.table).get("acme", "con_2") is not None
    assert "event-1" not in text
    assert [name in text for name in ("2027-01-15#con_1#", "2027-01-15#con_2#")] == [False, True]
    assert receipt["deleted"]["connections"] == 1
    assert receipt["deleted"]["events"] == 3
    assert "35 days" in receipt["expires"].values()
    assert "ada" not in json.dumps(receipt).lower()


def test_the_grant_is_revoked_and_late_events_are_kept_away(held: Held) -> None:
    """Zoom is told from the queue; tombstones say that, and not whom."""
    held.erasure.erase(ADA)
    assert [json.loads(body)["action"] for body in held.queue.bodies] == ["revoke"]
    tombstones = Tombstones(held.table)
    assert tombstones.erased_at(of_person("acme", "ada-id")) == START
    assert tombstones.erased_at(of_user(CLIENT_ID, "ada-id")) == START
    assert tombstones.erased_at(of_person("beta", "ada-id")) is None


def test_a_tenant_is_erased_whole(held: Held) -> None:
    """Nothing of it is left but the receipt and the tombstones; the other tenant has everything."""
    before = [each for each in held.left() if "beta#" in each]
    receipt = held.erasure.erase(Wanted(tenant="acme"))
    text = "\n".join([*held.left(), *held.left(held.table.name)])
    assert "acme" not in text
    assert receipt["deleted"]["connections"] == 2
    assert receipt["deleted"]["api_keys"] == 1
    assert [each for each in held.left() if "beta#" in each] == before
    assert len(ApiKeyStore(held.dynamodb, held.table.name).list("beta")) == 1


def test_a_second_run_finds_nothing(held: Held) -> None:
    """Idempotent: an empty receipt, and no second revoke."""
    held.erasure.erase(ADA)
    again = held.erasure.erase(ADA)
    assert not any(again["deleted"].values())
    assert len(held.queue.bodies) == 1


def test_an_interrupted_run_is_run_again(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it stopped at, the next run deletes the rest."""

    def away(*_: object) -> None:
        raise Unavailable(reason="escrow_unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(RevokeQueue, "enqueue", away)
        with pytest.raises(Unavailable):
            held.erasure.erase(ADA)
    assert ConnectionStore(held.table).get("acme", "con_1") is not None
    receipt = held.erasure.erase(replace(ADA))
    assert receipt["deleted"]["connections"] == 1
    assert "ada-id" not in "\n".join([*held.left(), *held.left(held.table.name)])
