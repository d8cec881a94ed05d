"""Tokens that end, on the deployed stack: refreshed on demand, by the schedule, and by nobody else."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import eq
from typing import Any

import httpx
import pytest

from dev.demo import Story
from dev.emulator import client_of
from dev.waiting import wait_until
from tests.fakes.waiting import CALL_SECONDS, wait_until_processed

pytestmark = pytest.mark.e2e

LIST = "/v2/users/me/meetings"
REFRESHES = "oauth.token.refresh"
GRACE = "old_refresh_token_grace_seconds"


class Vault:
    """The stack's own view of one connection, and the simulated Zoom's count of refreshes."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self.stack = stack
        self.zoom = httpx.Client(base_url=f"{stack['zoom_url']}/_sim", timeout=CALL_SECONDS)
        # A person nobody else connects: whatever else refreshes on this stack, faults and counts are of this grant.
        self.person = f"refreshed-{secrets.token_hex(4)}@zoom.example"
        assert self.zoom.post("/users", json={"email": self.person}).status_code == 200
        self.connection = self.connect()
        self.key = {"pk": {"S": f"{stack['tenant']}#connections"}, "sk": {"S": self.connection}}
        self.table = self.aws("dynamodb")
        self.queue_url, self.heard = "", list[tuple[str, str | None]]()
        self.listen()

    def connect(self) -> str:
        """The person gives a new grant; the connection stays the same."""
        with Story(self.stack) as story:
            return story.connect(self.person)

    def aws(self, service: Any) -> Any:
        return client_of(self.stack, service)

    def item(self) -> dict[str, Any]:
        """The connection as it stands in the table."""
        found: dict[str, Any] = self.table.get_item(
            TableName=self.stack["connections_table"], Key=self.key, ConsistentRead=True
        )["Item"]
        return found

    def state(self) -> str:
        return str(self.item()["state"]["S"])

    def refusals(self) -> int:
        """How often in a row Zoom has refused the tokens, as counted in the table."""
        return int(self.item().get("refusals", {"N": "0"})["N"])

    @property
    def version(self) -> int:
        return int(self.item()["version"]["N"])

    def set(self, *path: str, to: float) -> None:
        """Write a time into the item, as if that much had passed."""
        names = {f"#at{number}": each for number, each in enumerate(path)}
        self.table.update_item(
            TableName=self.stack["connections_table"],
            Key=self.key,
            UpdateExpression=f"SET {'.'.join(names)} = :value",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":value": {"N": f"{to:.3f}"}},
        )

    def end_access_token(self) -> None:
        """Its hour is over, for the gateway."""
        self.set("access_expires_at", to=time.time() - 1)

    def listen(self) -> None:
        """A queue of our own on the bus: what is told of this connection's state."""
        sqs, events, name = self.aws("sqs"), self.aws("events"), f"states-{secrets.token_hex(4)}"
        [bus] = {each["Name"] for each in events.list_event_buses()["EventBuses"]} - {"default"}
        self.queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=self.queue_url, Attributes={"Policy": policy})
        wanted = json.dumps({"detail-type": [{"prefix": "connection."}]})
        events.put_rule(Name=name, EventBusName=bus, EventPattern=wanted)
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "states", "Arn": arn}])

    def states(self) -> list[tuple[str, str | None]]:
        """State and reason of each change of this connection that the bus has told by now, as they came."""
        sqs = self.aws("sqs")
        while messages := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", []):
            for each in messages:
                data = json.loads(each["Body"])["detail"]["data"]
                if data["connection_id"] == self.connection:
                    self.heard.append((data["state"], data["reason"]))
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=each["ReceiptHandle"])
        return self.heard

    def sweep(self) -> None:
        """Send what the deployed schedule sends to its target, now."""
        scheduler = self.aws("scheduler")
        names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
        targets = [scheduler.get_schedule(Name=name) for name in names]
        schedules = [each for each in targets if "TokenRefreshFunction" in each["Target"]["Arn"]]
        [sweep] = [each for each in schedules if each["Target"]["Input"] == '{"action":"sweep"}']
        assert (sweep["State"], sweep["ScheduleExpression"]) == ("ENABLED", "rate(5 minutes)")
        target = sweep["Target"]
        swept = self.aws("lambda").invoke(FunctionName=target["Arn"], Payload=target["Input"].encode())
        assert "FunctionError" not in swept, swept["Payload"].read()

    def wait_until_queue_is_empty(self) -> None:
        """Wait until nothing stands in the queue of what is to be refreshed, or is being worked on."""
        sqs = self.aws("sqs")
        [url] = [each for each in sqs.list_queues()["QueueUrls"] if "-RefreshQueue-" in each]
        wait_until_processed(sqs, url)

    def watch(self, target: str = REFRESHES, effect: str = "delay", **more: object) -> Callable[[], int]:
        """Count what Zoom is asked for this person, or break it; what is returned says how often it was asked."""
        wanted = {"target": target, "effect": effect, "user": self.person, "seconds": 0.0, **more}
        rule = self.zoom.post("/faults", json=wanted)
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
    connected.zoom.patch("/behaviour", json={GRACE: 0.0})


