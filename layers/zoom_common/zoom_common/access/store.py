"""Where API keys are kept: one item per key, found by its id, and a pointer to it under its tenant.

The end of a key's life is `valid_until`, not the table's TTL attribute: an expired key stays listed and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import batched
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.access.items import Item, from_item, key_of, pointer_to, tenant_partition, to_item
from zoom_common.access.keys import LIMIT_RULE, ApiKey, Credential, is_limit
from zoom_common.aws_api.failures import translated
from zoom_common.errors import Conflict, FieldError, GatewayError, InvalidRequest, NotFound

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient

    from zoom_common.erasure_target import ErasureTarget, StoredItem

_LARGEST_BATCH = 100


def _no_such_key() -> NotFound:
    return NotFound("There is no such key.")


class ApiKeyStore:
    """API keys in the Connections table. Every method raises Unavailable when the table cannot be asked."""

    OWNED_KEYS: ClassVar = {
        "api_keys": (r"apikey#.+", r"apikey"),
        "api_key_pointers": (r"[^#]+#apikeys", r".+"),
    }

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, key_id: str) -> ApiKey | None:
        """The key as last written (a consistent read), or None."""
        with _reachable():
            answer = self._dynamodb.get_item(TableName=self._table, Key=key_of(key_id), ConsistentRead=True)
        item = answer.get("Item")
        return from_item(item) if item else None

    def add(self, key: ApiKey) -> None:
        """Keep a new key. Raises Conflict when its id is taken."""
        writes: Any = [
            {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
            for item in (to_item(key), pointer_to(key))
        ]
        with _reachable(lambda: Conflict("The key id is taken.", reason="key_exists")):
            self._dynamodb.transact_write_items(TransactItems=writes)

    def list(self, tenant: str) -> list[ApiKey]:
        """The tenant's keys, revoked and expired ones too, oldest first."""
        with _reachable():
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :tenant",
                ExpressionAttributeValues={":tenant": {"S": tenant_partition(tenant)}},
                ConsistentRead=True,
            )
            ids = [pointer["sk"]["S"] for page in pages for pointer in page["Items"]]
            batches = batched(ids, _LARGEST_BATCH, strict=False)
            keys = [from_item(item) for batch in batches for item in self._items(batch)]
        return sorted(keys, key=lambda key: (key.created_at, key.key_id))

    def _items(self, key_ids: Iterable[str]) -> Iterator[Item]:
        asked: Any = {self._table: {"Keys": [key_of(each) for each in key_ids], "ConsistentRead": True}}
        while asked:
            answer = self._dynamodb.batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(self._table, [])
            asked = answer.get("UnprocessedKeys")

    def revoke(self, key_id: str, *, now: float) -> ApiKey:
        """End the key for good; doing so again changes nothing. Raises NotFound."""
        return self._update(key_id, "SET revoked_at = if_not_exists(revoked_at, :now)", {":now": {"N": str(now)}})

    def limit(self, key_id: str, requests_per_minute: int | None) -> ApiKey:
        """Let the key ask so often, None: as often as the gateway's default. Raises NotFound, and InvalidRequest."""
        if not is_limit(requests_per_minute):
            raise InvalidRequest([FieldError("requests_per_minute", LIMIT_RULE)])
        if requests_per_minute is None:
            return self._update(key_id, "REMOVE requests_per_minute", {})
        limit = {":limit": {"N": str(requests_per_minute)}}
        return self._update(key_id, "SET requests_per_minute = :limit", limit)

    def rotate(self, key_id: str, credential: Credential, *, now: float, overlap: float) -> ApiKey:
        """Give the key the secret of `credential`; the former one goes on for `overlap` seconds, any older one ends.

        Raises NotFound, and Conflict when the key has ended or is being changed by someone else.
        """
        key = self.get(key_id)
        if key is None:
            raise _no_such_key()
        if key.ended(now=now):
            raise Conflict("The key has ended: create a new one.", reason="key_ended")
        return self._update(
            key_id,
            "SET digest = :new, previous_digest = :seen, previous_until = :until",
            {
                ":new": {"B": credential.digest()},
                ":seen": {"B": key.digest},
                ":until": {"N": str(now + max(0.0, overlap))},
            },
            condition="digest = :seen AND attribute_not_exists(revoked_at)",
            failed=lambda: Conflict("The key has just been changed.", reason="key_changed"),
        )

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a key or its pointer goes: the tenant's, for a person those bound to their connection."""
        if item["sk"] != "apikey":
            owned = target.owns(str(item["pk"]).removesuffix("#apikeys"))
            return owned and (target.whole_tenant or item["sk"] in target.key_ids)
        bound = item.get("connection") in target.connection_ids
        return target.owns(item["tenant"]) and (target.whole_tenant or bound)

    def _update(
        self,
        key_id: str,
        change: str,
        values: Mapping[str, Any],
        *,
        condition: str = "attribute_exists(pk)",
        failed: Callable[[], GatewayError] = _no_such_key,
    ) -> ApiKey:
        """The key after `change`. Raises what `failed` makes when the key is not as `condition` wants it."""
        # DynamoDB refuses an empty set of values.
        said: Any = {"ExpressionAttributeValues": values} if values else {}
        with _reachable(failed):
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=key_of(key_id),
                UpdateExpression=change,
                ConditionExpression=condition,
                ReturnValues="ALL_NEW",
                **said,
            )
        return from_item(answer["Attributes"])


def _reachable(condition_failed: Callable[[], GatewayError] | None = None) -> AbstractContextManager[None]:
    """Give a failed condition its meaning, and turn every other failure of the table into Unavailable."""

    def meaning(error: ClientError) -> GatewayError | None:
        return condition_failed() if condition_failed is not None and _is_failed_condition(error) else None

    return translated("key_store_unavailable", meaning, keep_cause=True)


def _is_failed_condition(error: ClientError) -> bool:
    reasons: Any = error.response.get("CancellationReasons", [])
    codes = {error.response["Error"]["Code"], *(reason.get("Code") for reason in reasons)}
    return not codes.isdisjoint({"ConditionalCheckFailedException", "ConditionalCheckFailed"})
