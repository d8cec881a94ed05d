"""`make subscriber` for a tenant: a queue in a stack of its own, and a subscription of the API to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from dev.answering import Asked, answering
from ops import subscriber
from ops.deployed import Deployed
from ops.key_table import NoStack
from tests.fakes import tables
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential
from zoom_common.aws.table import Table

# moto makes no policies of queues: what is asked for is read in the template.
pytestmark = [pytest.mark.aws, pytest.mark.filterwarnings("ignore:Tried to parse AWS..SQS..QueuePolicy")]


@dataclass
class Api:
    """The API's part: it keeps subscriptions, and says after some looks that they are active."""

    url: str = ""
    active_after: int = 1
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    looks: int = 0

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """Answer one request."""
        self.keys.add(asked.headers["authorization"].removeprefix("Bearer "))
        match asked.method, asked.path.removeprefix("/subscriptions").removeprefix("/"):
            case "POST", "":
                wanted = json.loads(asked.body)
                self.subscriptions.append({"id": f"sub_{len(self.subscriptions)}", "state": "pending", **wanted})
                return 201, self.subscriptions[-1]
            case "GET", "":
                return 200, {"subscriptions": self.subscriptions, "next_page_token": ""}
            case "POST", name:
                return 202, {"id": name}
            case "DELETE", name:
                self.subscriptions = [each for each in self.subscriptions if each["id"] != name]
                return 204, None
            case _, name:
                self.looks += 1
                found = next(each for each in self.subscriptions if each["id"] == name)
                found["state"] = "active" if self.looks > self.active_after else "pending"
                return 200, found | {"verification": {"error": "queue_refused"}}


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()
    with answering(found.answer) as found.url:
        yield found


class Stack(Deployed):
    """A stack on moto. Its name is that of a CloudFormation stack with the one parameter that is read."""

    def resource(self, logical_id: str) -> str:
        return {"ConnectionsTable": tables.CONNECTIONS, "EventBus": "bus"}.get(logical_id, f"gateway-{logical_id}")


@pytest.fixture
def stack(connections_table: str, api: Api) -> Stack:
    del connections_table
    return Stack("gateway", boto3.session.Session(region_name="eu-central-1"), None, api.url)


def queue_policy(stack: Stack, name: str) -> list[dict[str, Any]]:
    body = stack.client("cloudformation").get_template(StackName=f"gateway-subscriber-{name}")["TemplateBody"]
    statements: list[dict[str, Any]] = body["Resources"]["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return statements


def refusals(stack: Stack, api: Api) -> set[str | None]:
    """Why the keys that were used are refused now."""
    keys = ApiKeyStore(Table(stack.client("dynamodb"), tables.CONNECTIONS))
    found = set()
    for text in api.keys:
        credential = Credential.parse(text)
        assert credential
        key = keys.get(credential.key_id)
        assert key
        found.add(key.refusal(credential, now=key.created_at + 1))
    return found


def test_a_tenants_subscriber_is_a_subscription_to_a_queue_of_its_own(stack: Stack, api: Api) -> None:
    """Two roles may write to the queue, the key of the command is revoked, and removing deletes everything."""
    made = subscriber.subscribe(stack, "billing", "acme", ["meeting.ended"], sleep=lambda _: None)
    (subscription,) = api.subscriptions
    assert subscription["queue"] == made["QueueUrl"]
    assert subscription["types"] == ["meeting.ended"]
    assert made["SubscriptionId"] == subscription["id"]
    allow, deny = queue_policy(stack, "billing")
    of_account = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/gateway-"
    roles = [{"Fn::Sub": of_account + name} for name in ("DeliverRole", "RedeliverRole")]
    assert allow["Principal"] == {"AWS": roles}
    assert deny["Effect"] == "Deny"
    assert refusals(stack, api) == {"revoked_key"}
    subscriber.remove(stack, "billing")
    assert api.subscriptions == []
    with pytest.raises(NoStack):
        subscriber.remove(stack, "billing")


def test_a_queue_that_is_not_verified_is_removed_again(stack: Stack, api: Api) -> None:
    """The message says what the queue did."""
    api.active_after = 10_000
    with pytest.raises(subscriber.NotSubscribed, match="queue_refused"):
        subscriber.subscribe(stack, "billing", "acme", [], sleep=lambda _: None)
    assert api.subscriptions == []
    with pytest.raises(NoStack):
        subscriber.remove(stack, "billing")
