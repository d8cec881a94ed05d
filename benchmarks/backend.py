"""One local server over TLS that answers like AWS and like Zoom, always the same, and counts.

`python -m benchmarks.backend --chain FILE --key FILE [--plain] < SEED.json` prints its port, serves until SIGTERM.
`GET /_bench/counts` tells requests by operation, connections by service and units of DynamoDB; `POST /_bench/reset`
forgets them.
It answers at once, until `POST /_bench/waits` says how long each service takes (`Waits`).
It keeps items that are put, and knows nothing of conditions or expressions: every write succeeds. What it measures is
the client.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import math
import random
import re
import ssl
import statistics
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

type Json = dict[str, Any]

_ASSIGNED = re.compile(r"(?<!\.)(#\w+) = (:\w+)")
# Where answers take different times, one of a hundred takes four times the median: a log-normal distribution.
_TAIL_SIGMA = math.log(4) / statistics.NormalDist().inv_cdf(0.99)
# In seconds: a loop's timer is that much too late, so the rest of a wait is spent in turns of the loop.
_TIMER = 0.002

_MEETING = {
    "uuid": "4444AAAiAAAAAiAiAiiAii==",
    "id": 85746065432,
    "host_id": "30R7kT7bTIKSNUFEuH_Qlg",
    "host_email": "host@example.com",
    "topic": "Planning",
    "type": 2,
    "status": "waiting",
    "start_time": "2030-01-01T10:00:00Z",
    "duration": 30,
    "timezone": "UTC",
    "created_at": "2029-12-01T10:00:00Z",
    "start_url": "https://zoom.example/s/85746065432?zak=not-a-token",
    "join_url": "https://zoom.example/j/85746065432?pwd=not-a-passcode",
    "password": "123456",
    "h323_password": "123456",
    "pstn_password": "123456",
    "encrypted_password": "not-a-passcode",
    "settings": {
        "host_video": False,
        "participant_video": False,
        "join_before_host": False,
        "mute_upon_entry": True,
        "watermark": False,
        "use_pmi": False,
        "approval_type": 2,
        "audio": "both",
        "auto_recording": "none",
        "enforce_login": False,
        "alternative_hosts": "",
        "waiting_room": True,
        "meeting_authentication": False,
        "registrants_email_notification": True,
        "cn_meeting": False,
        "in_meeting": False,
    },
    "pre_schedule": False,
}


class Services:
    """The answers. `seed` holds `items` ({"pk|sk": item}), `queries` ({pk: [item]}), `data_key` and `secrets`."""

    def __init__(self, seed: Json) -> None:
        self.units: dict[str, float] = {"read": 0.0, "written": 0.0}
        """What DynamoDB bills: see `_count_units`."""
        self._seed = seed
        self._answers: dict[str, Callable[[Json], Json]] = {
            "AmazonSQS.SendMessage": _sent,
            "AmazonSQS.SendMessageBatch": _sent_batch,
            "secretsmanager.GetSecretValue": self._secret,
            "DynamoDB_20120810.GetItem": self._item,
            "DynamoDB_20120810.Query": self._query,
            "DynamoDB_20120810.PutItem": self._put_item,
            "DynamoDB_20120810.BatchWriteItem": self._put_items,
            "DynamoDB_20120810.UpdateItem": self._updated,
            "DynamoDB_20120810.BatchGetItem": self._items,
            "TrentService.Decrypt": self._key,
            "TrentService.GenerateDataKey": self._key,
            "AWSEvents.PutEvents": _put,
        }

    def aws(self, target: str, body: bytes) -> Json:
        """The answer of an AWS JSON API; operations without one of their own succeed with nothing to say."""
        answer = self._answers.get(target)
        request = json.loads(body)
        if target.startswith("DynamoDB"):
            self._count_units(target.partition(".")[2], request)
        return answer(request) if answer else {}

    def _count_units(self, operation: str, request: Json) -> None:
        """Count a write unit for each KB of each item that is put, and half a read unit for each 4 KB of each item.

        A consistent read costs twice as much. An item that is not there counts like a small one.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
        """
        asked = request.get("RequestItems", {}).values()
        match operation:
            case "BatchGetItem":
                for each in asked:
                    self.units["read"] += sum(self._to_read(self._known(key), each) for key in each["Keys"])
            case "BatchWriteItem":
                self.units["written"] += sum(_to_write(put["PutRequest"]["Item"]) for each in asked for put in each)
            case "GetItem":
                self.units["read"] += self._to_read(self._known(request["Key"]), request)
            case "Query":
                self.units["read"] += self._to_read(*self._query(request)["Items"], request)
            case _:
                self.units["written"] += _to_write(request.get("Item") or self._known(request["Key"]))

    @staticmethod
    def _to_read(*read: Json) -> float:
        *items, request = read
        return max(1, math.ceil(sum(map(_size, items)) / 4096)) * (1.0 if request.get("ConsistentRead") else 0.5)

    def _known(self, key: Json) -> Json:
        found: Json = self._item({"Key": key}).get("Item", {})
        return found

    @staticmethod
    def zoom(method: str, path: str) -> tuple[int, Json | None]:
        """Zoom's answer to a request."""
        if path.startswith("/oauth/token"):
            return 200, {"access_token": "zoom-token", "token_type": "bearer", "expires_in": 3600, "scope": ""}
        if method in {"PATCH", "DELETE", "PUT"}:
            return 204, None
        return (201 if method == "POST" else 200), _MEETING

    def _item(self, request: Json) -> Json:
        key = request["Key"]
        item = self._seed["items"].get(f"{key['pk']['S']}|{key['sk']['S']}")
        return {"Item": item} if item else {}

    def _items(self, request: Json) -> Json:
        asked = request["RequestItems"]
        found = {table: [self._item({"Key": key}).get("Item") for key in asked[table]["Keys"]] for table in asked}
        return {"Responses": {table: list(filter(None, items)) for table, items in found.items()}}

    def _put_item(self, request: Json) -> Json:
        item = request["Item"]
        self._seed["items"][f"{item['pk']['S']}|{item['sk']['S']}"] = item
        return {}

    def _put_items(self, request: Json) -> Json:
        for each in (each for asked in request["RequestItems"].values() for each in asked):
            self._put_item(each["PutRequest"])
        return {"UnprocessedItems": {}}

    def _updated(self, request: Json) -> Json:
        """The seed's items answer with what is set in them, and stay as they are: each change is the first."""
        key = request["Key"]
        item = self._seed["items"].get(f"{key['pk']['S']}|{key['sk']['S']}")
        if item is None:
            return _counted(request)
        names, values = request.get("ExpressionAttributeNames", {}), request["ExpressionAttributeValues"]
        changes = _ASSIGNED.findall(request["UpdateExpression"])
        return {"Attributes": {**item, **{names[name]: values[value] for name, value in changes}}}

    def _query(self, request: Json) -> Json:
        values = [value.get("S") for value in request["ExpressionAttributeValues"].values()]
        items: list[Json] = next(
            (self._seed["queries"][value] for value in values if value in self._seed["queries"]), []
        )
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def _key(self, request: Json) -> Json:
        return {"KeyId": request["KeyId"], "Plaintext": self._seed["data_key"], "CiphertextBlob": "d3JhcHBlZA=="}

    def _secret(self, request: Json) -> Json:
        text = self._seed["secrets"][request["SecretId"]]
        return {"ARN": request["SecretId"], "Name": "s", "VersionId": "v", "SecretString": text, "CreatedDate": 1}


