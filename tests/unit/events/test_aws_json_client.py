"""The self-signed client, against a scripted connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.fakes.events import NOW, plenty
from zoom_common.deadline import Deadline
from zoom_common.events.aws_json_client import AwsCallFailed, AwsJsonClient, open_connection
from zoom_common.events.sigv4 import Credentials, Scope
from zoom_common.secret import Secret


@dataclass
class Response:
    status: int
    body: bytes = b"{}"

    def read(self) -> bytes:
        return self.body


@dataclass
class Connection:
    """Follows a script: a response to give, or an error to raise where it says."""

    script: list[Response | Exception]
    sent: list[dict[str, Any]]
    sock: None = None
    timeout: float = 0.0
    closed: bool = False

    def connect(self) -> None:
        if self.script and isinstance(self.script[0], Exception):
            raise self.script.pop(0)  # type: ignore[misc] # narrowed by the line above

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.sent.append({"method": method, "path": path, "body": body, **headers, "timeout": self.timeout})

    def getresponse(self) -> Response:
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed = True


@dataclass
class Network:
    """Hands out connections that share one script."""

    script: list[Response | Exception]
    opened: list[Connection] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def connect(self, endpoint: str, seconds: float) -> http.client.HTTPConnection:
        connection = Connection(self.script, self.sent, timeout=seconds)
        self.opened.append(connection)
        assert endpoint == "https://sqs.eu-central-1.amazonaws.com"
        return cast("http.client.HTTPConnection", connection)


def client(*script: Response | Exception) -> tuple[AwsJsonClient, Network]:
    network = Network(list(script))
    made = AwsJsonClient(
        scope=Scope("sqs", "eu-central-1"),
        endpoint="https://sqs.eu-central-1.amazonaws.com",
        protocol="1.0",
        credentials=lambda: Credentials("AKID", Secret("s")),
        clock=lambda: NOW,
        connect=network.connect,
    )
    return made, network


def test_a_call_is_one_signed_post() -> None:
    """The operation goes into a header, the payload into the body as UTF-8, and the answer is JSON."""
    made, network = client(Response(200, b'{"MessageId":"1"}'))
    assert made.call("AmazonSQS.SendMessage", {"MessageBody": "é"}, plenty()) == {"MessageId": "1"}
    (sent,) = network.sent
    assert (sent["method"], sent["path"], sent["host"]) == ("POST", "/", "sqs.eu-central-1.amazonaws.com")
    assert (sent["x-amz-target"], sent["content-type"]) == ("AmazonSQS.SendMessage", "application/x-amz-json-1.0")
    assert json.loads(sent["body"]) == {"MessageBody": "é"}
    assert len(sent["body"]) == len('{"MessageBody":"é"}'.encode())
    assert sent["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")


def test_the_connection_is_kept() -> None:
    """Two calls shake TLS once."""
    made, network = client(Response(200), Response(200))
    made.warm()
    made.call("a", {}, plenty())
    made.call("a", {}, plenty())
    assert len(network.opened) == 1


@pytest.mark.parametrize(
    "stale",
    [
        http.client.RemoteDisconnected(""),
        ConnectionResetError(),
        BrokenPipeError(),
        TimeoutError(),
        http.client.BadStatusLine(""),
    ],
)
def test_a_stale_connection_is_replaced(stale: Exception) -> None:
    """A connection that died while the container was frozen costs a try and not the delivery."""
    made, network = client(Response(200), stale, Response(200, b'{"MessageId":"2"}'))
    made.call("a", {}, plenty())
    assert made.call("a", {}, plenty()) == {"MessageId": "2"}
    assert [connection.closed for connection in network.opened] == [True, False]


def failures(*script: Response | Exception) -> tuple[str, int]:
    made, network = client(*script)
    with pytest.raises(AwsCallFailed) as caught:
        made.call("a", {}, plenty())
    return caught.value.reason, len(network.sent)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ([OSError()] * 3, ("unreachable", 3)),
        ([Response(500, b"oops")] * 3, ("refused", 3)),
        ([Response(400, b'{"__type":"com.amazon#ThrottlingException"}')] * 3, ("ThrottlingException", 3)),
        ([Response(400, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}')], ("QueueDoesNotExist", 1)),
        ([Response(403, b'{"__type":"a message with spaces","message":"secret"}')], ("refused", 1)),
        ([Response(403, b"[1]")], ("refused", 1)),
    ],
)
def test_failures_have_a_reason(script: Sequence[Response | Exception], outcome: tuple[str, int]) -> None:
    """Faults that pass are tried three times, faults that stay once; the reason is AWS's word and never its message."""
    assert failures(*script) == outcome


def test_tries_end_with_the_deadline() -> None:
    """Zoom waits three seconds: what does not fit is not tried, and each try is cut to what is left."""
    now = iter([0.0, 2.0, 3.0])
    made, network = client(OSError(), OSError())
    with pytest.raises(AwsCallFailed):
        made.call("a", {}, Deadline(2.5, clock=lambda: next(now)))
    assert [sent["timeout"] for sent in network.sent] == [1.2, 0.5]


def test_a_warm_up_may_fail() -> None:
    """The first call finds out by itself."""
    made, _ = client(OSError(), Response(200, b'{"a":1}'))
    made.warm()
    assert made.call("a", {}, plenty()) == {"a": 1}


def test_an_emulator_is_spoken_to_without_tls() -> None:
    """The endpoint's scheme and port decide; nothing connects before it is used."""
    plain = open_connection("http://127.0.0.1:4566", 1.0)
    assert (type(plain), plain.host, plain.port, plain.sock) == (http.client.HTTPConnection, "127.0.0.1", 4566, None)
    secure = open_connection("https://sqs.eu-central-1.amazonaws.com", 1.0)
    assert (type(secure), secure.port) == (http.client.HTTPSConnection, 443)
