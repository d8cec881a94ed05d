"""What a batch of deliveries takes: `python -m benchmarks.subscriptions`.

The function's own code sends ten events to some subscriptions, over TLS to an endpoint that answers after 100 ms, and
writes to a DynamoDB that answers after 5 ms; both are another process. Printed are the processor time of a delivery and
how long a batch takes on a whole core and with Lambda's part of one. `tests/unit/events/subscriptions/test_speed.py`
simulates a queue with these numbers.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.dummy
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from mypy_boto3_kms import KMSClient

from dev.certificates import self_signed
from ops.console import say
from ops.cost import on_lambda
from zoom_common.aws.clients import boto3_client
from zoom_common.aws.items import to_item
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.connections.cipher import Cipher, SealKind
from zoom_common.events.bus import CloudEvent, event_id, rfc3339
from zoom_common.events.subscriptions.delivery_store import DeliveryStore
from zoom_common.events.subscriptions.fanout import FanOut, run_in_threads
from zoom_common.events.subscriptions.sending import Sender, SigningSecrets, new_secret
from zoom_common.events.subscriptions.settling import Settlement
from zoom_common.events.subscriptions.store import SubscriptionStore
from zoom_common.events.subscriptions.target_client import EndpointClient, TargetQueues

ENDPOINT_SECONDS, DYNAMODB_SECONDS = 0.1, 0.005
MESSAGES = 10
_TENANT = "acme"


class _Kms:
    """Gives one data key, in process: a container opens a secret once."""

    def generate_data_key(self, **_: Any) -> dict[str, Any]:
        return {"CiphertextBlob": b"wrapped", "Plaintext": b"k" * 32}

    def decrypt(self, **_: Any) -> dict[str, Any]:
        return {"Plaintext": b"k" * 32}


def serve(pem: str, channel: Connection) -> None:
    """Answer as endpoint and as DynamoDB until the process ends. Items come over the channel."""
    items: list[Any] = []

    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(ENDPOINT_SECONDS)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    class DynamoDB(Endpoint):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(DYNAMODB_SECONDS)
            asked = self.headers["x-amz-target"].partition(".")[2]
            found = {"Query": {"Items": items, "Count": len(items)}, "UpdateItem": {"Attributes": items[0]}}
            content = json.dumps(found.get(asked, {})).encode()
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    endpoint, dynamodb = (ThreadingHTTPServer(("127.0.0.1", 0), each) for each in (Endpoint, DynamoDB))
    endpoint.socket = context.wrap_socket(endpoint.socket, server_side=True, do_handshake_on_connect=False)
    for each in (endpoint, dynamodb):
        multiprocessing.dummy.Process(target=each.serve_forever).start()  # type: ignore[attr-defined] # a thread
    channel.send((endpoint.server_address[1], dynamodb.server_address[1]))
    while True:
        items[:] = channel.recv()
        channel.send(len(items))


@contextmanager
def servers() -> Iterator[tuple[Path, int, Connection]]:
    """Start the other process: the certificate, the endpoint's port, and the channel to it."""
    with tempfile.TemporaryDirectory() as folder:
        pem = self_signed("localhost", Path(folder))
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(str(pem), theirs), daemon=True)
        process.start()
        endpoint, dynamodb = ours.recv()
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{dynamodb}",
            AWS_REGION="eu-central-1",
            AWS_DEFAULT_REGION="eu-central-1",
            AWS_ACCESS_KEY_ID="bench",
            AWS_SECRET_ACCESS_KEY="bench",  # noqa: S106 - made up
        )
        try:
            yield pem, endpoint, ours
        finally:
            process.terminate()
            process.join()


