"""A DynamoDB that throttles whatever it is asked: the outage that a store has to survive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient


class _Throttled:
    """Every operation fails as DynamoDB's do after the last try."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def refused(**_: Any) -> None:
            response: Any = {
                "Error": {"Code": "ThrottlingException", "Message": "the item jill@zoom.example"},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
            raise ClientError(response, operation)

        return refused


def throttled() -> DynamoDBClient:
    """A client of it."""
    return cast("DynamoDBClient", _Throttled())
