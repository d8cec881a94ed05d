"""Each function's role is judged as IAM would: it may do all that it asks for, and nothing that only others ask for.

What functions ask for was recorded while the end-to-end tests ran (`asked.json`). What AWS asks in their name is
derived from the template: logs, traces, queues that are read for them, and the key under their tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from dev.deployed_template import Deployment, deployment, role_of, statements
from tests.fakes.asked import ENCLOSING, LEADING, OPTIONS, Asked, known
from tests.fakes.iam import Request, allowed, applies


@cache
def prod() -> Deployment:
    """The template as it is deployed to AWS, with every option on."""
    return deployment(**OPTIONS)


@cache
def of_role(role: str) -> tuple[dict[str, Any], ...]:
    return tuple(statements(prod(), role))


FUNCTIONS = sorted(prod().of_type("AWS::Lambda::Function"))
ROLES = {role_of(prod(), function): function for function in FUNCTIONS}
ASKED = known()


def in_their_name(function: str) -> Iterator[Request]:
    """What AWS's services ask with a function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    resources = prod().template["Resources"]
    group = prod().arn(resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]).removesuffix(":*")
    for action in ("CreateLogStream", "PutLogEvents"):
        yield Request(f"logs:{action}", f"{group}:log-stream:2026/11/30/[live]0123456789abcdef")
    for action in ("PutTraceSegments", "PutTelemetryRecords"):
        yield Request(f"xray:{action}", "*")
    for source in prod().of_type("AWS::Lambda::EventSourceMapping").values():
        if source["FunctionName"].startswith(function):
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                yield Request(f"sqs:{action}", source["EventSourceArn"])


def key_of_a_table(action: str, *, via: str | None) -> Request:
    """What DynamoDB asks of the tables' key in the name of whoever uses a table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    """
    keys = {"kms:CallerAccount": (prod().account,)} | ({"kms:ViaService": (via,)} if via else {})
    return Request(action, "*", keys)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: " ".join(asked.shape))
def test_a_function_may_do_what_it_asks_for(asked: Asked) -> None:
    """Each role allows its function's recorded requests, in transactions also without the partition key."""
    assert allowed(asked.request(prod()), of_role(asked.role))
    if ENCLOSING in asked.keys:
        assert allowed(asked.request(prod(), without=LEADING), of_role(asked.role))


def test_every_function_was_recorded() -> None:
    """The record has requests of each function's role."""
    assert {each.role for each in ASKED} == set(ROLES)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_aws_may_do_its_part_with_the_functions_role(function: str) -> None:
    """Logs to the function's own group, traces, and reading the queues that start it."""
    for request in in_their_name(function):
        assert allowed(request, of_role(role_of(prod(), function))), request


def test_the_tables_key_is_for_dynamodb_only() -> None:
    """The key's own policy lets every role of the account use it through DynamoDB, and lets none use it directly."""
    policy = [each for each in prod().of_type("AWS::KMS::Key")["DataKey"]["KeyPolicy"]["Statement"] if "Sid" in each]
    (through,) = [each for each in policy if each["Sid"] == "TablesThroughDynamoDb"]
    assert through["Principal"] == {"AWS": "*"}
    dynamodb = f"dynamodb.{prod().region}.amazonaws.com"
    for action in ("kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant", "kms:DescribeKey"):
        assert applies(through, key_of_a_table(action, via=dynamodb)), action
        assert not applies(through, key_of_a_table(action, via=None)), action
        assert not applies(through, key_of_a_table(action, via=f"s3.{prod().region}.amazonaws.com")), action
    stranger = {"kms:CallerAccount": ("999999999999",), "kms:ViaService": (dynamodb,)}
    assert not applies(through, Request("kms:Decrypt", "*", stranger))
    assert not applies(through, key_of_a_table("kms:ScheduleKeyDeletion", via=dynamodb))


