"""What a tenant or a connection wants to have archived."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.archive.policy import Policy
from zoom_common.erasure_target import ErasureTarget

pytestmark = pytest.mark.aws


def test_a_connections_policy_counts_before_its_tenants(dynamodb: DynamoDBClient) -> None:
    """Without any, nothing is archived; when a connection's own ends, the tenant's counts again."""
    store = factories.policies(dynamodb)
    assert not store.effective("acme", "con_1").enabled
    store.put("acme", Policy(retention_days=30), connection=None, now=1.0)
    store.put("acme", Policy(enabled=False), connection="con_1", now=1.0)
    assert store.effective("acme", "con_2") == store.effective("acme", None) == Policy(retention_days=30)
    assert store.effective("acme", "con_1") == Policy(enabled=False)
    assert store.get("acme", "con_2") is None
    assert not store.effective("other", None).enabled
    store.delete("acme", "con_1")
    assert store.effective("acme", "con_1") == Policy(retention_days=30)


def test_a_policy_is_stored_whole(dynamodb: DynamoDBClient) -> None:
    """Every member comes back as it was."""
    store = factories.policies(dynamodb)
    policy = Policy(
        key_template="{host}/{id}",
        storage_class="STANDARD",
        cold_after_days=90,
        trash_after_days=3,
        delete_after_days=4,
    )
    store.put("acme", policy, connection=None, now=1.0)
    assert store.get("acme", None) == policy


def test_an_erasure_takes_policies(dynamodb: DynamoDBClient) -> None:
    """The tenant's with the tenant, a connection's also with the person who had it."""
    store = factories.policies(dynamodb)
    tenants, own = ({"pk": "acme#archive-policy", "sk": each} for each in ("policy", "connection#con_1"))
    whole, person = ErasureTarget.tenant_as_a_whole("acme"), ErasureTarget.person("acme", email="jill@zoom.example")
    had = ErasureTarget(tenant="acme", connection_ids=frozenset({"con_1"}))
    assert store.erases(tenants, whole)
    assert store.erases(own, had)
    assert not store.erases(tenants, had)
    assert not store.erases(own, person)
    assert not store.erases(own, ErasureTarget.tenant_as_a_whole("other"))