@pytest.fixture
def caller(api: httpx.Client, vault: Vault) -> httpx.Client:
    api.headers["X-Zoom-Connection"] = vault.connection
    return api


def test_an_ended_access_token_is_refreshed_once_for_all_who_meet_it(vault: Vault, caller: httpx.Client) -> None:
    """Several calls at once find the token ended: all are served, and Zoom is asked for one new pair."""
    with ThreadPoolExecutor(4) as pool:  # on a busy machine four cold starts are longer than a call may take
        list(pool.map(lambda _: caller.get(LIST), range(4)))
    vault.sweep()
    asked, before = vault.watch(), vault.version
    vault.end_access_token()
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: caller.get(LIST).status_code, range(4)))
    assert statuses == [200] * 4
    assert (asked(), vault.version) == (1, before + 1)


def test_a_token_that_zoom_ended_early_is_refreshed(vault: Vault, caller: httpx.Client) -> None:
    """Over at Zoom and not here: its 401 brings one refresh, and the call is answered with a 200."""
    asked, before = vault.watch(), vault.version
    assert vault.zoom.post(f"/users/{vault.person}/expire", json={}).json()["tokens_ended"] >= 1
    answer = caller.get(LIST)
    assert answer.status_code == 200, answer.text
    assert (asked(), vault.version) == (1, before + 1)


def test_a_lost_answer_costs_no_grant_while_zoom_takes_the_old_token_once_more(
    vault: Vault, caller: httpx.Client
) -> None:
    """Zoom rotates, its answer is lost, and it behaves as seen in 2026: the same token is sent again and passes.

    A caller may be told to come back (503) while the outcome is unknown; never that the grant is gone.
    """
    vault.zoom.patch("/behaviour", json={GRACE: 300.0})
    asked, lost, before = vault.watch(), vault.watch(effect="lost_response", count=1), vault.version
    vault.end_access_token()
    answers: list[int] = []

    def served() -> bool:
        answers.append(caller.get(LIST).status_code)
        return answers[-1] == 200

    wait_until("a call that is served", served, progress=lambda: vault.version)
    assert set(answers) <= {200, 503}
    assert (lost(), vault.version) == (1, before + 1)
    assert asked() >= 2  # the one whose answer was lost, and the one that brought the pair
    vault.zoom.patch("/behaviour", json={GRACE: 0.0})
    vault.end_access_token()
    assert caller.get(LIST).status_code == 200  # what was kept is the live token, not one on borrowed time


