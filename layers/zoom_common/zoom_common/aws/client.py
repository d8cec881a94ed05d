"""AWS clients with boto3's methods, arguments, answers and errors, and a hundredth of its start time.

They have only what hot paths call: operations of the JSON services by boto3's names, and Lambda's `invoke`.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from __future__ import annotations

import base64
import io
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError, EndpointConnectionError

from zoom_common.aws.caller import Caller, Pending
from zoom_common.aws.errors import is_transient
from zoom_common.aws.https import Answer
from zoom_common.aws.retries import code_of

if TYPE_CHECKING:
    from typing import Protocol

    class Later(Protocol):
        """An operation under way."""

        def __call__(self, *, again: bool = True) -> Json:
            """Return the answer. A transient failure is tried again, as for any operation.

            With `again=False`, there is no time for another try, so an answer that has not come yet is waited for only
            briefly.
            """
            ...


type Json = dict[str, Any]


_ERROR = 400
# In seconds. An answer that is read late had all the time in which the caller did something else.
_A_MOMENT = 0.1


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is called. `blobs` are the members of its answers that hold bytes.

    `once` names the operations that take an idempotency token, and the member that holds it.
    """

    prefix: str
    protocol: str
    blobs: frozenset[str] = frozenset()
    once: tuple[tuple[str, str], ...] = ()


SERVICES = {
    "dynamodb": Service(
        "DynamoDB_20120810", "1.0", frozenset({"B", "BS"}), (("TransactWriteItems", "ClientRequestToken"),)
    ),
    "events": Service("AWSEvents", "1.1"),
    "kms": Service("TrentService", "1.1", frozenset({"CiphertextBlob", "Plaintext"})),
    "secretsmanager": Service("secretsmanager", "1.1"),
    "sqs": Service("AmazonSQS", "1.0"),
}


class Errors:
    """Error classes by AWS's names, as `client.exceptions` has them."""

    def __init__(self) -> None:
        self._known: dict[str, type[ClientError]] = {}

    def __getattr__(self, name: str) -> type[ClientError]:
        return self._known.setdefault(name, type(name, (ClientError,), {}))


class JsonClient:
    """One service. `client.get_item(TableName=..., Key=...)` sends GetItem; a transient failure is tried again.

    Raises ClientError with AWS's code, and EndpointConnectionError (a BotoCoreError) when no complete answer came.
    """

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._caller = caller
        self._once = dict(service.once)
        self._type = f"application/x-amz-json-{service.protocol}"
        # Most answers hold no blobs, and need no second parse.
        marks = "|".join(f'"{name}"' for name in service.blobs)
        self._blobs = re.compile(marks.encode()) if marks else None
        self._read = json.JSONDecoder(object_hook=self._revived).decode
        self.exceptions = Errors()

    def __getattr__(self, name: str) -> Callable[..., Json]:
        operation = _operation(name)

        def call(**arguments: Any) -> Json:
            return self._call(operation, arguments)

        setattr(self, name, call)
        return call

    def begin(self, name: str, **arguments: Any) -> Later:
        """Send an operation, by boto3's name for it, and return a function that reads its answer later."""
        return self._begun(name, arguments, self._caller.send)

    def begin_beside(self, name: str, **arguments: Any) -> Later:
        """Do as `begin`, but over another connection where one is available, while other operations are under way."""
        return self._begun(name, arguments, self._caller.send_beside)

    def _begun(self, name: str, arguments: Json, send: Callable[[dict[str, str], bytes], Pending]) -> Later:
        operation = _operation(name)
        request = self._request(operation, arguments)
        try:
            sent = send(*request)
        except OSError:  # There are no credentials to sign with.
            raise EndpointConnectionError(endpoint_url=self._caller.host) from None

        def answer(*, again: bool = True) -> Json:
            first = partial(sent.answer, None if again else _A_MOMENT)
            return self._tried(operation, request, first, again=again)

        return answer

    def _call(self, operation: str, arguments: Json) -> Json:
        return self._tried(operation, self._request(operation, arguments))

    def _tried(
        self,
        operation: str,
        request: tuple[dict[str, str], bytes],
        first: Callable[[], Answer] | None = None,
        *,
        again: bool = True,
    ) -> Json:
        """Return an operation's answer. `first` returns the answer to its first try, if that has been made."""
        tries = self._caller.policy.tries
        for tried in range(tries):
            last = tried == tries - 1 or not again
            try:
                return self._outcome(operation, first() if first else self._caller.post(*request))
            except (OSError, ValueError):  # The connection failed, or a success had no JSON body: neither is an answer.
                if last:
                    raise EndpointConnectionError(endpoint_url=self._caller.host) from None
            except ClientError as error:
                if last or not is_transient(error):
                    raise
            self._caller.pause(tried)
            first = None
        raise EndpointConnectionError(endpoint_url=self._caller.host)

    def _request(self, operation: str, arguments: Json) -> tuple[dict[str, str], bytes]:
        if operation in self._once:
            arguments.setdefault(self._once[operation], str(uuid.uuid4()))
        headers = {"content-type": self._type, "x-amz-target": f"{self._service.prefix}.{operation}"}
        return headers, _ENCODER.encode(arguments).encode()

    def _outcome(self, operation: str, answer: Answer) -> Json:
        """Return the body of a success.

        Raises ClientError for a refusal, and ValueError for a success without a JSON body.
        """
        status, about, text = answer
        if status < _ERROR:
            return self._document(text)
        raise self._error(operation, status, about, text)

    def _document(self, answer: bytes) -> Json:
        read = self._read if self._blobs and self._blobs.search(answer) else json.loads
        document = read(answer.decode()) if answer else {}
        if not isinstance(document, dict):
            raise ValueError("no document")  # noqa: TRY004 - as what is no JSON at all
        return document

    def _revived(self, found: Json) -> Json:
        """Return an answer with bytes in place of blobs.

        An attribute with the same name holds an object, never text.
        """
        for name in self._service.blobs.intersection(found):
            value = found[name]
            if isinstance(value, str):
                found[name] = base64.b64decode(value)
            elif isinstance(value, list) and all(isinstance(each, str) for each in value):
                found[name] = [base64.b64decode(each) for each in value]
        return found

    def _error(self, operation: str, status: int, about: Mapping[bytes, bytes], answer: bytes) -> ClientError:
        try:
            document = self._document(answer)
        except ValueError:
            document = {}
        code = code_of(str(document.pop("__type", "") or status))
        message = str(document.get("message") or document.get("Message") or "")
        response = {**document, "Error": {"Code": code, "Message": message}, "ResponseMetadata": _about(status, about)}
        kind: type[ClientError] = getattr(self.exceptions, code) if code.isidentifier() else ClientError
        return kind(response, operation)  # type: ignore[arg-type] # the stubs want every field of a response


