"""How an API key stands in DynamoDB: its key, its item, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoom_common.access.keys import ApiKey

type Item = Mapping[str, Any]

_TIMES = ("created_at", "valid_until", "revoked_at", "previous_until")


def key_of(key_id: str) -> dict[str, Any]:
    """Where the key with this id is: known before its tenant is."""
    return {"pk": {"S": f"apikey#{key_id}"}, "sk": {"S": "apikey"}}


def tenant_partition(tenant: str) -> str:
    """The partition that lists a tenant's keys."""
    return f"{tenant}#apikeys"


def pointer_to(key: ApiKey) -> dict[str, Any]:
    """The item that lists a key under its tenant."""
    return {"pk": {"S": tenant_partition(key.tenant)}, "sk": {"S": key.key_id}}


def to_item(key: ApiKey) -> dict[str, Any]:
    """The whole record. What is not set is not there."""
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
    """The record an item holds. Attributes it does not know are left alone."""

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