def test_a_lost_answer_ends_a_grant_that_zoom_ended_and_says_so(vault: Vault, caller: httpx.Client) -> None:
    """Zoom rotates, its answer is lost, and the old token is dead at once, as documented: nobody has the new one.

    For a quarter of an hour somebody might still bring it: 503 with `Retry-After`, and Zoom is left alone. Then the
    schedule asks the person, without a call that has to meet it.
    """
    lost, version = vault.watch(effect="lost_response", count=1), vault.version
    vault.end_access_token()
    first = caller.get(LIST)
    assert (lost(), first.status_code, first.json()["reason"]) == (1, 503, "refresh_failing")
    assert 1 <= int(first.headers["retry-after"]) <= 36
    asked = vault.watch()
    assert caller.get(LIST).status_code == 503
    shown = caller.get(f"/connections/{vault.connection}").json()
    assert (asked(), shown["state"], shown["reason"]) == (0, "refresh_failing", "rotation_unresolved")
    for attempt in vault.item()["intents"]["M"]:  # a quarter of an hour passes
        vault.set("intents", attempt, to=time.time() - 15 * 60 - 1)
    vault.set("cool_until", to=time.time() - 1)
    vault.set("due_at", to=time.time() - 1)
    vault.sweep()
    wait_until("the person to be asked", vault.state, lambda state: state == "reauthorization_required")
    reply = caller.get(LIST)
    assert (reply.status_code, reply.json()["reason"]) == (409, "invalid_grant"), reply.text
    assert reply.json()["reconnect_url"]
    assert vault.version == version
    assert (vault.connect(), caller.get(LIST).status_code) == (vault.connection, 200)
    changes = {
        ("refresh_failing", "rotation_unresolved"),
        ("reauthorization_required", "invalid_grant"),
        ("connected", None),
    }
    wait_until("the bus to tell every change", vault.states, lambda heard: changes <= set(heard))


def test_a_request_that_zoom_refuses_alone_ends_no_connection(vault: Vault, caller: httpx.Client) -> None:
    """One operation answers 401 while the token serves all others: the request is named, and nothing is counted."""
    asked = vault.watch()
    vault.watch(target="meetings.list", effect="status", status=401, code=124, message="Invalid access token.")
    answers = [caller.get(LIST) for _ in range(5)]
    assert [each.status_code for each in answers] == [401] * 5
    assert {each.json()["reason"] for each in answers} == {"zoom_rejected_request"}
    assert asked() <= 1
    assert caller.get("/v2/users/me").status_code == 200
    assert (vault.item()["state"]["S"], vault.refusals()) == ("connected", 0)


def test_new_tokens_that_zoom_refuses_end_the_connection_in_time(vault: Vault, caller: httpx.Client) -> None:
    """Zoom's 401 is the answer and one refresh is tried, not one for each call; minutes later the person is asked."""
    asked, before = vault.watch(), vault.version
    for target in ("meetings.list", "users.get"):
        vault.watch(target=target, effect="status", status=401, code=124, message="Invalid access token.")
    assert (caller.get(LIST).status_code, asked()) == (401, 1)
    wait_until("the refusal to be counted", vault.refusals, lambda count: count == 1)
    assert [caller.get(LIST).status_code for _ in range(3)] == [401] * 3
    assert (asked(), vault.version, vault.item()["state"]["S"]) == (1, before + 1, "connected")
    for refusals in (2, 3):  # each time minutes have passed
        vault.set("refresh_issued_at", to=time.time() - 150)
        vault.set("refused_since", to=time.time() - 601)
        assert caller.get(LIST).status_code == 401
        wait_until("the refusal to be counted", vault.refusals, partial(eq, refusals))
    wait_until("the person to be asked", vault.state, lambda state: state == "reauthorization_required")
    reply = caller.get(LIST)
    assert (reply.status_code, reply.json()["reason"]) == (409, "tokens_refused")
    vault.zoom.delete("/faults")
    assert (vault.connect(), caller.get(LIST).status_code) == (vault.connection, 200)
    assert vault.item()["refusals"]["N"] == "0"


def test_the_schedule_keeps_a_connection_warm(vault: Vault) -> None:
    """What the deployed schedule sends, sent to its target: the due connection is found, queued and refreshed once."""
    asked, before = vault.watch(), vault.version
    vault.set("due_at", to=time.time() - 1)
    for _ in range(2):  # one sweep is safe to run twice
        vault.sweep()
    wait_until("the refresh", lambda: vault.version, lambda version: version > before)
    vault.wait_until_queue_is_empty()
    assert (asked(), vault.version) == (1, before + 1)
    assert float(vault.item()["due_at"]["N"]) > time.time()
