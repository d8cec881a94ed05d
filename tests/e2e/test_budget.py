"""Limits of a day, on the deployed stack: refused before Zoom would refuse."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest

from dev.demo import Story

pytestmark = pytest.mark.e2e

# What a container may still hold of the user's day: every warm one may have a batch.
MOST_IN_BATCHES = 60


@pytest.fixture
def connection(stack: dict[str, Any], api: httpx.Client) -> dict[str, Any]:
    """A connected person, and who that is at Zoom."""
    with Story(stack) as story:
        api.headers["X-Zoom-Connection"] = story.connect()
    answer = api.get(f"/connections/{api.headers['X-Zoom-Connection']}")
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def spent(stack: dict[str, Any], connection: dict[str, Any]) -> Iterator[None]:
    """The person's creates and updates of today are used up, until the end of the test."""
    table = boto3.client(
        "dynamodb",
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["aws_region"],
        aws_access_key_id=stack["aws_access_key_id"],
        aws_secret_access_key=stack["aws_secret_access_key"],
    )
    user = hashlib.sha256(connection["zoom_user_id"].lower().encode()).hexdigest()[:32]
    today = str(int(time.time() // 86_400))
    key = {"pk": {"S": f"daily#{connection['zoom_account_id']}#user#{user}"}, "sk": {"S": today}}
    name = stack["coordination_table"]
    before = table.get_item(TableName=name, Key=key).get("Item")
    table.put_item(TableName=name, Item=key | {"used": {"N": "100"}})
    yield
    table.put_item(TableName=name, Item=before) if before else table.delete_item(TableName=name, Key=key)


def refusals(stack: dict[str, Any]) -> int:
    """How often Zoom has answered 429."""
    return int(httpx.get(f"{stack['zoom_url']}/_sim/state").json()["refused_by_limits"])


@pytest.mark.usefixtures("spent")
def test_a_users_hundred_and_first_change_never_reaches_zoom(stack: dict[str, Any], api: httpx.Client) -> None:
    """429 with the time until 00:00 UTC; reads go on."""
    httpx.post(f"{stack['zoom_url']}/_sim/limits/reset").raise_for_status()
    refused, before = None, refusals(stack)
    for _ in range(MOST_IN_BATCHES):
        answer = api.patch("/v2/meetings/1", json={"topic": "x"})
        if answer.status_code == 429:
            refused = answer
            break
        assert answer.status_code == 404, answer.text
    assert refused is not None
    assert refused.json()["reason"] == "user_daily_limit"
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert refusals(stack) == before
    assert api.get("/v2/users/me/meetings").status_code == 200
