"""Subscriptions on the deployed stack: create, verify, deliver, retry, rotate, unsubscribe, and a queue of one's own.

The receiver checks every signature with the reference library of Standard Webhooks.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from dev.answering import answering
from dev.emulator import client_of
from dev.waiting import wait_until
from ops import subscriber
from tests.e2e.conftest import Gateway

pytestmark = pytest.mark.e2e


@dataclass
class Receiver:
    """An endpoint on this machine. `status` is what it answers to events; `secrets` are those that it knows."""

    url: str = ""
    status: int = 204
    secrets: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    challenges: int = 0
    refused: int = 0
    ready: threading.Event = field(default_factory=threading.Event)

    def take(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """Answer one POST."""
        self.ready.wait(60)  # until the owner has seen the secret
        event = None
        for secret in self.secrets:
            try:
                event = Webhook(secret).verify(body, dict(headers))
            except Exception:  # noqa: BLE001, S112 - the next secret may be the one
                continue
        if event is None:
            self.refused += 1
            return 401, {}
        if event["type"] == "subscription.verification":
            self.challenges += 1
            return 200, {"challenge": event["data"]["challenge"]}
        assert event["id"] == headers["webhook-id"]
        self.signatures.append(headers["webhook-signature"])
        if self.status < 300:
            self.events.append(event)
        return self.status, {"said": "thanks"}

    @property
    def ids(self) -> list[str]:
        return [event["id"] for event in self.events]

    def known(self) -> set[str]:
        """The ids of the events that came, each once."""
        return set(self.ids)


@contextmanager
def serving() -> Iterator[Receiver]:
    """An endpoint on this machine that answers."""
    found = Receiver()
    with answering(lambda asked: found.take(asked.headers, asked.body)) as address:
        found.url = f"{address}/hook"
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as found:
        yield found


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    with ExitStack() as stack:
        yield [stack.enter_context(serving()) for _ in range(5)]


def until[T](what: str, read: Callable[[], T], good: Callable[[T], bool]) -> T:
    """Wait until what is read is good; a sweep comes each minute."""
    return wait_until(what, read, good, patience=240.0)


def publish(stack: dict[str, Any], name: str) -> str:
    """Put an event of the tenant on the bus, as the gateway's own functions do; its id."""
    known_as = f"evt_{uuid.uuid4().hex}"
    event = {
        "specversion": "1.0",
        "id": known_as,
        "source": "/gateway/tests",
        "type": name,
        "time": "2026-09-21T14:13:20.000Z",
        "tenant": stack["tenant"],
        "subject": "meetings/85012345678",
        "data": {"topic": "Stand-up"},
    }
    detail = {
        "EventBusName": stack["stack_name"],
        "Source": "zoom-gateway",
        "DetailType": name,
        "Detail": json.dumps(event),
    }
    answer = client_of(stack, "events").put_events(Entries=[detail])
    assert answer["FailedEntryCount"] == 0
    return known_as


