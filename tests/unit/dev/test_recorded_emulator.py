"""What IAM checks for a request, read from the request: actions, resources and condition keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dev.recorded_emulator import Recorder, checks

PLACE = "eu-central-1:111122223333"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/connections"


def read(action: str, /, at: str = "/", **sent: Any) -> list[tuple[str, str, dict[str, list[str]]]]:
    return [
        (each["action"], each["resource"], each["keys"])
        for each in checks(action, at, json.dumps(sent).encode(), PLACE)
    ]


def test_an_item_is_named_by_its_partition_key() -> None:
    """dynamodb:LeadingKeys is the partition key, of a key and of a whole item."""
    key = {"pk": {"S": "apikey#1"}, "sk": {"S": "apikey"}}
    named = {"dynamodb:LeadingKeys": ["apikey#1"]}
    assert read("dynamodb:GetItem", TableName="connections", Key=key) == [("dynamodb:GetItem", TABLE, named)]
    assert read("dynamodb:PutItem", TableName="connections", Item=key) == [("dynamodb:PutItem", TABLE, named)]


def test_a_query_is_named_by_the_value_it_asks_for() -> None:
    """Of a table and of an index, whose partition key is another attribute and whose ARN is another."""
    asked: dict[str, Any] = {
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": "acme#connections"}},
    }
    sent: dict[str, Any] = {
        "TableName": "connections",
        "KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :sk)",
        **asked,
    }
    assert read("dynamodb:Query", **sent)[0][2] == {"dynamodb:LeadingKeys": ["acme#connections"]}
    due: dict[str, Any] = {
        "KeyConditionExpression": "due_shard = :s AND due_at <= :n",
        "ExpressionAttributeValues": {":s": {"S": "7"}},
    }
    found = read("dynamodb:Query", TableName="connections", IndexName="due", **due)
    assert found == [("dynamodb:Query", f"{TABLE}/index/due", {"dynamodb:LeadingKeys": ["7"]})]


def test_a_scan_names_no_key() -> None:
    """Which is what Null conditions are for."""
    assert read("dynamodb:Scan", TableName="connections") == [("dynamodb:Scan", TABLE, {})]


def test_each_item_of_a_transaction_is_a_check_of_its_own() -> None:
    """Each item is checked by the action for one item, with the operation that encloses it."""
    item = {"TableName": "connections", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}
    found = read("dynamodb:TransactWriteItems", TransactItems=[{"Delete": item}, {"ConditionCheck": item}])
    keys = {"dynamodb:LeadingKeys": ["a"], "dynamodb:EnclosingOperation": ["TransactWriteItems"]}
    assert found == [("dynamodb:DeleteItem", TABLE, keys), ("dynamodb:ConditionCheckItem", TABLE, keys)]


def test_a_batch_names_every_key_of_a_table() -> None:
    """BatchGetItem is an action of its own."""
    keys = [{"pk": {"S": name}, "sk": {"S": "x"}} for name in ("b", "a")]
    found = read("dynamodb:BatchGetItem", RequestItems={"connections": {"Keys": keys}})
    assert found == [("dynamodb:BatchGetItem", TABLE, {"dynamodb:LeadingKeys": ["a", "b"]})]


def test_a_batch_of_writes_has_the_keys_of_its_items() -> None:
    """Those that are put, and those that are deleted."""
    writes = [
        {"PutRequest": {"Item": {"pk": {"S": "b"}, "sk": {"S": "1"}}}},
        {"DeleteRequest": {"Key": {"pk": {"S": "a"}}}},
    ]
    found = read("dynamodb:BatchWriteItem", RequestItems={"connections": writes})
    assert found == [("dynamodb:BatchWriteItem", TABLE, {"dynamodb:LeadingKeys": ["a", "b"]})]


@pytest.mark.parametrize(
    ("action", "path", "sent", "expected"),
    [
        (
            "sqs:SendMessageBatch",
            "/",
            {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/111122223333/refresh"},
            ("sqs:SendMessage", f"arn:aws:sqs:{PLACE}:refresh", {}),
        ),
        (
            "kms:Decrypt",
            "/",
            {"KeyId": "k1", "EncryptionContext": {"kind": "access_token"}},
            (
                "kms:Decrypt",
                f"arn:aws:kms:{PLACE}:key/k1",
                {"kms:EncryptionContext:kind": ["access_token"], "kms:EncryptionContextKeys": ["kind"]},
            ),
        ),
        (
            "lambda:InvokeFunction",
            "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-central-1%3A111122223333%3Afunction%3Af%3Alive/invocations",
            {},
            ("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:111122223333:function:f:live", {}),
        ),
        (
            "events:PutEvents",
            "/",
            {"Entries": [{"EventBusName": "bus", "Detail": "{}"}]},
            ("events:PutEvents", f"arn:aws:events:{PLACE}:event-bus/bus", {}),
        ),
    ],
)
def test_other_services(action: str, path: str, sent: Any, expected: Any) -> None:
    """Queues, keys with their encryption context, functions with their alias, buses."""
    assert read(action, at=path, **sent) == [expected]


def test_equal_requests_are_one_line_and_bodies_are_none(tmp_path: Path) -> None:
    """The file stays small, and holds no content."""
    recorder = Recorder(tmp_path / "requests.jsonl")
    found = checks("sqs:SendMessage", "/", b'{"QueueUrl":"http://x/1/q","MessageBody":"secret"}', PLACE)
    recorder.write("role/session", found)
    recorder.write("role/session", found)
    written = (tmp_path / "requests.jsonl").read_text()
    assert len(written.splitlines()) == 1
    assert "secret" not in written
