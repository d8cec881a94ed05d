"""The self-signed client, against a scripted connection."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.events import NOW, plenty
from zoom_common.aws.https import BrokenAnswer
from zoom_common.aws.json_client import AwsCallFailed, AwsJsonClient
from zoom_common.aws.sigv4 import Credentials, Scope
from zoom_common.deadline import Deadline
from zoom_common.secret import Secret


@dataclass
class Response:
    status: int
    body: bytes = b"{}"


@dataclass
class Connection:
    """Follows a script: a response to give, or an error to raise where it says."""

    script: list[Response | Exception]
    sent: list[dict[str, Any]] = field(default_factory=list)
    is_open: bool = False
    times_opened: int = 0

    def open(self, seconds: float) -> None:
        assert seconds > 0
        if not self.is_open:
            if self.script and isinstance(self.script[0], Exception):
                raise self.script.pop(0)  # type: ignore[misc] # narrowed by the line above
            self.is_open = True
            self.times_opened += 1

    def close(self) -> None:
        self.is_open = False

    def post(self, headers: Mapping[str, str], body: bytes, seconds: float) -> tuple[int, dict[bytes, bytes], bytes]:
        self.sent.append({**headers, "body": body, "seconds": seconds})
        self.open(seconds)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step.status, {}, step.body


def client(*script: Response | Exception) -> tuple[AwsJsonClient, Connection]:
    connection = Connection(list(script))
    made = AwsJsonClient(
        scope=Scope("sqs", "eu-central-1"),
        host="sqs.eu-central-1.amazonaws.com",
        protocol="1.0",
        credentials=lambda: Credentials("AKID", Secret("s")),
        clock=lambda: NOW,
        connection=connection,
    )
    return made, connection


def test_a_call_is_one_signed_post() -> None:
    """The operation goes into a header, the payload into the body as UTF-8, and the answer is JSON."""
    made, connection = client(Response(200, b'{"MessageId":"1"}'))
    assert made.call("AmazonSQS.SendMessage", {"MessageBody": "é"}, plenty()) == {"MessageId": "1"}
    (sent,) = connection.sent
    assert sent["host"] == "sqs.eu-central-1.amazonaws.com"
    assert (sent["x-amz-target"], sent["content-type"]) == ("AmazonSQS.SendMessage", "application/x-amz-json-1.0")
    assert json.loads(sent["body"]) == {"MessageBody": "é"}
    assert len(sent["body"]) == len('{"MessageBody":"é"}'.encode())
    assert sent["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")


def test_the_connection_is_kept() -> None:
    """Two calls shake TLS once."""
    made, connection = client(Response(200), Response(200))
    made.warm()
    made.call("a", {}, plenty())
    made.call("a", {}, plenty())
    assert connection.times_opened == 1


@pytest.mark.parametrize(
    "stale", [BrokenAnswer(), ConnectionResetError(), BrokenPipeError(), TimeoutError(), ssl.SSLError()]
)
def test_a_stale_connection_is_replaced(stale: Exception) -> None:
    """A connection that died while the container was frozen costs a try and not the delivery."""
    made, connection = client(Response(200), stale, Response(200, b'{"MessageId":"2"}'))
    made.call("a", {}, plenty())
    assert made.call("a", {}, plenty()) == {"MessageId": "2"}
    assert (connection.times_opened, connection.is_open) == (2, True)


def failures(*script: Response | Exception) -> tuple[str, int]:
    made, connection = client(*script)
    with pytest.raises(AwsCallFailed) as caught:
        made.call("a", {}, plenty())
    return caught.value.reason, len(connection.sent)


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
    made, connection = client(OSError(), OSError())
    with pytest.raises(AwsCallFailed):
        made.call("a", {}, Deadline(2.5, clock=lambda: next(now)))
    assert [sent["seconds"] for sent in connection.sent] == [1.2, 0.5]


def test_a_warm_up_may_fail() -> None:
    """The first call finds out by itself."""
    made, _ = client(OSError(), Response(200, b'{"a":1}'))
    made.warm()
    assert made.call("a", {}, plenty()) == {"a": 1}