# Data that a role may reach although it was not heard to ask for it, with the reason.
_ERASES = "an erasure deletes whatever is about a person or a tenant; not every kind was there"
_LIMITED_KEYS = "the request of a key that has a limit; the end-to-end tests have one for another function"
_CACHE = "the read cache asks what has changed; it is off by default"
_CREATES = "a create with an Idempotency-Key; the end-to-end tests have one for another function"
_REFRESH = "an access token that has expired; the end-to-end tests have one for another function"
_NAMED_OUT = "its statement names what it may not reach: API keys and erasures"
_SHARED = "the statement is the one of the API's functions"
_OWN_TABLE = "the function keeps or reads the whole log, of every tenant"
_WHOLE_TABLE = "its statement is of the whole table: it keeps items of several kinds there"
_DATA_KEY = "the vault's functions use DataKey for what is sealed for several purposes"
_OF_CALLS = "its calls of Zoom's API may need it; the end-to-end tests have one for another function"
_ARCHIVE = tuple(f"EventsTable archive_{kind}" for kind in ("agenda", "list", "policies", "recordings"))
_DELIVERIES = ("EventsTable deliveries", "EventsTable waiting_deliveries")
_JOBS = tuple(f"EventsTable {kind}" for kind in ("job_places", "jobs", "jobs_active"))
_LOG = ("EventsTable events", "EventsTable log_lines")
_REST = ("EventsTable others", "EventsTable usage")
_CALLS = ("CoordinationTable calendar", "CoordinationTable change", "CoordinationTable daily")
SPARE: dict[str, dict[str, str]] = {
    "ArchiveRole": dict.fromkeys((*_DELIVERIES, *_JOBS, *_LOG, *_REST), _WHOLE_TABLE)
    | dict.fromkeys((*_CALLS, "CoordinationTable budget", "CoordinationTable usage", "DataKey access_token"), _OF_CALLS)
    | {
        "ConnectionsTable connections": "discovery of what was recorded before a policy was made",
        "CoordinationTable throttle": _LIMITED_KEYS,
        "EventBus": "a recording that is given up",
        "TokenRefreshFunction:live": _REFRESH,
    },
    "ArchiveWorkerRole": dict.fromkeys((*_DELIVERIES, *_JOBS, *_LOG, *_REST, "EventsTable projections"), _WHOLE_TABLE)
    | dict.fromkeys((*_CALLS, "CoordinationTable throttle"), _SHARED)
    | {"TokenRefreshFunction:live": _REFRESH},
    "JobSliceRole": dict.fromkeys(
        (*_ARCHIVE, *_DELIVERIES, *_LOG, *_REST, "EventsTable job_places", "EventsTable events projections"),
        _WHOLE_TABLE,
    )
    | {
        "CoordinationTable change": _CACHE,
        "CoordinationTable throttle": _SHARED,
        "EventBus": "registrants.sync publishes join links",
        **dict.fromkeys(("ArchiveQueue", "ConnectionsTable tombstones", "IngestQueue"), "what backfill finds"),
        "JobsMachine": "a job that outlives its execution goes on in another",
        "TokenRefreshFunction:live": _REFRESH,
    },
    "JobsRole": dict.fromkeys((*_ARCHIVE, *_DELIVERIES, *_LOG, *_REST, "EventsTable projections"), _WHOLE_TABLE)
    | {"CoordinationTable throttle": _LIMITED_KEYS},
    "RedeliverRole": {
        "EventBus": "a subscription that has come to an end",
        "EventsTable events": "an event that was missed",
    },
    "SubscriptionsRole": {"CoordinationTable throttle": _LIMITED_KEYS, **dict.fromkeys(_LOG, "sending again")},
    "ErasuresRole": dict.fromkeys(
        [
            *_ARCHIVE,
            *_DELIVERIES,
            *("ArchiveBucket", "ArchiveBucket/object", "ConnectionsTable subscriptions"),
            "JobsBucket/inputs/object",
            *("EventsTable jobs", "EventsTable jobs_active"),
            *(f"ConnectionsTable {kind}" for kind in ("account_links", "outbox", "placed_links", "refresh_answers")),
            *("ConnectionsTable others", "CoordinationTable state", "EventsTable usage"),
        ],
        _ERASES,
    )
    | {"CoordinationTable throttle": _LIMITED_KEYS},
    "EventProcessorRole": dict.fromkeys((*_ARCHIVE, *_DELIVERIES, *_JOBS, "EventsTable usage"), _OWN_TABLE),
    "EventsRole": {
        "EventBus": "publishing an event again",
        **dict.fromkeys((*_ARCHIVE, *_DELIVERIES, *_REST, "EventsTable jobs", "EventsTable jobs_active"), _OWN_TABLE),
        "CoordinationTable throttle": _LIMITED_KEYS,
    },
    "HealthRole": {"CoordinationTable throttle": _LIMITED_KEYS},
    "MeetingSdkRole": {
        "CoordinationTable calendar": _SHARED,
        "CoordinationTable change": _CACHE,
        "CoordinationTable daily": "a user's creates and updates a day; its calls are reads",
        "CoordinationTable throttle": _LIMITED_KEYS,
        "TokenRefreshFunction:live": _REFRESH,
    },
    "MeetingsRole": {"CoordinationTable throttle": _LIMITED_KEYS},
    "OauthRole": {
        "ConnectionsTable others": _NAMED_OUT,
        "ConnectionsTable refresh_answers": _NAMED_OUT,
        "ConnectionsTable subscriptions": _NAMED_OUT,
        "CoordinationTable throttle": _LIMITED_KEYS,
        "DataKey subscription_secret": _DATA_KEY,
    },
    "OperatorRole": {"ArchiveQueue": "dead letters go back", "CoordinationTable throttle": _LIMITED_KEYS},
    "ReconcileRole": {
        "CoordinationTable calendar": _SHARED,
        "EventBus": "events that belonged to nobody are published when their connection is known",
        "ConnectionsTable/index/due ": "handing out a round; the tests hand out one connection",
        "CoordinationTable change": _CACHE,
        "CoordinationTable daily": "limits of a day, on reports",
        "CoordinationTable throttle": _SHARED,
        **dict.fromkeys(
            (*_ARCHIVE, *_DELIVERIES, *_JOBS, *_REST, "EventsTable events", "EventsTable events projections"),
            _OWN_TABLE,
        ),
        "TokenRefreshFunction:live": _REFRESH,
    },
    "TokenRefreshRole": dict.fromkeys(
        (f"ConnectionsTable {kind}" for kind in ("account_links", "folded_users", "others", "subscriptions")),
        _NAMED_OUT,
    )
    | {"DataKey subscription_secret": _DATA_KEY},
    "UsageRole": {"ConnectionsTable connections": "a person who asks for the usage of their own connections"},
    "WebinarsRole": {
        "CoordinationTable calendar": _SHARED,
        "CoordinationTable change": _CACHE,
        "CoordinationTable made": _CREATES,
        "CoordinationTable throttle": _LIMITED_KEYS,
        "TokenRefreshFunction:live": _REFRESH,
    },
    "ZoomApiRole": {
        "CoordinationTable calendar": _SHARED,
        "CoordinationTable change": _CACHE,
        "CoordinationTable made": _CREATES,
    },
}
_FREES = "a create that was not sent frees its Idempotency-Key"
# Rights beside those above that nobody was heard to use: by role, action and what begins the resource's name.
_NO_SUCH_KEY = "without it S3 says 403 instead of 404 of what is not there"
_ENDS_UPLOADS = "an upload that was not finished"
_COPIES, _ARCHIVE_QUEUES = "arn:aws:s3:::ArchiveBucket", "arn:aws:sqs:eu-central-1:111122223333:Archive"
UNHEARD: dict[str, dict[str, str]] = {
    "ArchiveRole": {
        f"s3:AbortMultipartUpload {_COPIES}/*": _ENDS_UPLOADS,
        f"s3:DeleteObject {_COPIES}/*": "copies whose days have passed",
        f"s3:ListBucket {_COPIES}": _NO_SUCH_KEY,
    },
    "ArchiveWorkerRole": {
        "dynamodb:Query ConnectionsTable": _SHARED,
        f"s3:AbortMultipartUpload {_COPIES}/*": _ENDS_UPLOADS,
        f"s3:ListBucket {_COPIES}": _NO_SUCH_KEY,
        f"s3:PutObjectTagging {_COPIES}/*": "a tag in the request that puts; the emulator has no check for it",
    },
    "DeliverRole": {"dynamodb:BatchGetItem EventsTable": "a message that comes again"},
    "ErasuresRole": {
        f"s3:AbortMultipartUpload {_COPIES}/*": _ENDS_UPLOADS,
        f"s3:DeleteObject {_COPIES}/*": "copies of recordings; the end-to-end tests erase none",
        **{
            f"s3:{action}": "files of jobs; the recorded requests are older than their erasure"
            for action in (
                "DeleteObjectVersion arn:aws:s3:::JobsBucket/*",
                "ListBucketVersions arn:aws:s3:::JobsBucket",
                "PutObject arn:aws:s3:::JobsBucket/inputs/*",
            )
        },
    },
    "HealthRole": {
        f"sqs:GetQueueAttributes {_ARCHIVE_QUEUES}{name}": "the deep health of a stack with the archive"
        for name in ("DeadLetterQueue", "EventsDeadLetterQueue", "EventsQueue", "Queue")
    },
    "JobSliceRole": {
        "dynamodb:DeleteItem CoordinationTable": _FREES,
        "dynamodb:GetItem CoordinationTable": "a row that is repeated after its answer was lost",
        "dynamodb:Query ConnectionsTable": _SHARED,
        "s3:ListBucket arn:aws:s3:::JobsBucket": _NO_SUCH_KEY,
    },
    "JobsRole": {
        "dynamodb:Query ConnectionsTable": _SHARED,
        "s3:GetObject arn:aws:s3:::JobsBucket/results/*": "links that it signs and others follow",
        "s3:PutObject arn:aws:s3:::JobsBucket/*": "links that it signs and others follow",
    },
    "OperatorRole": {
        **{
            f"sqs:{action} {_ARCHIVE_QUEUES}{name}": "dead letters of a stack with the archive"
            for action in ("ChangeMessageVisibility", "DeleteMessage", "ReceiveMessage")
            for name in ("DeadLetterQueue", "EventsDeadLetterQueue")
        },
        **{
            f"sqs:GetQueueAttributes {_ARCHIVE_QUEUES}{name}": "how full the queues of a stack with the archive are"
            for name in ("DeadLetterQueue", "EventsDeadLetterQueue", "EventsQueue", "Queue")
        },
        f"sqs:SendMessage {_ARCHIVE_QUEUES}EventsQueue": "dead letters go back",
    },
    "RedeliverRole": {
        "dynamodb:BatchGetItem EventsTable": "what was missed, and may have been sent already",
        "sqs:ChangeMessageVisibility arn:aws:sqs:eu-central-1:111122223333:RedeliveryQueue": "more to do soon",
    },
    "EventProcessorRole": {"dynamodb:DeleteItem EventsTable": "moves the line of an event that became visible late"},
    "EventsRole": {"dynamodb:GetItem ConnectionsTable": "one connection that a person names"},
    "MeetingsRole": {"dynamodb:DeleteItem CoordinationTable": _FREES},
    "ZoomApiRole": {"dynamodb:DeleteItem CoordinationTable": _FREES},
    "WebinarsRole": {
        "dynamodb:DeleteItem CoordinationTable": _FREES,
        "dynamodb:Query ConnectionsTable": "the caller names no connection",
    },
    "ReconcileRole": {
        "dynamodb:DeleteItem EventsTable": "moves the line of an event that became visible late",
        "dynamodb:Query ConnectionsTable": _SHARED,
        "sqs:SendMessage arn:aws:sqs:eu-central-1:111122223333:ReconcileQueue": "handing out a round",
    },
}


