"""Every route of our own, behind its real handler, over moto's AWS with DynamoDB's limits and a Zoom that says yes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from moto import mock_aws

from tests.fakes import dynamodb_limits
from tests.fakes.connections import connection
from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.events import logged
from tests.fakes.handlers import load
from tests.fakes.moto_line import MotoLine
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential, issue
from zoom_common.access.principal import EVERY_SCOPE, Principal
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.connections.cipher import Cipher, SealContext, SealKind
from zoom_common.connections.store import to_values
from zoom_common.edge.http import Router
from zoom_common.edge.request import Request
from zoom_common.events.bus import CloudEvent
from zoom_common.events.log.entries import LogEntry
from zoom_common.events.log.store import EventLog
from zoom_common.jobs.model import Job, Row
from zoom_common.jobs.store import JobStore
from zoom_common.secret import Secret
from zoom_common.transport import RequestsTransport
from zoom_common.zoom.http import HttpRequest, HttpResponse

FUNCTIONS = Path(__file__).parents[2] / "functions"
TENANT, CONNECTION, OTHER_CONNECTION = "acme", "con_1", "con_2"
EVENT = "evt_" + "a" * 32
JOB = "job_" + "a" * 24
KEY = Credential("abcdefghijkl", Secret("s" * 43))
_TABLES = ("connections", "events", "coordination")
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "CONNECTIONS_TABLE": "connections",
    "EVENTS_TABLE": "events",
    "COORDINATION_TABLE": "coordination",
    "PUBLIC_BASE_URL": "https://gateway.example",
    "RETURN_URLS": "https://app.example",
    "TOKEN_REFRESH_FUNCTION": "token-refresh",
    "ZOOM_API_BASE_URL": "https://zoom.example/v2",
    "ZOOM_OAUTH_URL": "https://zoom.example/oauth",
    "POWERTOOLS_SERVICE_NAME": "test",
    "SUBSCRIPTIONS": "on",
}
# A token, a user and a meeting at once: every answer of Zoom's that our own routes ask for.
_ZOOM = {
    "access_token": "access",
    "refresh_token": "refresh",
    "token_type": "bearer",
    "expires_in": 3600,
    "scope": "meeting:read:meeting",
    "id": 85123456789,
    "account_id": "zoom-account-1",
    "host_id": "zoom-user-1",
    "password": "123",
    "token": "token",
}


@dataclass(frozen=True, slots=True)
class OwnRoute:
    """A route of a function, by method and template."""

    function: str
    method: str
    template: str

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


# Whatever has a router answers own routes: a new function or route is among them as soon as it is written.
MODULES = {
    name: module
    for name in sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py") if "Router(" in path.read_text())
    if isinstance((module := load(name)).router, Router)
}
_PLACES = ("path", "query", "header", "body", "form")
ROUTES = [
    OwnRoute(name, method, template) for name, module in MODULES.items() for method, template in module.router.routes
]


type Slot = tuple[str, str]
"""Where a value goes in a request (path, query, header, body or form), and under which name."""

# What makes a request that its route can answer; of no other use to the route than to get to what it does next.
VALID = {
    "connection_id": CONNECTION,
    "event_id": EVENT,
    "subscription_id": "sub_" + "0" * 32,
    "erasure_id": "era_" + "0" * 32,
    "job_id": JOB,
    "queue_name": "escrow",
    "key_id": KEY.key_id,
    "number": "85123456789",
    "meeting_id": "85123456789",
    "from": "2026-11-30",
    "grant_type": "account_credentials",
    "client_id": KEY.key_id,
    "client_secret": KEY.secret.reveal(),
    "account_id": "account",
    "zoom_user_id": "user",
    "code": "code",
    "state": "state",
    "ticket": "ticket",
}
# Read with `parse_qs`, which nobody can watch.
_FORMS = {"/oauth/token": ("grant_type", "account_id", "client_id", "client_secret"), "/auth/zoom/start": ("ticket",)}


def event_of(route: OwnRoute, values: Mapping[Slot, Any], principal: Principal | None) -> dict[str, Any]:
    """A request to `route` with `values`; what they leave out of its path is valid."""
    at = {place: {name: each for (where, name), each in values.items() if where == place} for place in _PLACES}
    path = re.sub(
        r"\{(\w+)\}", lambda found: quoted(at["path"].get(found[1], VALID.get(found[1], "x"))), route.template
    )
    form = "&".join(f"{name}={quoted(each)}" for name, each in at["form"].items())
    return http_event(
        route.method,
        path,
        query="&".join(f"{name}={quoted(each)}" for name, each in at["query"].items()),
        headers=at["header"],
        body=None if route.method == "GET" else form or json.dumps(at["body"]),
        principal=principal,
    )


def quoted(value: Any) -> str:
    """A value as a URL carries it."""
    return quote(str(value).encode(errors="surrogatepass"), safe="")


def slots(route: OwnRoute, principal: Principal) -> dict[Slot, str | None]:
    """Everything that `route` reads from a request, with a valid value for what has one.

    The route is watched: asked again with what it read the last time, it may get further and read more.
    """
    found: dict[Slot, str | None] = {
        ("path", name): VALID.get(name, "x") for name in re.findall(r"\{(\w+)\}", route.template)
    }
    if route.method != "GET":
        found |= {("form", name): VALID[name] for name in _FORMS.get(route.template, ())}
    while True:
        seen: set[Slot] = set()
        with _watched(seen):
            given = {slot: value for slot, value in found.items() if value is not None}
            MODULES[route.function].handler(event_of(route, given, principal), LambdaContext())
        if seen <= found.keys():
            return found
        found |= {slot: VALID.get(slot[1]) for slot in seen - found.keys()}


class _Watched(dict[str, Any]):
    """Values that note the names under which they are looked for."""

    def __init__(self, place: str, values: Mapping[str, Any], seen: set[Slot]) -> None:
        super().__init__(values)
        self._place, self._seen = place, seen

    def __getitem__(self, name: str) -> Any:
        self._seen.add((self._place, name))
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._seen.add((self._place, name))
        return super().get(name, default)


@contextmanager
def _watched(seen: set[Slot]) -> Iterator[None]:
    from_event, read = Request.from_event, Request.json

    def watched(event: Any, context: Any = None, *, headers: Any = None) -> Request:
        request = from_event(event, context, headers=headers)
        query, heads = _Watched("query", request.query, seen), _Watched("header", request.headers, seen)
        return replace(request, query=query, headers=heads)

    def json_of(request: Request) -> Any:
        body = read(request)
        return _Watched("body", body, seen) if isinstance(body, dict) else body

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Request, "from_event", watched)
        patch.setattr(Request, "json", json_of)
        yield


@contextmanager
def own_site() -> Iterator[None]:
    """An account with keys, queues and secrets; `fill` makes its tables."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setattr(clients, "Connection", MotoLine)
        patch.setattr(RequestsTransport, "send", _zoom)
        dynamodb_limits.enforce(patch)
        _forget()
        with mock_aws():
            for name, value in _resources().items():
                patch.setenv(name, value)
            yield
        _forget()


