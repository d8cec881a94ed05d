"""API keys in DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.access.key_store import ApiKeyStore, key_of
from zoom_common.access.keys import ApiKey, Credential, issue
from zoom_common.aws.table import Table
from zoom_common.errors import Conflict, InvalidRequest, NotFound, Unavailable

pytestmark = pytest.mark.aws

NOW = 1_800_000_000.25


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ApiKeyStore:
    """An empty store."""
    return factories.api_keys(dynamodb)


def new_key(credential: Credential, **changes: Any) -> ApiKey:
    """A valid key with these changes."""
    given: dict[str, Any] = {"tenant": "acme", "name": "reports", "scopes": ["meetings:read", "*"], "now": NOW}
    return issue(credential, **(given | changes))


def test_a_key_is_found_by_its_id_as_it_was_kept(store: ApiKeyStore) -> None:
    """A key is read back with every field set, and with only the required ones."""
    plain = new_key(Credential.generate())
    full = new_key(Credential.generate(), connection="con_1", valid_until=NOW + 60.5)
    for key in (plain, full):
        store.add(key)
        assert store.get(key.key_id) == key


def test_an_unknown_id_is_none(store: ApiKeyStore) -> None:
    """Not an error: the authorizer asks for whatever callers send."""
    assert store.get("abcdefghijkl") is None


def test_the_secret_is_not_in_the_table(store: ApiKeyStore, dynamodb: DynamoDBClient, connections_table: str) -> None:
    """Nor is anything an export of the table could be used to call with."""
    credential = Credential.generate()
    store.add(new_key(credential))
    assert credential.secret.reveal() not in repr(dynamodb.scan(TableName=connections_table)["Items"])


def test_an_id_is_given_once(store: ApiKeyStore) -> None:
    """A second key of the same id changes nothing of the first."""
    credential = Credential.generate()
    first = new_key(credential)
    store.add(first)
    with pytest.raises(Conflict):
        store.add(new_key(credential, tenant="other"))
    assert store.get(credential.key_id) == first
    assert store.list("other") == []


def test_a_tenant_lists_its_own_keys(store: ApiKeyStore) -> None:
    """The list has all of the tenant's keys, also beyond one batch, oldest first, with revoked and expired ones."""
    mine = [new_key(Credential.generate(), now=NOW + number) for number in range(103)]
    for key in reversed(mine):
        store.add(key)
    store.add(new_key(Credential.generate(), tenant="acme-2"))
    store.revoke(mine[0].key_id, now=NOW)
    assert store.list("acme") == [replace(mine[0], revoked_at=NOW), *mine[1:]]
    assert store.list("nobody") == []


def test_a_revocation_keeps_its_first_time(store: ApiKeyStore) -> None:
    """Revoking again changes nothing."""
    key = new_key(Credential.generate())
    store.add(key)
    assert store.revoke(key.key_id, now=NOW + 1).revoked_at == NOW + 1
    assert store.revoke(key.key_id, now=NOW + 2).revoked_at == NOW + 1
    assert store.get(key.key_id) == replace(key, revoked_at=NOW + 1)


def test_what_is_not_there_cannot_be_ended_or_renewed(store: ApiKeyStore) -> None:
    """And does not come into being by it."""
    with pytest.raises(NotFound):
        store.revoke("abcdefghijkl", now=NOW)
    with pytest.raises(NotFound):
        store.rotate("abcdefghijkl", Credential.generate(key_id="abcdefghijkl"), now=NOW, overlap=60)
    assert store.get("abcdefghijkl") is None


def test_a_rotation_keeps_the_former_secret_for_the_overlap(store: ApiKeyStore) -> None:
    """Two secrets at most: a second rotation ends the first one's overlap."""
    first = Credential.generate()
    second, third = (Credential.generate(key_id=first.key_id) for _ in range(2))
    store.add(new_key(first))
    rotated = store.rotate(first.key_id, second, now=NOW, overlap=60)
    assert store.get(first.key_id) == rotated
    assert [rotated.refusal(each, now=NOW) for each in (first, second)] == [None, None]
    assert [rotated.refusal(each, now=NOW + 60) for each in (first, second)] == ["expired_key", None]
    again = store.rotate(first.key_id, third, now=NOW + 1, overlap=0)
    outcomes = [again.refusal(each, now=NOW + 1) for each in (first, second, third)]
    assert outcomes == ["wrong_secret", "expired_key", None]