def created(api: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = api.post("/subscriptions", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert found["state"] == "pending"
    assert found["secret"].startswith("whsec_")
    return found


def state_of(api: httpx.Client, made: dict[str, Any]) -> str:
    return str(api.get(f"/subscriptions/{made['id']}").json()["state"])


def test_the_life_of_a_subscription(api: httpx.Client, stack: dict[str, Any], receiver: Receiver) -> None:
    """Verified, delivered to, tried again, rotated, paused and resumed, and ended by a 410."""
    made = created(api, url=receiver.url, types=["stories.*"])
    receiver.secrets.append(made["secret"])
    receiver.ready.set()
    until("the subscription to be verified", lambda: state_of(api, made), lambda state: state == "active")
    assert "secret" not in api.get(f"/subscriptions/{made['id']}").json()
    path = f"/subscriptions/{made['id']}"

    sent = [publish(stack, "stories.told") for _ in range(3)]
    publish(stack, "songs.sung")
    until("three events", lambda: set(receiver.ids), lambda found: set(sent) <= found)

    receiver.status = 500
    failed = publish(stack, "stories.told")

    def deliveries() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.get(f"{path}/deliveries").json()["deliveries"]
        return found

    def of(name: str) -> dict[str, Any]:
        return next((each for each in deliveries() if each["event_id"] == name), {"status": "none", "attempts": []})

    until("a failed attempt", lambda: of(failed), lambda found: bool(found["attempts"]))
    assert of(failed)["attempts"][0]["status"] == 500
    assert of(failed)["attempts"][0]["answer"] == '{"said": "thanks"}'
    receiver.status = 204
    until("the retry", lambda: of(failed)["status"], lambda status: status == "delivered")
    assert failed in receiver.ids

    rotated = api.post(f"{path}/rotate", json={})
    assert rotated.status_code == 200, rotated.text
    receiver.secrets = [rotated.json()["secret"]]
    receiver.signatures.clear()
    test_id = api.post(f"{path}/test").json()["event_id"]
    until("the test event", lambda: set(receiver.ids), lambda found: test_id in found)
    assert len(receiver.signatures[-1].split(" ")) == 2

    assert api.patch(path, json={"state": "paused"}).json()["state"] == "paused"
    assert api.post(f"{path}/resume").json()["state"] == "active"

    receiver.status = 410
    publish(stack, "stories.told")
    until("the end", lambda: state_of(api, made), lambda state: state == "unsubscribed")
    assert receiver.refused == 0
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_a_queue_of_ones_own(
    api: httpx.Client, stack: dict[str, Any], gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make subscriber` makes it, and it takes a test message first; events come as messages until it is removed."""
    sqs, name = client_of(stack, "sqs"), f"stories-{uuid.uuid4().hex[:8]}"
    file = ["--stack-file", str(gateway.folder / "stack.json")]
    assert subscriber.main(["add", name, "--tenant", stack["tenant"], "--type", "stories.*", *file]) == 0
    made = json.loads(capsys.readouterr().out)
    assert state_of(api, {"id": made["SubscriptionId"]}) == "active"
    sent = publish(stack, "stories.told")
    got: list[str] = []

    def read() -> list[str]:
        for message in sqs.receive_message(QueueUrl=made["QueueUrl"], WaitTimeSeconds=1).get("Messages", []):
            got.append(json.loads(message["Body"])["id"])
            sqs.delete_message(QueueUrl=made["QueueUrl"], ReceiptHandle=message["ReceiptHandle"])
        return got

    until("the message", read, lambda found: sent in found)
    assert subscriber.main(["remove", name, *file]) == 0
    assert api.get(f"/subscriptions/{made['SubscriptionId']}").status_code == 404


def test_addresses_inside_are_refused(api: httpx.Client) -> None:
    """Even on a local stack, where only this machine is accepted besides."""
    for url in ("http://10.0.0.1/", "https://169.254.169.254/", "https://localhost.localdomain/", "ftp://x"):
        answer = api.post("/subscriptions", json={"url": url, "types": ["*"]})
        assert answer.status_code == 400, url
        assert [each["field"] for each in answer.json()["errors"]] == ["url"]


def workers(gateway: Gateway) -> list[int]:
    """The processes of the functions that deliver."""
    place, found = str((gateway.folder / "emulator-tmp").resolve()), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        ours = "DeliverFunction" in command or "RedeliverFunction" in command
        if place in command and ours and command.rstrip("\0").endswith("_worker.py"):
            found.append(int(process.name))
    return found


@pytest.fixture
def hidden_shortly(stack: dict[str, Any]) -> Iterator[None]:
    """Let messages of killed workers come back after a minute or two, instead of after six and twelve."""
    sqs = client_of(stack, "sqs")
    resources = client_of(stack, "cloudformation").describe_stack_resources(StackName=stack["stack_name"])
    urls = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources["StackResources"]}
    before: dict[str, str] = {}
    for queue, seconds in (("DeliveryQueue", "60"), ("RedeliveryQueue", "120")):
        found = sqs.get_queue_attributes(QueueUrl=urls[queue], AttributeNames=["VisibilityTimeout"])
        before[queue] = found["Attributes"]["VisibilityTimeout"]
        sqs.set_queue_attributes(QueueUrl=urls[queue], Attributes={"VisibilityTimeout": seconds})
    yield
    for queue, seconds in before.items():
        sqs.set_queue_attributes(QueueUrl=urls[queue], Attributes={"VisibilityTimeout": seconds})


@pytest.mark.soak
@pytest.mark.usefixtures("hidden_shortly")
def test_two_thousand_events_reach_five_endpoints_through_kills(
    api: httpx.Client, stack: dict[str, Any], gateway: Gateway, receivers: list[Receiver]
) -> None:
    """One of the endpoints fails now and then; in the end each has every event, with a right signature."""
    for receiver in receivers:
        made = created(api, url=receiver.url, types=["soak.*"])
        receiver.secrets.append(made["secret"])
        receiver.ready.set()
        until("the subscription to be verified", partial(state_of, api, made), lambda state: state == "active")
    sent: set[str] = set()
    for batch in range(20):
        sent |= {publish(stack, "soak.sent") for _ in range(100)}
        receivers[0].status = 500 if batch % 4 == 1 else 204
        for process in workers(gateway):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    receivers[0].status = 204
    for receiver in receivers:
        wait_until("every event", receiver.known, lambda found: sent <= found, patience=900.0)
        assert set(receiver.ids) == sent
        assert receiver.refused == 0
