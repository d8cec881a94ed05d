"""Reads from memory, on the deployed stack, when they are switched on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import httpx
import pytest

from dev.demo import Story
from tests.fakes.releases import told

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

WAIT_SECONDS = 45.0  # less than a read is remembered without any word


@pytest.fixture
def remembering(stack: dict[str, Any]) -> Iterator[None]:
    """The functions that read and that hear of changes have the cache on, until the end of the test."""
    functions = boto3.client(
        "lambda",
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["aws_region"],
        aws_access_key_id=stack["aws_access_key_id"],
        aws_secret_access_key=stack["aws_secret_access_key"],
    )
    wanted = ("MeetingsFunction", "EventProcessorFunction")
    names = [each["FunctionName"] for each in functions.list_functions(MaxItems=100)["Functions"]]
    with ExitStack() as released:
        for name in names:
            if any(each in name for each in wanted):
                released.enter_context(told(functions, name, READ_CACHE_SECONDS="60"))
        yield


@pytest.mark.usefixtures("remembering")
def test_a_read_is_remembered_until_a_webhook_tells_of_a_change(stack: dict[str, Any], api: httpx.Client) -> None:
    """Zoom is asked once, then not for a minute; the meeting starts, and the next read shows it."""
    api.timeout = 100
    with Story(stack) as story:
        api.headers["X-Zoom-Connection"] = story.connect()
    created = api.post("/v2/users/me/meetings", json={"topic": "Remembered", "type": 1})
    path = f"/v2/meetings/{created.json()['id']}"
    time.sleep(2)  # the webhook of the create is a change as well: let it pass
    first, again = api.get(path), api.get(path)
    assert first.headers["x-zm-trackingid"] == again.headers["x-zm-trackingid"]
    assert again.headers["x-zoom-cache"] == "hit"
    assert again.json()["status"] == "waiting"
    httpx.post(f"{stack['zoom_url']}/_sim{path.removeprefix('/v2')}/start").raise_for_status()
    deadline = time.monotonic() + WAIT_SECONDS
    while (seen := api.get(path)).json()["status"] != "started" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert (seen.json()["status"], seen.headers["x-zoom-cache"]) == ("started", "miss")