def test_a_key_that_has_ended_is_not_renewed(store: ApiKeyStore) -> None:
    """Revoked is for good, expired too."""
    revoked, expired = Credential.generate(), Credential.generate()
    store.add(new_key(revoked))
    store.revoke(revoked.key_id, now=NOW)
    store.add(new_key(expired, valid_until=NOW + 1))
    for each in (revoked, expired):
        with pytest.raises(Conflict):
            store.rotate(each.key_id, Credential.generate(key_id=each.key_id), now=NOW + 1, overlap=60)


def test_of_two_rotations_at_once_one_wins(
    store: ApiKeyStore, dynamodb: DynamoDBClient, connections_table: str
) -> None:
    """The second rotation raises Conflict, and the first one's secret stays current."""
    first = Credential.generate()
    winner, loser = (Credential.generate(key_id=first.key_id) for _ in range(2))
    store.add(new_key(first))

    class ReadsBeforeTheWinner(ApiKeyStore):
        def get(self, key_id: str) -> ApiKey | None:
            seen = super().get(key_id)
            store.rotate(key_id, winner, now=NOW, overlap=60)
            return seen

    with pytest.raises(Conflict):
        ReadsBeforeTheWinner(Table(dynamodb, connections_table)).rotate(first.key_id, loser, now=NOW, overlap=60)
    kept = store.get(first.key_id)
    assert kept is not None
    assert kept.refusal(winner, now=NOW) is None
    assert kept.refusal(loser, now=NOW) == "wrong_secret"


def test_what_a_later_version_adds_survives(
    store: ApiKeyStore, dynamodb: DynamoDBClient, connections_table: str
) -> None:
    """Unknown attributes are ignored when read and kept when written."""
    credential = Credential.generate()
    store.add(new_key(credential))
    dynamodb.update_item(
        TableName=connections_table,
        Key=key_of(credential.key_id),
        UpdateExpression="SET last_used = :now",
        ExpressionAttributeValues={":now": {"N": "1"}},
    )
    store.rotate(credential.key_id, Credential.generate(key_id=credential.key_id), now=NOW, overlap=60)
    item = dynamodb.get_item(TableName=connections_table, Key=key_of(credential.key_id))["Item"]
    assert item["last_used"] == {"N": "1"}


def test_a_table_that_fails_is_unavailable() -> None:
    """Every method says so, in place of what AWS says."""
    lost = factories.api_keys(factories.away())
    credential = Credential.generate()
    for attempt in (
        lambda: lost.get("abcdefghijkl"),
        lambda: lost.add(new_key(credential)),
        lambda: lost.list("acme"),
        lambda: lost.revoke("abcdefghijkl", now=NOW),
        lambda: lost.rotate("abcdefghijkl", credential, now=NOW, overlap=60),
    ):
        with pytest.raises(Unavailable):
            attempt()


def test_a_limit_is_set_and_taken_away(store: ApiKeyStore) -> None:
    """Nothing else of the key changes; a limit that is none is refused; no key comes of it."""
    key = new_key(Credential.generate())
    store.add(key)
    assert store.limit(key.key_id, 60) == replace(key, requests_per_minute=60)
    assert store.get(key.key_id) == replace(key, requests_per_minute=60)
    for _ in range(2):
        assert store.limit(key.key_id, None) == key
    with pytest.raises(InvalidRequest):
        store.limit(key.key_id, -1)
    for limit in (60, None):
        with pytest.raises(NotFound):
            store.limit("abcdefghijkl", limit)
    assert (store.get("abcdefghijkl"), store.get(key.key_id)) == (None, key)
