"""A DynamoDB whose first answer to every write is lost: the write is applied, and the client sends it again.

The AWS SDKs do so by themselves after a timeout or a 500, below every store of ours.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

WRITES = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})


class Repeated:
    """Carries every write out twice, and gives the second answer.

    A repeated transaction with the same token changes nothing and succeeds, as AWS says:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """

    def __init__(self, dynamodb: DynamoDBClient) -> None:
        self._dynamodb: Any = dynamodb

    def client(self) -> DynamoDBClient:
        """Return what stores are given."""
        return cast("DynamoDBClient", self)

    def __getattr__(self, operation: str) -> Any:
        if operation not in WRITES:
            return getattr(self._dynamodb, operation)
        return lambda **request: self._write(operation, request)

    def _write(self, operation: str, request: dict[str, Any]) -> Any:
        if operation == "transact_write_items":
            assert request.get("ClientRequestToken"), "without a token, a repeated transaction is another one"
            return self._dynamodb.transact_write_items(**request)
        with suppress(ClientError):
            getattr(self._dynamodb, operation)(**request)
        return getattr(self._dynamodb, operation)(**request)
