"""The light clients: what they send, what they make of answers, and when they try again."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from zoom_common.aws.caller import Caller, ConnectionPool, RetryPolicy, SharedConnection
from zoom_common.aws.client import SERVICES, JsonClient, LambdaClient, begin
from zoom_common.aws.https import Answer
from zoom_common.aws.sigv4 import Credentials, Scope
from zoom_common.aws.table import CONNECTIONS, Table
from zoom_common.errors import Unavailable
from zoom_common.secret import Secret

type Step = Answer | OSError


@dataclass
class Connection:
    """Follows a script and remembers what it was asked."""

    script: list[Step]
    sent: list[dict[str, Any]] = field(default_factory=list)
    unsendable: list[OSError] = field(default_factory=list)
    answered: int = 0
    closed: int = 0
    opened: bool = True
    waits: list[float | None] = field(default_factory=list)

    def close(self) -> None:
        self.closed += 1

    def send(
        self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/", connect: bool = True
    ) -> None:
        assert self.answered == len(self.sent), "an answer is owed"
        if not (connect or self.opened):
            raise ConnectionError
        if self.unsendable:
            raise self.unsendable.pop()
        self.sent.append({**headers, "body": json.loads(body), "seconds": seconds, "path": path})

    def answer(self, seconds: float | None = None) -> Answer:
        self.answered += 1
        self.waits.append(seconds)
        step = self.script.pop(0)
        if isinstance(step, OSError):
            raise step
        return step


@dataclass
class World:
    connection: Connection
    caller: Caller
    slept: list[float]

    def dynamodb(self) -> Any:
        return JsonClient(SERVICES["dynamodb"], self.caller)


def world(*script: Step, policy: RetryPolicy | None = None) -> World:
    connection, slept = Connection(list(script)), list[float]()
    caller = Caller(
        scope=Scope("dynamodb", "eu-central-1"),
        host="dynamodb.eu-central-1.amazonaws.com",
        connection=SharedConnection(connection),
        credentials=lambda: Credentials("AKID", Secret("s")),
        clock=lambda: 1_790_000_000.0,
        sleep=slept.append,
        random=lambda: 1.0,
        policy=policy or RetryPolicy(),
    )
    return World(connection, caller, slept)


def failure_of(step: Step) -> type[Exception]:
    """Return how a step ends a call: a refusal is a ClientError, no answer (or a page) is not."""
    return ClientError if isinstance(step, tuple) and step[0] >= 400 else EndpointConnectionError


def ok(document: Any = None) -> Step:
    return 200, {}, json.dumps(document).encode() if document is not None else b""


def refused(kind: str, status: int = 400, **more: Any) -> Step:
    return status, {}, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", **more}).encode()


def test_an_operation_is_named_by_boto3() -> None:
    """`put_item` becomes PutItem of DynamoDB's JSON 1.0, and bytes travel in base64."""
    made = world(ok({}))
    made.dynamodb().put_item(TableName="t", Item={"pk": {"S": "é"}, "sealed": {"B": b"\x00\xff"}})
    (sent,) = made.connection.sent
    assert sent["x-amz-target"] == "DynamoDB_20120810.PutItem"
    assert sent["content-type"] == "application/x-amz-json-1.0"
    assert sent["body"] == {"TableName": "t", "Item": {"pk": {"S": "é"}, "sealed": {"B": "AP8="}}}
    assert (sent["host"], sent["path"], sent["seconds"]) == ("dynamodb.eu-central-1.amazonaws.com", "/", 5.0)


def test_bytes_come_back_as_bytes() -> None:
    """Binary attributes are bytes again wherever they stand, also under a name that is a type's."""
    item = {"B": {"B": "AP8="}, "BS": {"BS": ["AA=="]}, "M": {"M": {"B": {"S": "text"}}}, "L": {"L": [{"B": "AQ=="}]}}
    found = world(ok({"Item": item})).dynamodb().get_item(TableName="t", Key={})["Item"]
    assert found == {
        "B": {"B": b"\x00\xff"},
        "BS": {"BS": [b"\x00"]},
        "M": {"M": {"B": {"S": "text"}}},
        "L": {"L": [{"B": b"\x01"}]},
    }


