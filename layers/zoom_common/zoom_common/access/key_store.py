"""API keys in DynamoDB: one item per key, found by its id, and a pointer to it in its tenant's partition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.access.keys import LIMIT_RULE, ApiKey, Credential, is_limit
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import Conflict, FieldError, GatewayError, InvalidRequest, NotFound

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

type Item = Mapping[str, Any]

_TIMES = ("created_at", "valid_until", "revoked_at", "previous_until")


def key_of(key_id: str) -> dict[str, Any]:
    """Return the key of the item with this key id. It does not contain the tenant, which is not known at look-up."""
    return {"pk": {"S": f"apikey#{key_id}"}, "sk": {"S": "apikey"}}


def tenant_partition(tenant: str) -> str:
    """Return the partition that lists a tenant's keys."""
    return f"{tenant}#apikeys"


def pointer_to(key: ApiKey) -> dict[str, Any]:
    """Return the item that lists a key under its tenant."""
    return {"pk": {"S": tenant_partition(key.tenant)}, "sk": {"S": key.key_id}}


def to_item(key: ApiKey) -> dict[str, Any]:
    """Return the whole record as an item. Values that are not set are left out."""
    item: dict[str, Any] = {
        **key_of(key.key_id),
        "key_id": {"S": key.key_id},
        "tenant": {"S": key.tenant},
        "name": {"S": key.name},
        "scopes": {"SS": sorted(key.scopes)},
        "digest": {"B": key.digest},
    }
    if key.connection is not None:
        item["connection"] = {"S": key.connection}
    if key.previous_digest is not None:
        item["previous_digest"] = {"B": key.previous_digest}
    if key.requests_per_minute is not None:
        item["requests_per_minute"] = {"N": str(key.requests_per_minute)}
    times = {name: getattr(key, name) for name in _TIMES}
    return item | {name: {"N": str(at)} for name, at in times.items() if at is not None}


def from_item(item: Item) -> ApiKey:
    """Return the record in an item. Unknown attributes are ignored."""

    def time(name: str) -> float | None:
        return float(item[name]["N"]) if name in item else None

    return ApiKey(
        key_id=item["key_id"]["S"],
        tenant=item["tenant"]["S"],
        name=item["name"]["S"],
        scopes=frozenset(item["scopes"]["SS"]),
        digest=item["digest"]["B"],
        created_at=float(item["created_at"]["N"]),
        connection=item.get("connection", {}).get("S"),
        valid_until=time("valid_until"),
        revoked_at=time("revoked_at"),
        previous_digest=item.get("previous_digest", {}).get("B"),
        previous_until=time("previous_until"),
        requests_per_minute=int(item["requests_per_minute"]["N"]) if "requests_per_minute" in item else None,
    )


_UNAVAILABLE = "key_store_unavailable"


def _no_such_key() -> NotFound:
    return NotFound("There is no such key.")


class ApiKeyStore:
    """API keys in the Connections table. Every method raises Unavailable when the table cannot be asked."""

    OWNED_KEYS: ClassVar = {
        "api_keys": (r"apikey#.+", r"apikey"),
        "api_key_pointers": (r"[^#]+#apikeys", r".+"),
    }

    def __init__(self, connections: Table) -> None:
        self._table = connections.with_reason(_UNAVAILABLE)

    def get(self, key_id: str) -> ApiKey | None:
        """Return the key as last written (a consistent read), or None."""
        item = self._table.call("get_item", Key=key_of(key_id), ConsistentRead=True).get("Item")
        return from_item(item) if item else None

    def add(self, key: ApiKey) -> None:
        """Store a new key. Raises Conflict when its id is taken."""
        writes: Any = [
            {"Put": {"TableName": self._table.name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
            for item in (to_item(key), pointer_to(key))
        ]
        try:
            self._table.transact(writes)
        except ConditionFailed:
            raise Conflict("The key id is taken.", reason="key_exists") from None

    def list(self, tenant: str) -> list[ApiKey]:
        """Return the tenant's keys, oldest first, with revoked and expired ones."""
        pages = self._table.pages(
            "query",
            KeyConditionExpression="pk = :tenant",
            ExpressionAttributeValues={":tenant": {"S": tenant_partition(tenant)}},
            ConsistentRead=True,
        )
        ids = [pointer["sk"]["S"] for page in pages for pointer in page["Items"]]
        keys = [from_item(item) for item in self._table.batch_get(key_of(each) for each in ids)]
        return sorted(keys, key=lambda key: (key.created_at, key.key_id))

    def revoke(self, key_id: str, *, now: float) -> ApiKey:
        """Revoke the key for good, and return it. Repeating it changes nothing. Raises NotFound."""
        return self._update(key_id, "SET revoked_at = if_not_exists(revoked_at, :now)", {":now": {"N": str(now)}})

    def limit(self, key_id: str, requests_per_minute: int | None) -> ApiKey:
        """Set the key's limit of requests per minute; None means the gateway's default.

        Raises NotFound and InvalidRequest.
        """
        if not is_limit(requests_per_minute):
            raise InvalidRequest([FieldError("requests_per_minute", LIMIT_RULE)])
        if requests_per_minute is None:
            return self._update(key_id, "REMOVE requests_per_minute", {})
        limit = {":limit": {"N": str(requests_per_minute)}}
        return self._update(key_id, "SET requests_per_minute = :limit", limit)

    def rotate(self, key_id: str, credential: Credential, *, now: float, overlap: float) -> ApiKey:
        """Replace the key's secret by that of `credential`. The previous secret stays valid for `overlap` seconds.

        An older one ends at once. Raises NotFound, and Conflict when the key has ended or somebody else is changing it.
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
        """Return whether an erasure deletes a key or its pointer: with the tenant, or with the person's connection."""
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
        """Apply `change` and return the key. Raises the error that `failed` makes when `condition` does not hold."""
        # DynamoDB refuses an empty set of values.
        said: Any = {"ExpressionAttributeValues": values} if values else {}
        try:
            answer = self._table.call(
                "update_item",
                Key=key_of(key_id),
                UpdateExpression=change,
                ConditionExpression=condition,
                ReturnValues="ALL_NEW",
                **said,
            )
        except ConditionFailed:
            raise failed() from None
        return from_item(answer["Attributes"])
