"""AWS clients with the face of boto3's and a hundredth of its start: the same methods, arguments, answers and errors.

Only what this project calls: operations of the JSON services by their boto3 names, `query` pages, and `invoke`.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError, EndpointConnectionError

from zoom_common.aws_api.sigv4 import Credentials, Scope, sign

type Json = dict[str, Any]

_OK, _ERROR, _SERVER_ERROR = 200, 400, 500
_PASSING = frozenset(
    {
        "InternalServerError",
        "ItemCollectionSizeLimitExceededException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_FIRST_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is spoken to. `blobs` are the members of its answers that hold bytes."""

    prefix: str
    protocol: str
    blobs: frozenset[str] = frozenset()


SERVICES = {
    "dynamodb": Service("DynamoDB_20120810", "1.0", frozenset({"B", "BS"})),
    "events": Service("AWSEvents", "1.1"),
    "kms": Service("TrentService", "1.1", frozenset({"CiphertextBlob", "Plaintext"})),
    "secretsmanager": Service("secretsmanager", "1.1"),
    "sqs": Service("AmazonSQS", "1.0"),
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each wait may take, in seconds, and how often a call is tried."""

    seconds: float = 5.0
    tries: int = 3


class Connection(Protocol):
    """A kept-alive connection; see `https_client`. Both methods raise OSError."""

    def close(self) -> None:
        """Hang up; the next request connects again."""
        ...

    def post(
        self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/"
    ) -> tuple[int, Mapping[bytes, bytes], bytes]:
        """Status, headers and body of an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Signs and sends for one service at one host; one request at a time. `random` gives 0 up to 1."""

    scope: Scope
    host: str
    connection: Connection
    credentials: Callable[[], Credentials]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    patience: Patience
    lock: threading.Lock

    def send(
        self, headers: Mapping[str, str], body: bytes, *, path: str = "/"
    ) -> tuple[int, Mapping[bytes, bytes], bytes]:
        """The answer to one try. Raises OSError."""
        now, credentials = self.clock(), self.credentials()
        signed = sign(headers, body, host=self.host, scope=self.scope, credentials=credentials, now=now, path=path)
        with self.lock:
            try:
                return self.connection.post(signed, body, self.patience.seconds, path=path)
            except OSError:
                self.connection.close()
                raise

    def pause(self, tries: int) -> None:
        """Wait before the next try, longer each time, with full jitter."""
        self.sleep(self.random() * _FIRST_PAUSE * 2**tries)

    def unreachable(self) -> EndpointConnectionError:
        """What boto3 raises when nothing answers."""
        return EndpointConnectionError(endpoint_url=self.host)


class Errors:
    """Error classes by AWS's name for them, as `client.exceptions` has them."""

    def __init__(self) -> None:
        self._known: dict[str, type[ClientError]] = {}

    def __getattr__(self, name: str) -> type[ClientError]:
        return self._known.setdefault(name, type(name, (ClientError,), {}))


class JsonClient:
    """One service. `client.get_item(TableName=..., Key=...)` sends GetItem; a passing failure is tried again."""

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._caller = caller
        self.exceptions = Errors()

    def __getattr__(self, name: str) -> Callable[..., Json]:
        operation = "".join(word.capitalize() for word in name.split("_"))

        def call(**arguments: Any) -> Json:
            return self._call(operation, arguments)

        setattr(self, name, call)
        return call

    def get_paginator(self, name: str) -> Pages:
        """The pages of an operation that says where it stopped by LastEvaluatedKey."""
        return Pages(getattr(self, name))

    def _call(self, operation: str, arguments: Json) -> Json:
        body = json.dumps(arguments, default=_bytes, separators=(",", ":")).encode()
        headers = {
            "content-type": f"application/x-amz-json-{self._service.protocol}",
            "x-amz-target": f"{self._service.prefix}.{operation}",
        }
        last = self._caller.patience.tries - 1
        for tries in range(last + 1):
            try:
                status, _, answer = self._caller.send(headers, body)
            except OSError:
                if tries == last:
                    raise self._caller.unreachable() from None
            else:
                if status < _ERROR:
                    return self._document(answer)
                error = self._error(operation, status, answer)
                passing = status >= _SERVER_ERROR or error.response["Error"]["Code"] in _PASSING
                if tries == last or not passing:
                    raise error
            self._caller.pause(tries)
        raise self._caller.unreachable()

    def _document(self, answer: bytes) -> Json:
        try:
            document = json.loads(answer) if answer else {}
        except ValueError:
            document = {}
        found: Json = _revived(document, self._service.blobs) if self._service.blobs else document
        return found

    def _error(self, operation: str, status: int, answer: bytes) -> ClientError:
        document = self._document(answer)
        code = str(document.pop("__type", "") or status).rpartition("#")[2]
        message = str(document.get("message") or document.get("Message") or "")
        response = {
            **document,
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        kind: type[ClientError] = getattr(self.exceptions, code) if code.isidentifier() else ClientError
        return kind(response, operation)  # type: ignore[arg-type] # the stubs want every field of a response


class Pages:
    """An operation's pages; see `JsonClient.get_paginator`."""

    def __init__(self, call: Callable[..., Json]) -> None:
        self._call = call

    def paginate(self, **arguments: Any) -> Iterator[Json]:
        """Ask for one page after the other, as they are wanted."""
        while True:
            page = self._call(**arguments)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


class LambdaClient:
    """Lambda's `invoke`, tried once: the other function may have begun."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.exceptions = Errors()

    def invoke(self, *, FunctionName: str, InvocationType: str = "RequestResponse", Payload: bytes | str) -> Json:  # noqa: N803 - boto3's names
        """Invoke a function by its name; `Payload` in the answer is a stream.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        headers = {"content-type": "application/json", "x-amz-invocation-type": InvocationType}
        body = Payload.encode() if isinstance(Payload, str) else Payload
        path = f"/2015-03-31/functions/{FunctionName}/invocations"
        try:
            status, about, answer = self._caller.send(headers, body, path=path)
        except OSError:
            raise self._caller.unreachable() from None
        if status >= _ERROR:
            code = about.get(b"x-amzn-errortype", str(status).encode()).decode("latin-1")
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "Invoke")
        failed = {"FunctionError": "Unhandled"} if b"x-amz-function-error" in about else {}
        return {"StatusCode": status, "Payload": io.BytesIO(answer), **failed}


def _bytes(value: object) -> object:
    """What JSON has no word for, as AWS's JSON writes it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, set | frozenset):
        return list(value)
    raise TypeError(type(value).__name__)


def _revived(value: Any, blobs: frozenset[str]) -> Any:
    """`value` with its blobs as bytes. An attribute that is called like one holds a mapping, never a string."""
    if isinstance(value, dict):
        return {
            name: _blob(each) if name in blobs and _is_text(each) else _revived(each, blobs)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_revived(each, blobs) for each in value]
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def _blob(value: str | list[str]) -> bytes | list[bytes]:
    return base64.b64decode(value) if isinstance(value, str) else [base64.b64decode(each) for each in value]
