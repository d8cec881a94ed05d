"""The container's clients, each made at its first use.

`client` returns the light ones, for functions that a person or Zoom waits for. `boto3_client` returns boto3's, for the
others. Endpoint, region and credentials come from the environment, by the names that every AWS SDK reads:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from zoom_common.aws.caller import Caller, ConnectionPool, RetryPolicy, SharedConnection
from zoom_common.aws.client import SERVICES, JsonClient, LambdaClient
from zoom_common.aws.endpoints import endpoint, host_and_port, overridden, region
from zoom_common.aws.https import Connection, contexts
from zoom_common.aws.sigv4 import Credentials, Scope
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient as FullLambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

    from zoom_common.aws.s3 import Bucket

# Few and short tries: Lambda's own timeout is the outer limit, and each store decides what a failure means.
_POLICY = RetryPolicy(seconds=5.0, tries=3)
# Functions that deliver events use one client in many threads.
_POOL = 50
# A synchronous invoke waits for the other function, longer than that function may take, and is never sent twice.
_INVOKE = RetryPolicy(seconds=30.0, tries=1)
# For a batch of ten events this many requests are under way at once, each over a connection of its own.
_AT_ONCE = 12
# For reads that a caller waits for. API Gateway waits ten seconds for the authorizer and then answers 500.
_IMPATIENT = RetryPolicy(seconds=2.0, tries=2)


if TYPE_CHECKING:

    @overload
    def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def client(service: Literal["kms"]) -> KMSClient: ...
    @overload
    def client(service: Literal["lambda"]) -> FullLambdaClient: ...
    @overload
    def client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def client(service: Literal["sqs"]) -> SQSClient: ...


@cache
def client(service: str) -> Any:
    """Return the container's light client for `service`."""
    if service == "lambda":
        return LambdaClient(_caller(service, _INVOKE))
    return JsonClient(SERVICES[service], _caller(service, _POLICY))


@cache
def impatient_dynamodb() -> DynamoDBClient:
    """Return a DynamoDB client whose calls end within a few seconds; it shares the other one's connection."""
    return cast("DynamoDBClient", JsonClient(SERVICES["dynamodb"], _caller("dynamodb", _IMPATIENT)))


if TYPE_CHECKING:

    @overload
    def boto3_client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def boto3_client(service: Literal["events"]) -> EventBridgeClient: ...
    @overload
    def boto3_client(service: Literal["kms"]) -> KMSClient: ...
    @overload
    def boto3_client(service: Literal["s3"]) -> S3Client: ...
    @overload
    def boto3_client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
    @overload
    def boto3_client(service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def boto3_client(service: Literal["stepfunctions"]) -> Any: ...


@cache
def boto3_client(service: Any) -> Any:
    """Return the container's boto3 client for `service`, with the same tries and timeouts as the light ones."""
    return _boto3_session().client(service, config=_config(service))


@cache
def sqs_in(region: str) -> SQSClient:
    """Return a client of boto3's for the queues of another region."""
    return cast("SQSClient", _boto3_session().client("sqs", region_name=region, config=_config("sqs")))


def _config(service: str) -> Any:
    from botocore.config import Config  # noqa: PLC0415 - what the light clients are there to avoid

    retries: Any = {"mode": "standard", "total_max_attempts": _POLICY.tries}
    return Config(
        connect_timeout=2,
        read_timeout=_POLICY.seconds,
        retries=retries,
        max_pool_connections=_POOL,
        **(_signed_addresses() if service == "s3" else {}),
    )


def _signed_addresses() -> dict[str, Any]:
    """Return the settings with which boto3 presigns addresses for S3 that work at once, and from web pages.

    By default, boto3 uses signature version 2 in some regions, and a host name without the region. S3 redirects
    requests to that host for some hours after a bucket was made, and browsers do not follow redirects of preflight
    requests: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
    """
    by_host = {} if overridden("s3", os.environ) else {"addressing_style": "virtual"}
    return {"signature_version": "s3v4", "s3": {"us_east_1_regional_endpoint": "regional", **by_host}}


@cache
def bucket(name: str) -> Bucket:
    """Return the container's client for one S3 bucket: by its own host name, or by path at an overridden endpoint."""
    from zoom_common.aws.s3 import Bucket  # noqa: PLC0415 - few functions use S3
    from zoom_common.aws.s3_line import HttpLine  # noqa: PLC0415 - as above

    scheme, _, host = endpoint("s3", os.environ).partition("://")
    by_path = bool(overridden("s3", os.environ))
    host = host if by_path else f"{name}.{host}"
    return Bucket(
        name=name,
        host=host,
        scheme=scheme,
        by_path=by_path,
        scope=Scope("s3", region(os.environ)),
        line=HttpLine(scheme, host, contexts(host_and_port(host)[0], os.environ)),
        credentials=credentials(os.environ),
        clock=time.time,
        sleep=time.sleep,
        random=random.random,
    )


def forget() -> None:
    """Drop all clients, so that the next ones are new."""
    cached: Any
    made = (client, impatient_dynamodb, boto3_client, sqs_in, bucket, _connection, _pool, _boto3_session, _of_container)
    for cached in made:
        cached.cache_clear()


def credentials(environ: Mapping[str, str]) -> Callable[[], Credentials]:
    """Return the source of the role's credentials: Lambda's environment variables, read once, as boto3 reads them.

    A function that starts from a snapshot gets an address instead, which hands out other ones when these end. Elsewhere
    boto3 knows where to look.
    """
    if not environ.get("AWS_ACCESS_KEY_ID"):
        return _of_container() if environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") else _of_boto3
    found = Credentials.from_env(environ)
    return lambda: found


@cache
def _of_container() -> Callable[[], Credentials]:
    from zoom_common.aws.container_credentials import ContainerCredentials  # noqa: PLC0415 - with SnapStart only

    return ContainerCredentials(os.environ, time.time)


def _of_boto3() -> Credentials:
    found = _session().get_credentials()
    if found is None:
        raise OSError("no credentials")
    frozen = found.get_frozen_credentials()
    return Credentials(frozen.access_key, Secret(frozen.secret_key), Secret(frozen.token) if frozen.token else None)


@cache
def _session() -> Any:
    import botocore.session  # noqa: PLC0415 - as above

    return botocore.session.get_session()


@cache
def _boto3_session() -> Any:
    import boto3  # noqa: PLC0415 - as above

    return boto3.session.Session()


def _caller(service: str, policy: RetryPolicy) -> Caller:
    return Caller(
        scope=Scope(service, region(os.environ)),
        host=endpoint(service, os.environ).partition("://")[2],
        connection=_connection(service),
        pool=_pool(service),
        credentials=credentials(os.environ),
        clock=time.time,
        sleep=time.sleep,
        random=random.random,
        policy=policy,
    )


@cache
def _connection(service: str) -> SharedConnection:
    return _new_connection(service)


@cache
def _pool(service: str) -> ConnectionPool:
    return ConnectionPool(lambda: _new_connection(service), _AT_ONCE)


def _new_connection(service: str) -> SharedConnection:
    place = endpoint(service, os.environ)
    host, _ = host_and_port(place.partition("://")[2])
    return SharedConnection(Connection(place, contexts(host, os.environ)))
