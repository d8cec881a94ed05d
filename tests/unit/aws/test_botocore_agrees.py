"""The light clients against botocore: the same request for the same arguments, the same answer for the same bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.soak import times
from tests.unit.aws.test_client import Connection, ok, world
from zoom_common.aws.client import SERVICES, JsonClient, LambdaClient

_SESSION = botocore.session.Session()
_MODELS = {name: _SESSION.get_service_model(name) for name in (*SERVICES, "lambda")}

_text = st.text(max_size=12)
_number = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
_leaf = st.one_of(
    st.builds(lambda value: {"S": value}, _text),
    st.builds(lambda value: {"N": value}, _number),
    st.builds(lambda value: {"B": value}, st.binary(max_size=12)),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda value: {"SS": value}, st.lists(_text, min_size=1, max_size=3)),
    st.builds(lambda value: {"BS": value}, st.lists(st.binary(max_size=5), min_size=1, max_size=3)),
)
# Attributes may be called like a type, or like anything else that means something elsewhere.
_name = _text | st.sampled_from(["B", "BS", "M", "L", "S", "Item", "Plaintext", "__type"])
_value = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.builds(lambda value: {"L": value}, st.lists(inner, max_size=3)),
        st.builds(lambda value: {"M": value}, st.dictionaries(_name, inner, max_size=3)),
    ),
    max_leaves=6,
)
_item = st.dictionaries(_name, _value, max_size=4)
_key = st.fixed_dictionaries({"pk": st.builds(lambda value: {"S": value}, _text)})
_conditions = {
    "ConditionExpression": _text,
    "ExpressionAttributeNames": st.dictionaries(_text, _text, max_size=2),
    "ExpressionAttributeValues": _item,
    "ReturnValuesOnConditionCheckFailure": st.just("ALL_OLD"),
}
_put = st.fixed_dictionaries({"TableName": _text, "Item": _item}, optional=_conditions)
_update = st.fixed_dictionaries({"TableName": _text, "Key": _key, "UpdateExpression": _text}, optional=_conditions)
_delete = st.fixed_dictionaries({"TableName": _text, "Key": _key}, optional=_conditions)
_context = st.dictionaries(_text, _text, max_size=3)
_write = st.one_of(
    st.builds(lambda kind, request: {kind: request}, st.just("Put"), _put),
    st.builds(lambda kind, request: {kind: request}, st.just("Update"), _update),
    st.builds(lambda kind, request: {kind: request}, st.just("Delete"), _delete),
)

REQUESTS: dict[tuple[str, str], st.SearchStrategy[dict[str, Any]]] = {
    ("dynamodb", "GetItem"): st.fixed_dictionaries(
        {"TableName": _text, "Key": _key}, optional={"ConsistentRead": st.booleans()}
    ),
    ("dynamodb", "PutItem"): _put,
    ("dynamodb", "UpdateItem"): _update,
    ("dynamodb", "DeleteItem"): _delete,
    ("dynamodb", "Query"): st.fixed_dictionaries(
        {"TableName": _text, "KeyConditionExpression": _text},
        optional={
            "Limit": st.integers(1, 99),
            "IndexName": _text,
            "ExclusiveStartKey": _item,
            "ScanIndexForward": st.booleans(),
        },
    ),
    ("dynamodb", "TransactWriteItems"): st.fixed_dictionaries(
        {"TransactItems": st.lists(_write, max_size=3), "ClientRequestToken": _text}
    ),
    ("dynamodb", "BatchGetItem"): st.fixed_dictionaries(
        {"RequestItems": st.dictionaries(_text, st.fixed_dictionaries({"Keys": st.lists(_key)}), max_size=2)}
    ),
    ("kms", "Decrypt"): st.fixed_dictionaries(
        {"CiphertextBlob": st.binary(max_size=40), "KeyId": _text, "EncryptionContext": _context}
    ),
    ("kms", "GenerateDataKey"): st.fixed_dictionaries(
        {"KeyId": _text, "KeySpec": st.just("AES_256"), "EncryptionContext": _context}
    ),
    ("secretsmanager", "GetSecretValue"): st.fixed_dictionaries({"SecretId": _text}),
    ("sqs", "SendMessage"): st.fixed_dictionaries(
        {"QueueUrl": _text, "MessageBody": _text}, optional={"DelaySeconds": st.integers(0, 900)}
    ),
    ("sqs", "SendMessageBatch"): st.fixed_dictionaries(
        {
            "QueueUrl": _text,
            "Entries": st.lists(st.fixed_dictionaries({"Id": _text, "MessageBody": _text}), max_size=3),
        }
    ),
    ("events", "PutEvents"): st.fixed_dictionaries(
        {
            "Entries": st.lists(
                st.fixed_dictionaries({"EventBusName": _text, "Source": _text, "DetailType": _text, "Detail": _text}),
                max_size=3,
            )
        }
    ),
}

ANSWERS: dict[tuple[str, str], st.SearchStrategy[dict[str, Any]]] = {
    ("dynamodb", "GetItem"): st.fixed_dictionaries({}, optional={"Item": _item}),
    ("dynamodb", "UpdateItem"): st.fixed_dictionaries({}, optional={"Attributes": _item}),
    ("dynamodb", "Query"): st.fixed_dictionaries(
        {"Items": st.lists(_item, max_size=3), "Count": st.integers(0, 9)}, optional={"LastEvaluatedKey": _item}
    ),
    ("kms", "Decrypt"): st.fixed_dictionaries({"Plaintext": st.binary(max_size=40), "KeyId": _text}),
    ("secretsmanager", "GetSecretValue"): st.fixed_dictionaries({"SecretString": _text, "VersionId": _text}),
    ("kms", "GenerateDataKey"): st.fixed_dictionaries(
        {"Plaintext": st.binary(max_size=40), "CiphertextBlob": st.binary(max_size=40)}
    ),
}


def snake(operation: str) -> str:
    """The name of boto3's method."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in operation).lstrip("_")


