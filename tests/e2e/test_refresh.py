"""Tokens that end, on the deployed stack: refreshed on demand, by the schedule, and by nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import httpx
import pytest

from local.demo import Story

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(400)]

LIST = "/v2/users/me/meetings"
REFRESHES = "oauth.token.refresh"


class Vault:
    """The stack's own view of one connection, and the simulated Zoom's count of refreshes."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self.stack = stack
        self.zoom = httpx.Client(base_url=f"{stack['zoom_url']}/_sim", timeout=10)
        with Story(stack) as story:
            self.connection = story.connect()
        self.key = {"pk": {"S": f"{stack['tenant']}#connections"}, "sk": {"S": self.connection}}
        self.table = self.aws("dynamodb")

    def aws(self, service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.stack["aws_endpoint_url"],
            region_name=self.stack["aws_region"],
            aws_access_key_id=self.stack["aws_access_key_id"],
            aws_secret_access_key=self.stack["aws_secret_access_key"],
        )

    def item(self) -> dict[str, Any]:
        """The connection as it stands in the table."""
        found: dict[str, Any] = self.table.get_item(
            TableName=self.stack["connections_table"], Key=self.key, ConsistentRead=True
        )["Item"]
        return found

    @property
    def version(self) -> int:
        return int(self.item()["version"]["N"])

    def set(self, name: str, value: float) -> None:
        """Write a time into the item, as if that much had passed."""
        self.table.update_item(
            TableName=self.stack["connections_table"],
            Key=self.key,
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": {"N": f"{value:.3f}"}},
        )

    def waiting(self) -> int:
        """How many messages stand in the queue of what is to be refreshed, or are being worked on."""
        sqs = self.aws("sqs")
        [url] = [each for each in sqs.list_queues()["QueueUrls"] if "-RefreshQueue-" in each]
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
        return sum(map(int, found.values()))

    def watch(self, target: str = REFRESHES, effect: str = "delay", **more: object) -> Callable[[], int]:
        """Count what Zoom is asked from now on, or break it; calling what this gives says how often it was asked."""
        rule = self.zoom.post("/faults", json={"target": target, "effect": effect, "seconds": 0.0, **more})
        assert rule.status_code < 300, rule.text
        name = rule.json()["id"]
        return lambda: sum(
            int(each["fired"]) for each in self.zoom.get("/faults").json()["faults"] if each["id"] == name
        )


@pytest.fixture(scope="module")
def connected(gateway: Any) -> Iterator[Vault]:
    vault = Vault(gateway.stack)
    yield vault
    vault.zoom.close()
    vault.table.close()


@pytest.fixture
def vault(connected: Vault) -> Iterator[Vault]:
    """A connection whose refreshes are counted; Zoom behaves again afterwards."""
    connected.zoom.post("/limits/reset")
    yield connected
    connected.zoom.delete("/faults")


@pytest.fixture
def caller(api: httpx.Client, vault: Vault) -> httpx.Client:
    api.headers["X-Zoom-Connection"] = vault.connection
    return api


def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that other processes bring about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_an_ended_access_token_is_refreshed_once_for_all_who_meet_it(vault: Vault, caller: httpx.Client) -> None:
    """Several calls at once find the token ended: all are served, and Zoom is asked for one new pair."""
    asked, before = vault.watch(), vault.version
    vault.set("access_expires_at", time.time() - 1)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: caller.get(LIST).status_code, range(4)))
    assert statuses == [200] * 4
    assert (asked(), vault.version) == (1, before + 1)


def test_a_token_that_zoom_ended_early_is_refreshed(vault: Vault, caller: httpx.Client) -> None:
    """An hour passes at Zoom and not here: its 401 brings one refresh, and the call is answered with a 200."""
    asked, before = vault.watch(), vault.version
    vault.zoom.post("/clock", json={"advance": 3700})
    try:
        answer = caller.get(LIST)
    finally:
        vault.zoom.post("/clock", json={"advance": -3700})
    assert answer.status_code == 200, answer.text
    assert (asked(), vault.version) == (1, before + 1)


def test_a_lost_answer_costs_no_grant(vault: Vault, caller: httpx.Client) -> None:
    """Zoom rotates and its answer is lost: the same token is sent once more, and the new pair works.

    A caller may be told to come back (503) while the outcome is unknown; never that the grant is gone.
    """
    lost, before = vault.watch(effect="lost_response", count=1), vault.version
    vault.set("access_expires_at", time.time() - 1)
    answers: list[int] = []

    def served() -> bool:
        answers.append(caller.get(LIST).status_code)
        return answers[-1] == 200

    eventually(served)
    assert set(answers) <= {200, 503}
    assert (lost(), vault.version) == (1, before + 1)
    vault.set("access_expires_at", time.time() - 1)
    assert caller.get(LIST).status_code == 200


def test_the_schedule_keeps_a_connection_warm(vault: Vault) -> None:
    """What the deployed schedule sends, sent to its target: the due connection is found, queued and refreshed once."""
    asked, before = vault.watch(), vault.version
    vault.set("due_at", time.time() - 1)
    scheduler, functions = vault.aws("scheduler"), vault.aws("lambda")
    names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
    schedules = [scheduler.get_schedule(Name=name) for name in names]
    [sweep] = [each for each in schedules if each["Target"]["Input"] == '{"action":"sweep"}']
    assert (sweep["State"], sweep["ScheduleExpression"]) == ("ENABLED", "rate(5 minutes)")
    for _ in range(2):  # one sweep is safe to run twice
        swept = functions.invoke(FunctionName=sweep["Target"]["Arn"], Payload=sweep["Target"]["Input"].encode())
        assert "FunctionError" not in swept, swept["Payload"].read()
    eventually(lambda: vault.version > before)
    eventually(lambda: vault.waiting() == 0)
    assert (asked(), vault.version) == (1, before + 1)
    assert float(vault.item()["due_at"]["N"]) > time.time()