def data(asked: Asked) -> str:
    """What a request is about: a resource, of a table the kind of its partition key, of a key the kind of token."""
    action, resource, *about = asked.question
    del action
    return " ".join([resource, *(each for each in about if each not in asked.keys.get(ENCLOSING, ()))])


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_function_may_not_touch_what_only_others_touch(role: str) -> None:
    """Of data that only other functions ask for, whatever they ask is refused here, unless there is a reason above."""
    own = {data(each) for each in ASKED if each.role == role}
    own |= {request.resource.rpartition(":")[2] for request in in_their_name(ROLES[role])}
    others = [each for each in ASKED if data(each) not in own]
    reached = {data(each) for each in others if allowed(each.request(prod()), of_role(role))}
    assert reached == set(SPARE.get(role, {}))


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_right_is_used(role: str) -> None:
    """Each action of each statement is asked for by the function or in its name, or has a reason: least privilege."""
    spare = [each.request(prod()) for each in ASKED if data(each) in SPARE.get(role, {})]
    requests = [*(each.request(prod()) for each in ASKED if each.role == role), *in_their_name(ROLES[role]), *spare]
    unused = {
        f"{action} {resource.partition('table/')[2] or resource}"
        for statement in of_role(role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if not any(applies({**statement, "Action": action, "Resource": resource}, each) for each in requests)
    }
    assert unused == set(UNHEARD.get(role, {}))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    "asked",
    [each for each in ASKED if LEADING in each.keys and ENCLOSING not in each.keys],
    ids=lambda asked: " ".join(asked.shape),
)
def test_a_request_that_names_no_key_is_not_let_through(asked: Asked) -> None:
    """No statement that is limited to some partition keys lets a request through that has none, but in transactions."""
    bare = asked.request(prod(), without=LEADING)
    for statement in of_role(asked.role):
        assert LEADING not in str(statement.get("Condition", {})) or not applies(statement, bare)