class LambdaClient:
    """Lambda's `invoke`, tried once only, because the other function may have begun."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.exceptions = Errors()

    def invoke(self, *, FunctionName: str, InvocationType: str = "RequestResponse", Payload: bytes | str) -> Json:  # noqa: N803 - boto3's names
        """Invoke a function by name or ARN; `Payload` in the answer is a stream.

        https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
        """
        headers = {"content-type": "application/json", "x-amz-invocation-type": InvocationType}
        body = Payload.encode() if isinstance(Payload, str) else Payload
        path = f"/2015-03-31/functions/{quote(FunctionName, safe='~')}/invocations"
        try:
            status, about, answer = self._caller.post(headers, body, path=path)
        except OSError:
            raise EndpointConnectionError(endpoint_url=self._caller.host) from None
        if status >= _ERROR:
            code = code_of(about.get(b"x-amzn-errortype", str(status).encode()).decode("latin-1"))
            response = {"Error": {"Code": code, "Message": _message(answer)}, "ResponseMetadata": _about(status, about)}
            kind: type[ClientError] = getattr(self.exceptions, code) if code.isidentifier() else ClientError
            raise kind(response, "Invoke")  # type: ignore[arg-type] # the stubs want every field of a response
        failed = about.get(b"x-amz-function-error")
        return {
            "StatusCode": status,
            "Payload": io.BytesIO(answer),
            **({"FunctionError": failed.decode("latin-1")} if failed is not None else {}),
        }


def begin(client: Any, name: str, *, beside: bool = False, **arguments: Any) -> Later:
    """Send an operation with `client`, and return a function that reads its answer later. boto3's clients wait here.

    With `beside`, it uses a connection of its own while others are under way. The answer raises what the operation
    raises: ClientError or BotoCoreError.
    """
    if isinstance(client, JsonClient):
        return client.begin_beside(name, **arguments) if beside else client.begin(name, **arguments)
    answer: Json = getattr(client, name)(**arguments)
    return lambda *, again=True: answer  # noqa: ARG005 - the seam's signature


def _operation(name: str) -> str:
    """AWS's name for what boto3 calls `name`."""
    return "".join(word.capitalize() for word in name.split("_"))


def _message(answer: bytes) -> str:
    try:
        document = json.loads(answer)
    except ValueError:
        return ""
    found = document.get("message") or document.get("Message") if isinstance(document, dict) else None
    return str(found or "")


def _about(status: int, headers: Mapping[bytes, bytes]) -> Json:
    request_id = headers.get(b"x-amzn-requestid")
    return {"HTTPStatusCode": status, **({"RequestId": request_id.decode("latin-1")} if request_id else {})}


def _written(value: object) -> object:
    """Return a value that JSON has no form for as AWS's JSON writes it."""
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


_ENCODER = json.JSONEncoder(default=_written, separators=(",", ":"))
