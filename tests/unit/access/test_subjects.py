"""Who a principal is: an API key or a person."""

from __future__ import annotations

import pytest

from zoom_common.access.principal import Principal


@pytest.mark.parametrize(
    ("subject", "key"),
    [("key:k1", True), ("key:", True), ("key", False), ("keyring:ada", False), ("ada", False), ("Key:k1", False)],
)
def test_a_key_is_known_by_its_prefix(subject: str, *, key: bool) -> None:
    """A person whose identifier begins with the prefix of keys is not a key."""
    assert Principal("acme", subject, frozenset()).is_key is key