def test_kms_gives_keys_as_bytes() -> None:
    """What KMS opens is bytes, as boto3 has it."""
    made = world(ok({"KeyId": "k", "Plaintext": base64.b64encode(b"key").decode()}))
    opened = JsonClient(SERVICES["kms"], made.caller).decrypt(CiphertextBlob=b"sealed", KeyId="k")
    assert opened == {"KeyId": "k", "Plaintext": b"key"}
    assert made.connection.sent[0]["body"]["CiphertextBlob"] == base64.b64encode(b"sealed").decode()


def test_a_failed_condition_brings_the_item() -> None:
    """It is caught by boto3's own name, as a ClientError, with the item as it was."""
    client = world(refused("ConditionalCheckFailedException", Item={"sealed": {"B": "AP8="}})).dynamodb()
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
        client.update_item(TableName="t", Key={})
    assert isinstance(caught.value, ClientError)
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert response["Item"] == {"sealed": {"B": b"\x00\xff"}}


def test_a_cancelled_transaction_shows_why() -> None:
    """The reasons stand in the order of the operations."""
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
    client = world(refused("TransactionCanceledException", CancellationReasons=reasons)).dynamodb()
    with pytest.raises(ClientError) as caught:
        client.transact_write_items(TransactItems=[])
    response: Any = caught.value.response
    assert response["CancellationReasons"] == reasons


@pytest.mark.parametrize("passing", [refused("ThrottlingException"), refused("InternalServerError", 500), OSError()])
def test_what_passes_is_tried_again(passing: Step) -> None:
    """Throttling, faults of AWS's and broken connections cost a try and a pause."""
    made = world(passing, ok({"Items": []}))
    assert made.dynamodb().query(TableName="t") == {"Items": []}
    assert made.slept == [0.05]
    assert made.connection.closed == isinstance(passing, OSError)


def test_tries_end() -> None:
    """The last failure is the caller's, as boto3 would raise it."""
    unreachable = world(*[OSError()] * 3)
    with pytest.raises(BotoCoreError):
        unreachable.dynamodb().query(TableName="t")
    assert unreachable.slept == [0.05, 0.1]
    throttled = world(*[refused("ThrottlingException")] * 2, policy=RetryPolicy(2.0, 2))
    with pytest.raises(ClientError, match="ThrottlingException"):
        throttled.dynamodb().query(TableName="t")
    assert [sent["seconds"] for sent in throttled.connection.sent] == [2.0, 2.0]


def test_what_stays_is_not_tried_again() -> None:
    """A wrong request is wrong the second time too."""
    made = world(refused("ValidationException", message="no"))
    with pytest.raises(ClientError, match="no"):
        made.dynamodb().query(TableName="t")
    assert made.slept == []


@pytest.mark.parametrize("page", [b"<html>", b"[]"])
def test_a_success_without_a_document_is_no_answer(page: bytes) -> None:
    """A proxy's page does not pass for "there is no such item"; it is asked again, then nobody was reached."""
    made = world(*[(200, {}, page)] * 3)
    with pytest.raises(BotoCoreError):
        made.dynamodb().get_item(TableName="t", Key={})
    assert len(made.slept) == 2


def test_a_refusal_without_a_document_is_an_error_by_its_status() -> None:
    """What cannot be read is still refused."""
    with pytest.raises(ClientError, match="403"):
        world((403, {}, b"<html>")).dynamodb().query(TableName="t")


def test_a_transaction_that_is_tried_again_is_known_as_the_same() -> None:
    """All tries of one transaction carry one token, another transaction another: none is carried out twice."""
    made = world(OSError(), refused("InternalServerError", 500), ok({}), ok({}))
    client = made.dynamodb()
    client.transact_write_items(TransactItems=[])
    client.transact_write_items(TransactItems=[])
    tokens = [sent["body"]["ClientRequestToken"] for sent in made.connection.sent]
    assert len(set(tokens[:3])) == 1
    assert len(set(tokens)) == 2


def test_every_try_is_signed_at_its_own_time() -> None:
    """A pause of minutes would make an old signature void."""
    moments = iter([1_790_000_000.0, 1_790_000_400.0])
    made = world(OSError(), ok({}))
    client = JsonClient(SERVICES["dynamodb"], replace(made.caller, clock=lambda: next(moments)))
    client.get_item(TableName="t", Key={})
    assert len({sent["x-amz-date"] for sent in made.connection.sent}) == 2