def fan_out(pem: Path) -> tuple[FanOut, SigningSecrets]:
    """Make the function's collaborators, as it does."""
    table = boto3_client("dynamodb")
    subscriptions = SubscriptionStore(Table(table, "Connections", CONNECTIONS))
    deliveries = DeliveryStore(Table(table, "Events", EVENTS))
    secrets = SigningSecrets(Cipher(cast("KMSClient", _Kms()), {SealKind.SUBSCRIPTION: "key"}))
    sender = Sender(
        posts=EndpointClient(context=lambda: ssl.create_default_context(cafile=str(pem))),
        queues=TargetQueues(lambda _: boto3_client("sqs")),
        secrets=secrets,
        clock=time.time,
        timer=time.monotonic,
        local=True,
    )
    counted: dict[str, int] = {}

    def count(name: str, value: int = 1, **_: str) -> None:
        counted[name] = counted.get(name, 0) + value

    settlement = Settlement(
        subscriptions=subscriptions, deliveries=deliveries, count=count, clock=time.time, random=lambda: 0.0
    )
    made = FanOut(
        subscriptions=subscriptions,
        deliveries=deliveries,
        sender=sender,
        settlement=settlement,
        wakes=_NoWakes(),
        run_all=run_in_threads,
        count=count,
        report=lambda *_, **__: None,
        clock=time.time,
    )
    return made, secrets


class _NoWakes:
    def send(self, subscriptions: Any, *, delay: float = 0) -> None:
        pass


def item(secrets: SigningSecrets, number: int, port: int) -> dict[str, Any]:
    """Return a subscription as DynamoDB answers it."""
    name = f"sub_{number:032x}"
    stored = {
        "pk": f"{_TENANT}#subscriptions",
        "sk": name,
        "state": "active",
        "types": "meeting.*",
        "filters": "{}",
        "payload": "full",
        "created_at": 1.0,
        "secret": secrets.seal(_TENANT, name, new_secret()),
        "url": f"https://localhost:{port}/hook",
    }
    return {key: _json(value) for key, value in to_item(stored).items()}


def _json(value: Any) -> Any:
    """Bytes travel as base64."""
    import base64  # noqa: PLC0415

    return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value


def records(batch: int) -> list[dict[str, Any]]:
    """Return the messages of one batch."""
    found = []
    for at in range(MESSAGES):
        event = CloudEvent(
            id=event_id("/zoom/app", _TENANT, f"{batch}/{at}"),
            source="/zoom/app",
            type="zoom.meeting.started",
            time=rfc3339(int(time.time() * 1000)),
            tenant=_TENANT,
            subject="meetings/85012345678",
            uuid="4444AAAiAAAAAiAiAiiAii==",
            data={"event": "meeting.started", "payload": {"object": {"id": "85012345678", "topic": "Planning"}}},
        )
        attributes = {"SentTimestamp": str(int(time.time() * 1000)), "ApproximateReceiveCount": "1"}
        found.append({"messageId": f"m{batch}-{at}", "body": event.to_json(), "attributes": attributes})
    return found


def main() -> None:
    """Print a line for each number of subscriptions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=20)
    arguments = parser.parse_args()
    say("subscriptions  core ms a delivery  batch s, whole core  batch s, 512 MB")
    with servers() as (pem, port, channel):
        deliver, secrets = fan_out(pem)
        for number in (1, 5, 10, 20):
            channel.send([item(secrets, at, port) for at in range(number)])
            channel.recv()
            took, core = [], []
            for batch in range(arguments.batches + 2):
                messages, began, busy = records(batch), time.perf_counter(), time.process_time()
                if deliver.process(messages):
                    raise SystemExit("a message came back")
                if batch > 1:  # the first ones open connections and the secrets
                    took.append(time.perf_counter() - began)
                    core.append((time.process_time() - busy) * 1000)
            busy_ms, seconds = statistics.median(core), statistics.median(took)
            stretched = seconds + (on_lambda(busy_ms, waits=0, aws_ms=0) - busy_ms) / 1000
            say(f"{number:13}  {busy_ms / MESSAGES / number:18.2f}  {seconds:19.2f}  {stretched:15.2f}")


if __name__ == "__main__":
    main()