def _to_write(item: Json) -> int:
    return max(1, math.ceil(_size(item) / 1024))


def _size(item: Json) -> int:
    """The bytes of an item with its names: of texts, bytes and numbers, as far as these items have others.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    size = 0
    for name, attribute in item.items():
        [(kind, value)] = attribute.items()
        size += len(name.encode())
        match kind:
            case "B":
                size += len(base64.b64decode(value))
            case "N":
                size += len(value) // 2 + 2
            case "BOOL" | "NULL":
                size += 1
            case _:
                size += len(json.dumps(value)) if kind != "S" else len(value.encode())
    return size


def _sent(request: Json) -> Json:
    md5 = hashlib.md5(request["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": md5}


def _sent_batch(request: Json) -> Json:
    return {"Successful": [{"Id": entry["Id"], **_sent(entry)} for entry in request["Entries"]]}


def _counted(request: Json) -> Json:
    """An item after its change, as far as anybody reads it: send slots are free at once, counters have just begun."""
    values = {name.lstrip(":"): value.get("N") for name, value in request["ExpressionAttributeValues"].items()}
    if values.get("interval"):
        return {"Attributes": {"next": {"N": str(int(values["now"]) + int(values["interval"]))}}}
    kept = {"next": values.get("first"), "used": values.get("calls")}
    return {"Attributes": {name: {"N": value} for name, value in kept.items() if value}}


def _put(request: Json) -> Json:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(uuid.uuid4())} for _ in request["Entries"]]}


# What taking a send slot counts as: a slot that is over when the answer comes is taken again, so this depends on time.
SEND_SLOT = "send slot"
_SLOT_KEY = b'"budget#'


class Waits:
    """How long services take to answer, in milliseconds by service; with a `tail`, these are medians."""

    def __init__(self) -> None:
        self._median: dict[str, float] = {}
        self._tail = False
        self._random = random.Random(1)

    def set(self, waits: Json) -> None:
        """Begin anew with `{"ms": {"DynamoDB": 5, ...}, "tail": false}`."""
        self._median, self._tail = dict(waits.get("ms", {})), bool(waits.get("tail"))
        self._random.seed(1)

    async def spend(self, service: str, since: float) -> None:
        """Return when an answer of `service` to a request that came at `since` is due."""
        median = self._median.get(service, 0.0) / 1000
        if not median:
            return
        due = since + (self._random.lognormvariate(math.log(median), _TAIL_SIGMA) if self._tail else median)
        while (left := due - time.monotonic()) > 0:  # noqa: ASYNC110 - time is all that it waits for
            await asyncio.sleep(max(0.0, left - _TIMER))


class Server:
    """HTTP/1.1 with kept-alive connections, as little of it as the clients need."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waits = Waits()
        self.operations: Counter[str] = Counter()
        self.connections: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client is done with it."""
        first = True
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ", 2)
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await _body(reader, headers)
                came = time.monotonic()
                service, status, answer = self._answer(method, path, headers, body)
                if first and service != "bench":
                    self.connections[service] += 1
                    first = False
                await self._waits.spend(service, came)
                writer.write(_response(status, answer, service))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, path: str, headers: Json, body: bytes) -> tuple[str, int, Json | None]:
        if path.startswith("/_bench/"):
            counts = {
                "operations": dict(self.operations),
                "connections": dict(self.connections),
                "units": dict(self._services.units),
            }
            if path == "/_bench/reset":
                self.operations.clear()
                self.connections.clear()
                self._services.units.update(read=0.0, written=0.0)
            if path == "/_bench/waits":
                self._waits.set(json.loads(body))
            return "bench", 200, counts
        target = headers.get("x-amz-target", "")
        if target:
            self.operations[SEND_SLOT if _SLOT_KEY in body else target] += 1
            return target.partition(".")[0].partition("_")[0], 200, self._services.aws(target, body)
        self.operations[f"zoom {method}"] += 1
        return "zoom", *self._services.zoom(method, path)


async def _body(reader: asyncio.StreamReader, headers: Json) -> bytes:
    length = int(headers.get("content-length", 0))
    return await reader.readexactly(length) if length else b""


def _response(status: int, answer: Json | None, service: str) -> bytes:
    body = b"" if answer is None else json.dumps(answer, separators=(",", ":")).encode()
    kind = "application/json" if service in {"zoom", "bench"} else "application/x-amz-json-1.1"
    lines = [
        f"HTTP/1.1 {status} OK",
        f"Content-Type: {kind}",
        f"x-amzn-RequestId: {base64.b16encode(hashlib.sha256(body).digest()[:8]).decode()}",
        "x-ratelimit-category: Light",
        *([f"Content-Length: {len(body)}"] if answer is not None else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _main(arguments: argparse.Namespace, seed: Json) -> None:
    context = None
    if not arguments.plain:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.chain, arguments.key)
    server = Server(Services(seed))
    listening = await asyncio.start_server(
        server.serve, "127.0.0.1", arguments.port, ssl=context, limit=2**21, backlog=1024
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    async with listening:
        await listening.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--chain")
    parser.add_argument("--key")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    reported = parser.parse_args()
    asyncio.run(_main(reported, json.load(sys.stdin)))