def test_a_function_is_invoked_once() -> None:
    """The payload's stream is the other function's answer; a lost answer is not asked for again."""
    made = world((200, {}, b'{"outcome":"refreshed"}'), OSError())
    client = LambdaClient(made.caller)
    answer = client.invoke(FunctionName="token-refresh", Payload=b'{"action":"refresh"}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b'{"outcome":"refreshed"}')
    assert made.connection.sent[0]["path"] == "/2015-03-31/functions/token-refresh/invocations"
    assert made.connection.sent[0]["x-amz-invocation-type"] == "RequestResponse"
    with pytest.raises(BotoCoreError):
        client.invoke(FunctionName="token-refresh", Payload="{}")


def test_a_function_that_failed_says_so() -> None:
    """An error inside of it is an answer, one of Lambda's own an exception by its name."""
    failed = LambdaClient(world((200, {b"x-amz-function-error": b"Unhandled"}, b"{}")).caller)
    assert failed.invoke(FunctionName="f", Payload=b"{}")["FunctionError"] == "Unhandled"
    kind = b"ResourceNotFoundException:http://internal.amazon.com/coral/"
    missing = LambdaClient(world((404, {b"x-amzn-errortype": kind}, b"{}")).caller)
    with pytest.raises(missing.exceptions.ResourceNotFoundException) as caught:
        missing.invoke(FunctionName="f", Payload=b"{}")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_function_may_be_named_by_its_arn() -> None:
    """Colons are escaped in the path."""
    made = world((202, {}, b""))
    LambdaClient(made.caller).invoke(FunctionName="arn:aws:lambda:f", InvocationType="Event", Payload=b"{}")
    assert made.connection.sent[0]["path"] == "/2015-03-31/functions/arn%3Aaws%3Alambda%3Af/invocations"


def test_an_answer_may_come_later() -> None:
    """The request is sent at once, and its answer is read when it is asked for."""
    made = world(ok({"Items": [1]}))
    later = begin(made.dynamodb(), "query", TableName="t")
    assert (len(made.connection.sent), made.connection.answered) == (1, 0)
    assert later() == {"Items": [1]}
    assert later() == {"Items": [1]}
    assert made.connection.answered == 1


def test_an_answer_that_is_owed_is_read_before_the_next_request() -> None:
    """Each gets its own, whichever is asked for first."""
    made = world(ok({"Items": [1]}), ok({"Items": [2]}), ok({"Items": [3]}), ok({"Items": [4]}))
    client = made.dynamodb()
    first = begin(client, "query", TableName="t")
    second = begin(client, "query", TableName="t")
    assert client.query(TableName="t") == {"Items": [3]}
    assert (second(), first()) == ({"Items": [2]}, {"Items": [1]})
    assert client.query(TableName="t") == {"Items": [4]}


@pytest.mark.parametrize(
    "passing", [refused("ThrottlingException"), refused("InternalServerError", 500), OSError(), (200, {}, b"<html>")]
)
def test_what_was_begun_and_passes_is_tried_again(passing: Step) -> None:
    """As any operation is; without time for that the failure is the caller's."""
    made = world(passing, ok({"Items": []}))
    assert begin(made.dynamodb(), "query", TableName="t")() == {"Items": []}
    assert made.connection.closed == isinstance(passing, OSError)
    assert made.slept == [0.05]
    hurried = world(passing)
    with pytest.raises(failure_of(passing)):
        begin(hurried.dynamodb(), "query", TableName="t")(again=False)
    assert len(hurried.connection.sent) == 1
    assert hurried.slept == []


@pytest.mark.parametrize("passing", [refused("ThrottlingException"), OSError()])
def test_what_was_begun_has_been_tried_once(passing: Step) -> None:
    """The policy bounds how long all tries may take: beginning adds none on top of them."""
    made = world(*[passing] * 2, policy=RetryPolicy(2.0, 2))
    with pytest.raises(failure_of(passing)):
        begin(made.dynamodb(), "query", TableName="t")()
    assert len(made.connection.sent) == 2


def test_without_time_an_answer_that_has_not_come_is_hardly_waited_for() -> None:
    """It had all the time of what was done in between; with time it is waited for as any other."""
    made = world(ok({}), ok({}))
    begin(made.dynamodb(), "query", TableName="t")(again=False)
    begin(made.dynamodb(), "query", TableName="t")()
    hurried, patient = made.connection.waits
    assert hurried is not None
    assert hurried <= 0.1
    assert patient is None


def test_beginning_waits_for_no_connection() -> None:
    """`begin` does not connect; reading the answer does."""
    made = world(ok({"Items": []}))
    made.connection.opened = False
    later = begin(made.dynamodb(), "query", TableName="t")
    assert made.connection.sent == []
    with pytest.raises(BotoCoreError):
        later(again=False)
    assert later() == {"Items": []}


def test_who_cannot_sign_has_reached_nobody() -> None:
    """A role that is not to be had is a failure of the client's, whether it waits or begins."""

    def nobody() -> Credentials:
        raise OSError("no credentials")

    client: Any = JsonClient(SERVICES["dynamodb"], replace(world().caller, credentials=nobody))
    with pytest.raises(BotoCoreError):
        client.query(TableName="t")
    with pytest.raises(BotoCoreError):
        begin(client, "query", TableName="t")


def test_what_was_begun_and_stays_is_not_tried_again() -> None:
    """A failed condition is the answer, and the next request finds the line as it should be."""
    made = world(refused("ConditionalCheckFailedException"), ok({"Items": []}))
    client = made.dynamodb()
    later = begin(client, "update_item", TableName="t")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        later()
    assert client.query(TableName="t") == {"Items": []}


@pytest.mark.parametrize("again", [True, False])
def test_a_begun_change_that_meets_a_transaction_is_tried_again(*, again: bool) -> None:
    """By the table, when somebody has time for that; else the table is unavailable."""
    made, slept = world(refused("TransactionConflictException"), ok({})), list[float]()
    change = Table(made.dynamodb(), "t", CONNECTIONS, sleep=slept.append).begin_update(
        "a", "b", "SET #x = :x", condition="attribute_exists(#pk)", values={"x": 1}
    )
    if again:
        change()
        values = [sent["body"]["ExpressionAttributeValues"] for sent in made.connection.sent]
        assert [each[":x"] for each in values] == [{"N": "1"}] * 2
        assert values[0][":writer"] == values[1][":writer"]
        return
    with pytest.raises(Unavailable):
        change(again=False)
    assert slept == []


def test_what_could_not_be_sent_is_tried_again_when_it_is_asked_for() -> None:
    """Nobody waits for a table that is away before he has to."""
    made = world(ok({"Items": []}))
    made.connection.unsendable = [OSError()]
    later = begin(made.dynamodb(), "query", TableName="t")
    assert (made.connection.sent, made.connection.closed) == ([], 1)
    assert later() == {"Items": []}


def test_what_is_begun_beside_others_goes_over_another_connection() -> None:
    """So that a call need not wait for its answer. It is tried again where calls are."""
    other = Connection([refused("ThrottlingException")], opened=False)
    made = world(ok({"Items": [1]}), ok({"Items": [2]}))
    pool = ConnectionPool(lambda: SharedConnection(other), most=2)
    client: Any = JsonClient(SERVICES["dynamodb"], replace(made.caller, pool=pool))
    later = begin(client, "query", beside=True, TableName="a")
    assert client.query(TableName="b") == {"Items": [1]}
    assert later() == {"Items": [2]}
    assert [sent["body"] for sent in other.sent] == [{"TableName": "a"}]
    assert [sent["body"] for sent in made.connection.sent] == [{"TableName": "b"}, {"TableName": "a"}]


def test_a_line_that_broke_while_an_answer_was_owed_serves_the_next_request() -> None:
    """The request with the lost answer is tried again when its answer is read."""
    made = world(OSError(), ok({"Items": [2]}), ok({"Items": [1]}))
    client = made.dynamodb()
    later = begin(client, "query", TableName="t")
    assert client.query(TableName="t") == {"Items": [2]}
    assert later() == {"Items": [1]}
    assert made.connection.closed == 1