def serialised(service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What botocore makes of a call."""
    model = _MODELS[service]
    protocol = model.resolved_protocol
    made: dict[str, Any] = create_serializer(protocol, include_validation=False).serialize_to_request(
        dict(arguments), model.operation_model(operation)
    )
    return made


def parsed(service: str, operation: str, status: int, answer: bytes) -> dict[str, Any]:
    """What botocore makes of an answer."""
    model = _MODELS[service]
    shape: Any = model.operation_model(operation).output_shape
    response = {"status_code": status, "headers": {}, "body": answer}
    found: dict[str, Any] = create_parser(model.resolved_protocol).parse(response, shape)
    return found


@pytest.mark.parametrize(("service", "operation"), REQUESTS)
@settings(max_examples=times(60), deadline=None)
@given(data=st.data())
def test_requests_are_botocores(service: str, operation: str, data: st.DataObject) -> None:
    """Target, content type and document are the same, whatever the arguments."""
    arguments = data.draw(REQUESTS[service, operation])
    theirs = serialised(service, operation, arguments)
    made = world(ok({}))
    getattr(JsonClient(SERVICES[service], made.caller), snake(operation))(**arguments)
    (sent,) = made.connection.sent
    assert sent["body"] == json.loads(theirs["body"])
    assert sent["x-amz-target"] == theirs["headers"]["X-Amz-Target"]
    assert sent["content-type"] == theirs["headers"]["Content-Type"]


@pytest.mark.parametrize(("service", "operation"), ANSWERS)
@settings(max_examples=times(60), deadline=None)
@given(data=st.data())
def test_answers_are_botocores(service: str, operation: str, data: st.DataObject) -> None:
    """Attribute values and blobs come out as boto3 gives them."""
    answer = json.dumps(data.draw(ANSWERS[service, operation]), default=lambda raw: base64.b64encode(raw).decode())
    theirs = parsed(service, operation, 200, answer.encode())
    theirs.pop("ResponseMetadata")
    made = world((200, {}, answer.encode()))
    ours = getattr(JsonClient(SERVICES[service], made.caller), snake(operation))()
    assert ours == theirs


@settings(max_examples=times(200), deadline=None)
@given(
    kind=st.sampled_from(
        [
            "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "ResourceNotFoundException",
            "com.amazon.coral.service#AccessDeniedException",
            "ValidationException:http://internal.amazon.com/coral/com.amazon.coral.validate/",
        ]
    ),
    message=st.fixed_dictionaries({}, optional={"message": _text, "Message": _text}),
    item=_item,
)
def test_errors_are_botocores(kind: str, message: dict[str, str], item: dict[str, Any]) -> None:
    """Code, message, and the item that a condition failed on."""
    document = {"__type": kind, **message, "Item": item}
    answer = json.dumps(document, default=lambda raw: base64.b64encode(raw).decode()).encode()
    theirs = parsed("dynamodb", "UpdateItem", 400, answer)
    with pytest.raises(ClientError) as caught:
        world((400, {}, answer)).dynamodb().update_item(TableName="t")
    response: Any = caught.value.response
    assert response["Error"]["Code"] == theirs["Error"]["Code"]
    assert response["Error"]["Message"] == (message.get("message") or message.get("Message") or "")
    assert response["Item"] == item


@settings(max_examples=times(60), deadline=None)
@given(name=st.text("abcXYZ019-_:$.", min_size=1, max_size=40), asynchronous=st.booleans())
def test_invocations_are_botocores(name: str, *, asynchronous: bool) -> None:
    """Path and type are the same; names are sent as they have to be escaped."""
    kind = "Event" if asynchronous else "RequestResponse"
    arguments = {"FunctionName": name, "InvocationType": kind, "Payload": b"{}"}
    theirs = serialised("lambda", "Invoke", arguments)
    made = world((200, {}, b"{}"))
    LambdaClient(made.caller).invoke(**arguments)  # type: ignore[arg-type]
    (sent,) = made.connection.sent
    assert sent["path"] == theirs["url_path"]
    assert sent["x-amz-invocation-type"] == theirs["headers"]["X-Amz-Invocation-Type"]


def test_connections_of_tests_follow_a_script() -> None:
    """The fake that these tests look into is the one of the client's own tests."""
    assert isinstance(world().connection, Connection)
