"""What outlives a release, byte for byte: keys and attributes of every item, numbers, seals, names made by digest.

A table keeps what an older release wrote. Whoever changes one of these literals has to read the old form as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any, cast

import pytest
from mypy_boto3_kms import KMSClient

from tests.fakes import tables
from tests.fakes.connections import START, connection
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.stores import factories
from tests.stores.connection_items import LINK, pair
from zoom_common.access.bearers import Bearer
from zoom_common.access.keys import Credential, issue
from zoom_common.connections.cipher import Cipher, Sealer
from zoom_common.connections.identifiers import digest
from zoom_common.connections.item import due_shard
from zoom_common.connections.model import Kind, Spare, State
from zoom_common.connections.seal import SealContext, SealKind, seal, unseal
from zoom_common.connections.tombstones import of_account, of_person, of_tenant, of_user
from zoom_common.deadline import Deadline
from zoom_common.edge.erasure_records import erasure_id
from zoom_common.events.log_entry import LogEntry, malformed, unrouted
from zoom_common.events.projections.record import Change, Record
from zoom_common.events.webhook_signs_client import CHALLENGED, ENDPOINT, SignWriter, app_sign, rejected_at
from zoom_common.gateway.budget import BudgetRules, Spend, _of_user
from zoom_common.gateway.idempotency_store import StoredAnswer
from zoom_common.gateway.pacing import Lane, lanes
from zoom_common.gateway.usage_store import Usage
from zoom_common.secret import Secret
from zoom_common.zoom import allowances
from zoom_common.zoom.events import parse
from zoom_common.zoom.operations import RateLabel

NOW = 1_800_000_000.25
type Items = list[dict[str, Any]]


def a_connection(dynamodb: MemoryDynamoDB) -> None:
    whole = connection(
        sealed_access=b"A",
        sealed_refresh=b"R",
        previous_refresh=b"P",
        spares={"a9": Spare(b"S", START)},
        intents={"a8": START},
        lease_owner="a8",
        lease_expires_at=START + 60,
        reason="zoom_error",
        written_by="a7",
        api_url="https://api-eu.zoom.us",
        last_webhook_at=START,
        expires_at=START,
    )
    factories.connections(dynamodb.client()).replace(whole, seen=whole) if False else None
    cast("Any", factories.connections(dynamodb.client())).put(whole)


def a_refresh(dynamodb: MemoryDynamoDB) -> None:
    client = dynamodb.client()
    cast("Any", factories.connections(client)).put(connection(sealed_access=b"A", sealed_refresh=b"R"))
    refreshes, seen = factories.refreshes(client), connection()
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    refreshes.keep_spare(pair(attempt="a2", sealed_refresh=b"S"))
    refreshes.write(pair(sealed_access=b"B", sealed_refresh=b"Q", used_refresh=b"R"), release=False)


def a_claim_and_an_account(dynamodb: MemoryDynamoDB) -> None:
    client = dynamodb.client()
    pending = connection(state=State.PENDING, due_at=None)
    links = factories.authorizations(client)
    links.put_pending(pending, Secret("code"), LINK, expires_at=int(START) + 600)
    links.redeem(
        Secret("code"), pending=pending, connected=pending, replaced=None, claim=None, superseded=None, now=START
    )
    factories.connections(client).add_account(
        connection(connection_id="con_2", kind=Kind.ACCOUNT, zoom_user_id=None)
    )


