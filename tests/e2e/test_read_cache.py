"""Reads from memory, on the deployed stack, when they are switched on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import httpx
import pytest

from dev.demo import Story
from dev.waiting import wait_until
from tests.fakes.releases import configured
from tests.fakes.waiting import CALL_SECONDS, wait_until_delivered, wait_until_processed

pytestmark = pytest.mark.e2e


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
                released.enter_context(configured(functions, name, READ_CACHE_SECONDS="60"))
        yield


def ingest_queue(stack: dict[str, Any]) -> tuple[Any, str]:
    """A client for SQS, and the address of the queue that deliveries wait in."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["aws_region"],
        aws_access_key_id=stack["aws_access_key_id"],
        aws_secret_access_key=stack["aws_secret_access_key"],
    )
    [url] = [each for each in sqs.list_queues()["QueueUrls"] if "-IngestQueue-" in each]
    return sqs, str(url)


@pytest.mark.usefixtures("remembering")
def test_a_read_is_remembered_until_a_webhook_reports_a_change(stack: dict[str, Any], api: httpx.Client) -> None:
    """Zoom is asked once, then not for a minute; the meeting starts, and the next read shows it."""
    with Story(stack) as story:
        api.headers["X-Zoom-Connection"] = story.connect()
    created = api.post("/v2/users/me/meetings", json={"topic": "Remembered", "type": 1})
    path = f"/v2/meetings/{created.json()['id']}"
    # The webhook of the create is a change as well: let it pass.
    with httpx.Client(base_url=f"{stack['zoom_url']}/_sim", timeout=CALL_SECONDS) as zoom:
        wait_until_delivered(zoom)
    wait_until_processed(*ingest_queue(stack))
    first, again = api.get(path), api.get(path)
    assert first.headers["x-zm-trackingid"] == again.headers["x-zm-trackingid"]
    assert again.headers["x-zoom-cache"] == "hit"
    assert again.json()["status"] == "waiting"
    httpx.post(f"{stack['zoom_url']}/_sim{path.removeprefix('/v2')}/start").raise_for_status()

    def seen() -> tuple[str, str]:
        answer = api.get(path)
        return answer.json()["status"], answer.headers["x-zoom-cache"]

    assert wait_until("the meeting's start to show", seen, lambda found: found[0] == "started")[1] == "miss"