def test_a_condition_on_keys_is_held_by_another() -> None:
    """ForAllValues is true of a missing key. So each asks that the key is named, or is about transactions only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    and https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html, which says that an
    item of a transaction has `dynamodb:EnclosingOperation`, and not that it has its key.
    """
    for role in ROLES:
        for statement in of_role(role):
            found = statement.get("Condition", {})
            if any(operator.startswith("ForAllValues") for operator in found):
                enclosed = found.get("ForAnyValue:StringEquals", {}).get(ENCLOSING)
                assert found.get("Null") == {LEADING: "false"} or as_list(enclosed) == ["TransactWriteItems"], statement


def test_no_function_but_two_opens_a_refresh_token() -> None:
    """With any key, context or none; and an access token opens with its own kind only."""
    for key in ("DataKey", "RefreshKey"):
        for kind in ("access_token", "refresh_token", None):
            keys = {"kms:EncryptionContext:kind": (kind,)} if kind else {}
            request = Request("kms:Decrypt", prod().arn(key), keys)
            may = {role for role in ROLES if allowed(request, of_role(role))}
            vault = {"OauthRole", "TokenRefreshRole"}
            api = {"MeetingsRole", "WebinarsRole", "ZoomApiRole", "MeetingSdkRole", "ReconcileRole"}
            api |= {"ArchiveRole", "ArchiveWorkerRole", "JobSliceRole"}
            assert may == (vault | api if (key, kind) == ("DataKey", "access_token") else vault), request


@pytest.mark.parametrize(
    ("schedule", "function"), [("Sweep", "TokenRefresh"), ("Reconcile", "Reconcile"), ("Rollup", "Usage")]
)
def test_a_schedule_starts_its_function_only(schedule: str, function: str) -> None:
    """The alias of its function, and nothing else; only Scheduler of this account takes the role."""
    role = f"{schedule}ScheduleRole"
    for name in FUNCTIONS:
        request = Request("lambda:InvokeFunction", f"{prod().arn(name)}:live")
        assert allowed(request, statements(prod(), role)) is (name == f"{function}Function")
    trust = prod().of_type("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
    assume = Request("sts:AssumeRole", "*", {"aws:SourceAccount": (prod().account,)})
    assert allowed(assume, [{**each, "Resource": "*"} for each in trust])
    assert not allowed(Request("sts:AssumeRole", "*"), [{**each, "Resource": "*"} for each in trust])
