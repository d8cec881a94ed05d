"""The container's light clients, for functions that a person or Zoom waits for; `zoom_common.aws` has boto3's.

Endpoint, region and credentials come from the environment, by the names that every AWS SDK reads:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from zoom_common.aws_api.caller import Caller, Line, Patience
from zoom_common.aws_api.https_client import Connection, host_and_port, origin
from zoom_common.aws_api.service_client import SERVICES, JsonClient, LambdaClient
from zoom_common.aws_api.sigv4 import Credentials, Scope
from zoom_common.aws_api.trust import contexts
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient as FullLambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

# As `zoom_common.aws` has them: short tries and few of them.
_PATIENT = Patience(seconds=5.0, tries=3)
# As there: a synchronous invoke waits for the other function, and never twice.
_INVOKE = Patience(seconds=30.0, tries=1)
# For reads that somebody waits for. The authorizer's caller waits ten seconds and then answers 500.
_IMPATIENT = Patience(seconds=2.0, tries=2)

# What a service's own variable ends in, where that is not its name.
_VARIABLES = {"events": "EVENTBRIDGE", "secretsmanager": "SECRETS_MANAGER"}
_SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}


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
@cache
def client(service: str) -> Any:
    """The container's client for `service`."""
    if service == "lambda":
        return LambdaClient(_caller(service, _INVOKE))
    return JsonClient(SERVICES[service], _caller(service, _PATIENT))


@cache
def impatient_dynamodb() -> DynamoDBClient:
    """A DynamoDB client whose calls end within a few seconds, over the same connection as the other."""
    return cast("DynamoDBClient", JsonClient(SERVICES["dynamodb"], _caller("dynamodb", _IMPATIENT)))


def forget() -> None:
    """Make the next clients new ones."""
    cached: Any
    for cached in (client, impatient_dynamodb, _line):
        cached.cache_clear()


def endpoint(service: str, environ: Mapping[str, str]) -> str:
    """Where a service is: the standard overrides first, else its public endpoint in the function's region."""
    override = environ.get(f"AWS_ENDPOINT_URL_{_VARIABLES.get(service, service.upper())}")
    override = override or environ.get("AWS_ENDPOINT_URL")
    if override:
        return origin(override)
    region = _region(environ)
    suffix = next((each for start, each in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
    return f"https://{service}.{region}.{suffix}"


def credentials(environ: Mapping[str, str]) -> Callable[[], Credentials]:
    """The role's, for a client's life, from Lambda's variables: boto3 reads those once as well.

    Where they are not there (SnapStart), boto3 knows where else to look, and when to look again.
    """
    if not environ.get("AWS_ACCESS_KEY_ID"):
        return _of_boto3
    found = Credentials.from_env(environ)
    return lambda: found


def _of_boto3() -> Credentials:
    found = _session().get_credentials()
    if found is None:
        raise OSError("no credentials")
    frozen = found.get_frozen_credentials()
    return Credentials(frozen.access_key, Secret(frozen.secret_key), Secret(frozen.token) if frozen.token else None)


@cache
def _session() -> Any:
    import botocore.session  # noqa: PLC0415 - what these clients are there to avoid

    return botocore.session.get_session()


def _caller(service: str, patience: Patience) -> Caller:
    return Caller(
        scope=Scope(service, _region(os.environ)),
        host=endpoint(service, os.environ).partition("://")[2],
        line=_line(service),
        credentials=credentials(os.environ),
        clock=time.time,
        sleep=time.sleep,
        random=random.random,
        patience=patience,
    )


@cache
def _line(service: str) -> Line:
    place = endpoint(service, os.environ)
    host, _ = host_and_port(place.partition("://")[2])
    return Line(Connection(place, contexts(host, os.environ)))


def _region(environ: Mapping[str, str]) -> str:
    return environ.get("AWS_REGION") or environ["AWS_DEFAULT_REGION"]
