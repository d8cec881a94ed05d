"""The gateway for one worker: everything that a function has between a request and Zoom, with a given connection."""

from __future__ import annotations

import os
import random
import secrets
import time
from typing import TYPE_CHECKING

from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.deadline import Deadline
from zoom_common.errors import GatewayError
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.context import Call, CallStats
from zoom_common.gateway.http_client import RetryingHttpClient, ZoomApiClient
from zoom_common.gateway.idempotency import Idempotency
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.read_cache import ReadCache
from zoom_common.gateway.service import Gateway
from zoom_common.gateway.token_rejections import RejectedRequests
from zoom_common.gateway.usage import UsageCounter
from zoom_common.ratelimit.limiter import RateLimiter, RateLimitRules
from zoom_common.ratelimit.quotas import DailyCalls, DailyStore
from zoom_common.ratelimit.slots import SlotStore
from zoom_common.secret import Secret
from zoom_common.transport import RequestsTransport
from zoom_common.zoom.rate_limits import Plan

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from benchmarks.load.worker import Client, Settings

SCOPES = frozenset({"meeting:read:admin"})


class _Tokens:
    """The one token there is."""

    def __init__(self, token: str) -> None:
        self._token = Secret(token)

    def token(self, connection: Connection, deadline: Deadline) -> Secret:  # noqa: ARG002 - the seam's signature
        return self._token

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret:  # noqa: ARG002 - as above
        return self._token

    def rejected_again(self, connection: Connection, token: Secret) -> None:
        pass

    def accepted(self, connection: Connection) -> None:
        pass


class _Uncounted(UsageCounter):
    """Counts nothing: this is about the rate."""

    def __init__(self) -> None:
        pass

    def begin(self, tenant: str, stats: CallStats) -> None:
        pass

    def settle(self, tenant: str, stats: CallStats, deadline: Deadline) -> None:
        pass


def _dynamodb(url: str) -> DynamoDBClient:
    """The client that functions have; each worker has its own, as each container has."""
    os.environ |= {
        "AWS_ENDPOINT_URL_DYNAMODB": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    clients.forget()
    return clients.impatient_dynamodb()


def _connection(account: str) -> Connection:
    return Connection(
        tenant="load",
        connection_id="con_load",
        owner="load",
        kind=Kind.ACCOUNT,
        state=State.CONNECTED,
        reason=None,
        client_id="load",
        zoom_user_id=None,
        zoom_account_id=account,
        scopes=SCOPES,
        api_url=None,
        grant_id="load",
        version=1,
        access_expires_at=0,
        refresh_issued_at=0,
        created_at=0,
        authorized_at=0,
        state_changed_at=0,
        last_used_at=0,
        sealed_access=b"",
        sealed_refresh=b"",
    )


def client(settings: Settings) -> Client:
    """Asks through a gateway of its own, with share 1 and nothing held back."""
    table = Table(_dynamodb(settings.dynamodb), settings.table)
    rules = RateLimitRules(plan=Plan(settings.plan), share=1.0, reserve=0.0, pace=settings.pace)
    limiter = RateLimiter(slots=SlotStore(table), daily=DailyCalls(DailyStore(table)), rules=rules, clock=time.time)
    http = RetryingHttpClient(
        transport=RequestsTransport(), limiter=limiter, clock=time.time, sleep=time.sleep, random=random.random
    )
    connection = _connection(settings.account)
    gateway = Gateway(
        select=lambda principal, requested: connection,  # noqa: ARG005 - the seam's signature
        client=ZoomApiClient(
            tokens=_Tokens(settings.token),
            http=http,
            usage=_Uncounted(),
            rejected=RejectedRequests(time.time),
            api_base_url=settings.zoom,
        ),
        idempotency=Idempotency(
            store=IdempotencyStore(table),
            clock=time.time,
            sleep=time.sleep,
            random=random.random,
            new_id=lambda: secrets.token_hex(8),
        ),
        read_cache=ReadCache(changes=ChangeStore(table, clock=time.time), seconds=0, clock=time.time),
        reconnect_url=lambda _: "",
    )
    principal = Principal("load", "key:load", frozenset({"meetings:read"}))
    path = f"/v2{settings.path}"

    def call() -> tuple[int, int | None]:
        asked = Call.read(path, principal, Deadline.after(28))
        try:
            answer = gateway.call(asked)
        except GatewayError as error:
            return error.status, asked.stats.tries
        return answer.status, asked.stats.tries

    return call
