"""The operator's routes on the deployed stack, under the function's own role."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from dev.emulator import client_of
from ops.key_table import on_local_stack
from tests.e2e.test_operations import physical
from tests.fakes.waiting import CALL_SECONDS
from zoom_common.access.keys import Credential, issue

pytestmark = pytest.mark.e2e
PARTS = ("connections", "calls", "events", "refreshes", "webhooks", "keys", "dead-letters", "dead-letters/ingest")


@pytest.fixture
def operator(stack: dict[str, Any]) -> httpx.Client:
    """The API, with a new operator's key."""
    credential = Credential.generate()
    scopes = ["operator:read", "operator:write"]
    key = issue(credential, tenant=stack["tenant"], name="e2e", scopes=scopes, now=time.time(), operator=True)
    on_local_stack(stack).add(key)
    headers = {"Authorization": f"Bearer {credential.text().reveal()}"}
    return httpx.Client(base_url=f"{stack['api_url']}/operator", headers=headers, timeout=CALL_SECONDS)


@pytest.mark.parametrize("part", PARTS)
def test_an_operator_sees_every_part_and_others_none(api: httpx.Client, operator: httpx.Client, part: str) -> None:
    """The key of the walk-through has every scope that the star stands for, and no operator's."""
    with operator:
        found = operator.get(f"/{part}")
    assert (found.status_code, found.json()["complete"]) == (200, True)
    refused = api.get(f"/operator/{part}")
    assert (refused.status_code, refused.json()["reason"]) == (403, "missing_scope")


def test_a_dead_letter_is_found_and_discarded(stack: dict[str, Any], operator: httpx.Client) -> None:
    """Only the one that was named."""
    queue = physical(stack, "ReconcileDeadLetterQueue")
    names = [
        client_of(stack, "sqs").send_message(QueueUrl=queue, MessageBody='{"tenant":"nobody"}')["MessageId"]
        for _ in range(2)
    ]
    with operator:
        listed = operator.get("/dead-letters/reconcile").json()["messages"]
        assert set(names) <= {each["id"] for each in listed}
        for name in names:
            body = {"ids": [name], "reason": "made by a test"}
            done = operator.post("/dead-letters/reconcile/discard", json=body)
            assert (done.status_code, done.json()["done"]) == (200, 1)


def test_a_key_is_limited_and_revoked(stack: dict[str, Any], operator: httpx.Client) -> None:
    """It is another tenant's: operators see them all."""
    made = issue(Credential.generate(), tenant="other", name="e2e", scopes=["meetings:read"], now=time.time())
    on_local_stack(stack).add(made)
    with operator:
        limited = operator.patch(f"/keys/{made.key_id}", json={"requests_per_minute": 7})
        assert (limited.status_code, limited.json()["requests_per_minute"]) == (200, 7)
        revoked = operator.post(f"/keys/{made.key_id}/revoke", json={})
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
