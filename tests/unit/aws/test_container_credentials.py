"""The role's credentials at an address: read when they are needed, and again before they end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from zoom_common.aws.container_credentials import ContainerCredentials
from zoom_common.aws.sigv4 import Credentials
from zoom_common.secret import Secret

_LIFE = 3600.0


@dataclass
class Address:
    """Hands out credentials that live for an hour; `away` while it cannot be reached."""

    now: float = 1_000_000.0
    away: bool = False
    said: bytes | None = None
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def __call__(self, address: str, headers: Mapping[str, str]) -> bytes:
        self.asked.append((address, headers))
        if self.away:
            raise OSError("refused")
        ends = datetime.fromtimestamp(self.now + _LIFE, UTC).isoformat().replace("+00:00", "Z")
        role = {"AccessKeyId": f"A{len(self.asked)}", "SecretAccessKey": "s", "Token": "t", "Expiration": ends}
        return json.dumps(role).encode() if self.said is None else self.said

    def clock(self) -> float:
        return self.now


ENVIRON = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://x/role", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "mine"}


def role(address: Address) -> ContainerCredentials:
    return ContainerCredentials(ENVIRON, address.clock, address)


def test_nothing_is_read_before_a_request_needs_it() -> None:
    """A snapshot taken before holds no credentials; then they are read once, with the token of the environment."""
    address = Address()
    found = role(address)
    assert address.asked == []
    assert found() == found() == Credentials("A1", Secret("s"), Secret("t"))
    assert address.asked == [("http://x/role", {"authorization": "mine"})]


def test_they_are_read_again_before_they_end() -> None:
    """Also when the clock has moved on by months between the snapshot and its restore."""
    address = Address()
    found = role(address)
    found()
    address.now += _LIFE - 301
    assert found().access_key_id == "A1"
    address.now += 2
    assert found().access_key_id == "A2"
    address.now += 90 * 86_400
    assert found().access_key_id == "A3"


def test_the_last_ones_go_on_while_the_address_is_away() -> None:
    """Until they end, and the address is asked every ten seconds only; then nobody can sign."""
    address = Address()
    found = role(address)
    found()
    address.now, address.away = address.now + _LIFE - 100, True
    assert [found().access_key_id for _ in range(3)] == ["A1"] * 3
    assert len(address.asked) == 2
    address.now += 101
    with pytest.raises(OSError, match="no credentials"):
        found()


@pytest.mark.parametrize(
    "said", [b"", b"[]", b"{}", b'{"AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": "?"}']
)
def test_an_answer_without_credentials_is_none(said: bytes) -> None:
    """What the address said is in no message."""
    with pytest.raises(OSError, match=r"^no credentials$"):
        role(Address(said=said))()
