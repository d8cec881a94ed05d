"""What DynamoDB refuses and moto does not: keys that are empty or too long, and ranges that hold nothing.

Key values have 1 to 2,048 bytes (partition) and 1 to 1,024 bytes (sort):
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
A range whose end is before its start is refused: https://github.com/architect/dynalite/issues/55
A query that goes on after a key that its own condition does not hold is refused as well; where DynamoDB should be more
lenient than this, our code only does without the leniency.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from moto.core.botocore_stubber import BotocoreStubber

LONGEST = {"pk": 2048, "sk": 1024, "due_shard": 2048}
_TARGET = "DynamoDB_20120810."
_EQUALS = re.compile(r"(#?\w+) = (:\w+)")
_BEGINS = re.compile(r"begins_with\((#?\w+), (:\w+)\)")
_BETWEEN = re.compile(r"(#?\w+) BETWEEN (:\w+) AND (:\w+)")

type Json = Mapping[str, Any]


def enforce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make moto refuse what DynamoDB refuses, whichever client asks."""
    answered = BotocoreStubber.process_request

    def process(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:
        target = _text(request.headers.get("x-amz-target", ""))
        if target.startswith(_TARGET):
            fault = refusal(target.removeprefix(_TARGET), json.loads(_text(request.body or "{}")))
            if fault is not None:
                about = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "refused"}
                document = {"__type": "com.amazon.coral.validate#ValidationException", "message": fault}
                return 400, about, json.dumps(document)
        return answered(stubber, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process)


def refusal(operation: str, request: Json) -> str | None:
    """Why DynamoDB would refuse a request, or None."""
    for key in _keys(request):
        for name, longest in LONGEST.items():
            if name in key and not 0 < len(_bytes(key[name])) <= longest:
                return f"the key {name} has {len(_bytes(key[name]))} bytes"
    return _query_refusal(request) if operation == "Query" else None


def _keys(request: Json) -> Iterator[Json]:
    """Every key in a request, alone or in an item."""
    yield from (request[name] for name in ("Key", "Item", "ExclusiveStartKey") if name in request)
    for operation in request.get("TransactItems", ()):
        for part in operation.values():
            yield from _keys(part)


def _query_refusal(request: Json) -> str | None:
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    condition, start = request["KeyConditionExpression"], request.get("ExclusiveStartKey", {})
    for name, low, high in _conditions(condition):
        attribute, lower, upper = names.get(name, name), _bytes(values[low]), _bytes(values[high])
        if not 0 < len(lower) <= LONGEST.get(attribute, 2048) or not 0 < len(upper) <= LONGEST.get(attribute, 2048):
            return f"a value for {attribute} is empty or too long"
        if lower > upper:
            return f"the range of {attribute} ends before it starts"
        if attribute in start and not lower <= _bytes(start[attribute])[: len(upper)] <= upper:
            return "The provided starting key is outside query boundaries based on provided conditions"
    return None


def _conditions(condition: str) -> Iterator[tuple[str, str, str]]:
    """Attribute, lower and upper value of every condition; a prefix is a range by its first bytes."""
    for name, low, high in _BETWEEN.findall(condition):
        yield name, low, high
    for name, value in (*_EQUALS.findall(condition), *_BEGINS.findall(condition)):
        yield name, value, value


def _bytes(value: Any) -> bytes:
    kind, content = next(iter(value.items()))
    return str(content).encode(errors="surrogatepass") if kind == "S" else b"-"


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
