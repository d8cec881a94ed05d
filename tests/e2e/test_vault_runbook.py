"""The procedures of docs/runbook-connections.md, carried out on the deployed stack."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dev.demo import PERSON, Story
from dev.emulator import client_of
from dev.waiting import wait_until
from tests.fakes.releases import configured
from tests.fakes.waiting import CALL_SECONDS
from zoom_common.aws.items import from_item
from zoom_common.connections.store import from_values

pytestmark = pytest.mark.e2e


class Operator:
    """Somebody with the account's credentials, and a program of the tenant beside them."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        key = {"Authorization": f"Bearer {facts['api_key']}"}
        self.program = httpx.Client(base_url=facts["api_url"], headers=key, timeout=CALL_SECONDS)
        with Story(facts) as story:
            self.connection = story.connect()
        self.program.headers["X-Zoom-Connection"] = self.connection
        self.key = {"pk": {"S": f"{facts['tenant']}#connections"}, "sk": {"S": self.connection}}

    def aws(self, service: Any) -> Any:
        return client_of(self.facts, service)

    def resource(self, name: str) -> str:
        found = self.aws("cloudformation").describe_stack_resource(
            StackName=self.facts["stack_name"], LogicalResourceId=name
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def item(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws("dynamodb").get_item(
            TableName=self.facts["connections_table"], Key=self.key, ConsistentRead=True
        )["Item"]
        return found

    def state(self) -> str:
        return str(self.program.get(f"/connections/{self.connection}").json()["state"])

    def set(self, **values: float) -> None:
        """Write times into the item, as if they had passed."""
        for name, value in values.items():
            self.aws("dynamodb").update_item(
                TableName=self.facts["connections_table"],
                Key=self.key,
                UpdateExpression="SET #name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": {"N": f"{value:.3f}"}},
            )

    def call(self) -> httpx.Response:
        return self.program.get("/v2/users/me/meetings")


@pytest.fixture(scope="module")
def operator(gateway: Any) -> Iterator[Operator]:
    made = Operator(gateway.stack)
    yield made
    made.program.close()


def test_rotate_the_client_secret(operator: Operator) -> None:
    """While ours is not Zoom's, refreshes fail and no connection changes state; put right, the next one works."""
    secrets, secret = operator.aws("secretsmanager"), operator.resource("ZoomAppSecret")
    right = secrets.get_secret_value(SecretId=secret)["SecretString"]
    wrong = json.dumps(json.loads(right) | {"client_secret": "not-the-one"})
    secrets.put_secret_value(SecretId=secret, SecretString=wrong)
    functions, function = operator.aws("lambda"), operator.facts["token_refresh_function"]
    try:
        # A fresh container, as after five minutes: what is cached is Zoom's secret still.
        with configured(functions, function, RESTARTED=str(time.time())):
            operator.set(access_expires_at=time.time() - 1)
            assert operator.call().status_code == 503
            assert operator.state() == "connected"
    finally:
        secrets.put_secret_value(SecretId=secret, SecretString=right)
    operator.set(cool_until=0)
    assert operator.call().status_code == 200
    assert operator.state() == "connected"


def test_rotate_the_key(operator: Operator) -> None:
    """Both keys rotate automatically, and a refresh seals under a new data key wrapped by the newest key material."""
    kms = operator.aws("kms")
    for name in ("DataKey", "RefreshKey"):
        assert kms.get_key_rotation_status(KeyId=operator.resource(name))["KeyRotationEnabled"]
    before = operator.item()
    operator.set(access_expires_at=time.time() - 1)
    assert operator.call().status_code == 200
    after = operator.item()
    for name in ("sealed_access", "sealed_refresh"):
        assert before[name]["B"][:200] != after[name]["B"][:200]


def test_recover_from_escrow(operator: Operator) -> None:
    """A pair in the dead-letter queue goes back to the escrow queue, and from there into the table."""
    sqs, found = operator.aws("sqs"), from_values(from_item(operator.item()))
    names = ("tenant", "connection_id", "grant_id", "access_expires_at", "api_url", "state_changed_at")
    pair = {name: getattr(found, name) for name in names} | {
        "action": "restore",
        "seen_version": found.version,
        "attempt": "crashed",
        "sealed_access": b64encode(found.sealed_access).decode(),
        "sealed_refresh": b64encode(found.sealed_refresh).decode(),
        "used_refresh": b64encode(found.sealed_refresh).decode(),
        "tried": [],
        "issued_at": time.time(),
        "scopes": sorted(found.scopes),
        "last_used_at": None,
        "due_at": time.time() + 3000,
    }
    dead, escrow = operator.resource("EscrowDeadLetterQueue"), operator.resource("EscrowQueue")
    sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(pair))
    [message] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5)["Messages"]
    sqs.send_message(QueueUrl=escrow, MessageBody=message["Body"])
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
    wait_until(
        "the pair to be written",
        lambda: operator.item().get("written_by", {}).get("S"),
        lambda writer: writer == "crashed",
    )
    assert from_values(from_item(operator.item())).version == found.version + 1
    assert operator.call().status_code == 200


def test_mass_re_authorisation(operator: Operator) -> None:
    """Grants that Zoom has ended are found by their state, each has a link, and reconnecting keeps the id."""
    with httpx.Client(base_url=f"{operator.facts['zoom_url']}/_sim", timeout=CALL_SECONDS) as zoom:
        zoom.post(f"/users/{PERSON}/revoke", json={})
    operator.set(access_expires_at=time.time() - 1)
    assert operator.call().status_code == 409
    listed = operator.program.get("/connections", params={"page_size": 300}).json()["connections"]
    waiting = {each["id"]: each for each in listed if each["state"] == "reauthorization_required"}
    assert operator.connection in waiting
    link = operator.program.post(f"/connections/{operator.connection}/reconnect", json={})
    assert "/auth/zoom/start?ticket=" in link.json()["authorize_url"]
    with Story(operator.facts) as story:
        assert story.connect() == operator.connection
    assert (operator.state(), operator.call().status_code) == ("connected", 200)
