"""Starts the AWS emulator and records its callers' requests, so that tests can judge them as IAM would on AWS.

It runs with the emulator's own Python, with the standard library and the emulator only. A line of the file is one
request, by the principal that signed it, as the checks that IAM makes for it: an action, a resource, and the condition
keys that depend on the request. Equal requests are one line. Bodies are not written.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html : dynamodb:LeadingKeys
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html : a transaction's items
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html : kms:EncryptionContext
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html : batches
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

type Json = dict[str, Any]

_KEY = re.compile(rb"Credential=([^/,\s]+)/")
_EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")
# In a transaction, and for IAM: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "ConditionCheck": "ConditionCheckItem",
}


def checks(action: str, path: str, body: bytes, place: str) -> list[Json]:
    """Return the checks that IAM makes for a request.

    `place` is `REGION:ACCOUNT`, for names that are sent without an ARN.
    """
    service, _, operation = action.partition(":")
    try:
        sent: Json = json.loads(body or b"{}")
    except ValueError:
        sent = {}
    if service == "dynamodb":
        return list(_dynamodb(operation, sent, place))
    return [
        {"action": _single(action), "resource": arn, "keys": keys} for arn, keys in _others(action, path, sent, place)
    ]


def _dynamodb(operation: str, sent: Json, place: str) -> Iterator[Json]:
    if "TransactItems" in sent:
        for item in sent["TransactItems"]:
            ((kind, of_item),) = item.items()
            yield _item(_TRANSACTION[kind], of_item, place, enclosing=operation)
    elif "RequestItems" in sent:
        for table, asked in sent["RequestItems"].items():
            yield _item(operation, {"TableName": table, "Keys": _keys_of(asked)}, place)
    else:
        yield _item(operation, sent, place)


def _keys_of(asked: Json | list[Json]) -> list[Json]:
    """Return the keys in a batch: those it reads, or those of the items that it writes and deletes."""
    if isinstance(asked, dict):
        return list(asked.get("Keys", []))
    return [of_item.get("Item") or of_item.get("Key") or {} for each in asked for of_item in each.values()]


def _item(operation: str, sent: Json, place: str, *, enclosing: str | None = None) -> Json:
    resource = f"arn:aws:dynamodb:{place}:table/{sent.get('TableName', '*')}"
    if "IndexName" in sent:
        resource += f"/index/{sent['IndexName']}"
    keys: dict[str, list[str]] = {}
    if found := _leading(sent):
        keys["dynamodb:LeadingKeys"] = found
    if enclosing:
        keys["dynamodb:EnclosingOperation"] = [enclosing]
    return {"action": f"dynamodb:{operation}", "resource": resource, "keys": keys}


def _leading(sent: Json) -> list[str]:
    """Return the partition keys in a request. A scan has none."""
    if condition := sent.get("KeyConditionExpression"):
        names = sent.get("ExpressionAttributeNames", {})
        for name, value in _EQUALS.findall(condition):
            if names.get(name, name) in {"pk", "due_shard"}:
                return list(sent["ExpressionAttributeValues"][value].values())
        return []
    items = [*sent.get("Keys", []), *(sent[name] for name in ("Key", "Item") if name in sent)]
    return sorted({item["pk"]["S"] for item in items if "pk" in item})


def _others(action: str, path: str, sent: Json, place: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
    service = action.partition(":")[0]
    if service == "sqs":
        yield f"arn:aws:sqs:{place}:{sent.get('QueueUrl', '*').rpartition('/')[2]}", {}
    elif service == "kms":
        key = str(sent.get("KeyId", "*"))
        context = sent.get("EncryptionContext") or {}
        keys = {f"kms:EncryptionContext:{name}": [value] for name, value in context.items()}
        if context:
            keys["kms:EncryptionContextKeys"] = sorted(context)
        yield key if key.startswith("arn:") else f"arn:aws:kms:{place}:key/{key}", keys
    elif service == "events":
        for entry in sent.get("Entries", []):
            bus = str(entry.get("EventBusName", "default"))
            yield bus if bus.startswith("arn:") else f"arn:aws:events:{place}:event-bus/{bus}", {}
    elif service == "states":
        yield str(sent.get("stateMachineArn", "*")), {}
    elif service == "s3":
        yield f"arn:aws:s3:::{path.partition('?')[0].strip('/')}", {}
    elif service == "lambda":
        name = path.partition("/functions/")[2].partition("/")[0].replace("%3A", ":")
        yield name if name.startswith("arn:") else f"arn:aws:lambda:{place}:function:{name}", {}
    else:
        yield str(sent.get("SecretId", "*")), {}


def _single(action: str) -> str:
    """Return the action for one message, which permits SQS's batches."""
    return action.removesuffix("Batch") if action.startswith("sqs:") else action


class Recorder:
    """Writes each new line at once, because the emulator may be killed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._file.touch()
        self._known: set[str] = set()

    def write(self, principal: str, found: list[Json]) -> None:
        """Record the checks of one request by a principal (`ROLE/SESSION`), if they are new."""
        line = json.dumps({"principal": principal, "checks": found}, sort_keys=True)
        if line not in self._known:
            self._known.add(line)
            with self._file.open("a") as out:
                out.write(line + "\n")


def recording(extract: Callable[..., str | None], recorder: Recorder) -> Callable[..., str | None]:
    """Return the emulator's own function that reads a request, extended so that it records the request."""
    from ministack.core import iam_evaluator  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - the emulator's Python only
    from ministack.core.responses import get_account_id  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    @functools.wraps(extract)
    def read(*request: Any) -> str | None:
        action = extract(*request)
        _, _, path, headers, body, _ = request
        signed = _KEY.search(str(headers.get("authorization", "")).encode())
        if action and signed:
            account = get_account_id()
            credential = iam_evaluator.resolve_credential(signed[1].decode(), account)
            principal = str(getattr(credential, "principal_arn", ""))
            if ":assumed-role/" in principal:
                region = str(headers["authorization"]).split("/")[2]
                recorder.write(
                    principal.partition(":assumed-role/")[2], checks(action, path, body, f"{region}:{account}")
                )
        return action

    return read


def main() -> None:
    """Start the emulator, as its own command does."""
    from ministack import app  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    from ministack.core import iam_actions  # noqa: PLC0415

    recorder = Recorder(Path(sys.argv.pop(1)))
    iam_actions.extract_iam_action = recording(iam_actions.extract_iam_action, recorder)
    app.main()


if __name__ == "__main__":
    main()