def fill() -> None:
    """Make the tables, in place of those that are there: a tenant with a key, two connections and two events."""
    dynamodb = clients.boto3_client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=name)
    for name in _TABLES:
        _create(name)
    _seed()


def _zoom(self: RequestsTransport, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ARG001
    request.url.encode("ascii")
    return HttpResponse(200, {"content-type": "application/json"}, json.dumps(_ZOOM).encode())


def _forget() -> None:
    clients.forget()
    for module in MODULES.values():
        for each in vars(module).values():
            if hasattr(each, "cache_clear"):
                each.cache_clear()


def _resources() -> dict[str, str]:
    """Make what the functions use; returns the variables that name it."""
    clients.boto3_client("events").create_event_bus(Name="bus")
    queues = {
        name: clients.boto3_client("sqs").create_queue(QueueName=name)["QueueUrl"]
        for name in ("escrow", "escrow-dead", "erasures", "wake", "archive")
    }
    policy = {"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:escrow-dead", "maxReceiveCount": 5}
    redrive: Any = {"RedrivePolicy": json.dumps(policy)}
    clients.boto3_client("sqs").set_queue_attributes(QueueUrl=queues["escrow"], Attributes=redrive)
    app = json.dumps({"client_id": "zoom-app", "client_secret": "app-secret" * 4})
    secret = clients.boto3_client("secretsmanager").create_secret(Name="app", SecretString=app)["ARN"]
    key = clients.boto3_client("kms").create_key()["KeyMetadata"]["Arn"]
    region: Any = {"LocationConstraint": "eu-central-1"}
    clients.boto3_client("s3").create_bucket(Bucket="jobs", CreateBucketConfiguration=region)
    pass_on = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = clients.boto3_client("stepfunctions").create_state_machine(
        name="jobs", definition=pass_on, roleArn="arn:aws:iam::123456789012:role/jobs"
    )
    return {
        "EVENT_BUS": "bus",
        "ESCROW_QUEUE_URL": queues["escrow"],
        "ERASURE_QUEUE_URL": queues["erasures"],
        "WAKE_QUEUE_URL": queues["wake"],
        "ARCHIVE_QUEUE_URL": queues["archive"],
        "ARCHIVE_BUCKET": "archive",
        "HEALTH_QUEUES": f"escrow={queues['escrow']}",
        "INGEST_QUEUE_URL": queues["escrow"],
        "OPERATOR_QUEUES": "escrow=escrow",
        "ZOOM_APP_SECRET_ARN": secret,
        "ZOOM_SDK_SECRET_ARN": secret,
        "DATA_KEY_ID": key,
        "JOBS_BUCKET": "jobs",
        "JOBS_STATE_MACHINE": machine["stateMachineArn"],
        "REFRESH_KEY_ID": key,
    }


def _create(table: str) -> None:
    clients.boto3_client("dynamodb").create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _seed() -> None:
    api_key = issue(KEY, tenant=TENANT, name="test", scopes=[EVERY_SCOPE], now=time.time())
    ApiKeyStore(Table(clients.boto3_client("dynamodb"), "connections")).add(api_key)
    now, table = time.time(), Table(clients.boto3_client("dynamodb"), "connections")
    key = clients.boto3_client("kms").list_keys()["Keys"][0]["KeyArn"]
    cipher = Cipher(clients.boto3_client("kms"), {SealKind.ACCESS: key, SealKind.REFRESH: key})
    for name in (CONNECTION, OTHER_CONNECTION):
        made = connection(connection_id=name, access_expires_at=now + 3600, last_used_at=now)
        seals = cipher.pair_sealer(TENANT, name)
        made = replace(
            made,
            tenant=TENANT,
            scopes=frozenset({"meeting:read:meeting", "user:read:token"}),
            sealed_access=seals.seal_access(Secret("access")),
            sealed_refresh=seals.seal_refresh(Secret("refresh")),
        )
        assert cipher.open(made.sealed_access, SealContext(TENANT, name, SealKind.ACCESS)).reveal() == "access"
        table.put(to_values(made))
    job = Job(
        tenant=TENANT,
        job_id=JOB,
        principal=api_key.principal(),
        operation="meetings.create",
        request={"connection": CONNECTION},
        fingerprint="",
        created_at=now,
        rows=1,
    )
    JobStore(Table(clients.boto3_client("dynamodb"), "events")).create(job, [Row(number=1, values={"topic": "T"})])
    log = EventLog(Table(clients.boto3_client("dynamodb"), "events"), clock=time.time)
    for number, name in enumerate((EVENT, EVENT.replace("a", "b"))):
        published = CloudEvent(name, "/zoom/App", "zoom.meeting.updated", "2026-09-21T00:00:00Z", TENANT, data={})
        logged(
            log,
            LogEntry(
                owner=TENANT,
                event_id=name,
                key=name,
                app="zoom-app",
                type="zoom.meeting.updated",
                received_at_ms=int(now * 1000) - number * 1000,
                subject="meetings/85123456789",
                connection_id=CONNECTION,
                content=published.to_json().encode(),
            ),
        )
