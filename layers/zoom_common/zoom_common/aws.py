"""AWS clients: one session per container, each client made when first asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# Short tries and few of them: a Lambda's own deadline is the outer bound, and every store decides what a failure means.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
# A synchronous invoke waits for the other function: longer than that function may take, and never twice.
_INVOKE = Config(connect_timeout=2, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 1})
# The authorizer's caller waits ten seconds and then answers 500: better to have said "unavailable" before.
_IMPATIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()


@overload
def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(service: Literal["events"]) -> EventBridgeClient: ...
@overload
def client(service: Literal["kms"]) -> KMSClient: ...
@overload
def client(service: Literal["lambda"]) -> LambdaClient: ...
@overload
def client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
@overload
def client(service: Literal["sqs"]) -> SQSClient: ...
@cache
def client(service: Any) -> Any:
    """The container's client for `service`; endpoint, region and credentials come from the environment."""
    return _session().client(service, config=_INVOKE if service == "lambda" else _CONFIG)


@cache
def impatient_dynamodb() -> DynamoDBClient:
    """A DynamoDB client whose calls end within about seven seconds, for reads that somebody waits for."""
    return _session().client("dynamodb", config=_IMPATIENT)
