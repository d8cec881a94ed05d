"""From an Authorization header to a principal or a reason."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.fakes.access_stores import MemoryApiKeys
from zoom_common.access.authentication import Denial, authenticate
from zoom_common.access.keys import Credential, issue
from zoom_common.access.principal import Principal

NOW = 1_800_000_000.0
CREDENTIAL = Credential.generate(entropy=lambda size: b"\x5a" * size)  # the same in every test process
KEY = issue(CREDENTIAL, tenant="acme", name="reports", scopes=["meetings:read"], now=NOW, valid_until=NOW + 100)
TEXT = CREDENTIAL.text().reveal()


@pytest.mark.parametrize("header", [f"Bearer {TEXT}", f"bearer {TEXT}", f"  BEARER   {TEXT} "])
def test_a_key_names_its_principal(header: str) -> None:
    """The scheme is not case-sensitive; spaces around do not matter."""
    assert authenticate(header, MemoryApiKeys(KEY), now=NOW) == KEY.principal()


@pytest.mark.parametrize(
    "header", ["", "Bearer", TEXT, f"Basic {TEXT}", "Bearer x", f"Bearer {TEXT} x", f"Bearer{TEXT}"]
)
def test_a_malformed_header_does_not_reach_the_store(header: str) -> None:
    """Noise from the internet costs no read."""
    keys = MemoryApiKeys(KEY)
    assert authenticate(header, keys, now=NOW) == Denial("malformed_credential")
    assert keys.asked == 0


def test_each_no_has_its_reason() -> None:
    """Denials distinguish unknown, wrong and expired keys."""
    wrong = Credential.generate(key_id=KEY.key_id).text().reveal()
    assert authenticate(f"Bearer {TEXT}", MemoryApiKeys(), now=NOW) == Denial("unknown_key")
    assert authenticate(f"Bearer {wrong}", MemoryApiKeys(KEY), now=NOW) == Denial("wrong_secret")
    assert authenticate(f"Bearer {TEXT}", MemoryApiKeys(KEY), now=NOW + 100) == Denial("expired_key")


def test_a_store_that_is_down_is_a_denial_with_a_cause() -> None:
    """Operators see what AWS said, by its code; callers see that it is not their fault."""
    refused = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "arn"}}, "GetItem")
    gone = EndpointConnectionError(endpoint_url="http://localhost")
    assert authenticate(f"Bearer {TEXT}", MemoryApiKeys(down=refused), now=NOW) == Denial(
        "internal_error", "AccessDeniedException"
    )
    assert authenticate(f"Bearer {TEXT}", MemoryApiKeys(down=gone), now=NOW) == Denial(
        "unavailable", "EndpointConnectionError"
    )


def test_the_context_of_a_denial_is_its_reason_alone() -> None:
    """The cause is for the log."""
    assert Denial("unavailable", "AccessDeniedException").to_context() == {"denied": "unavailable"}


class People:
    """Judges every token the same way."""

    def verify(self, token: str, *, now: float) -> Principal | Denial:
        assert now == NOW
        return Principal("acme", token, frozenset())


def test_a_token_goes_to_the_judge_of_tokens_and_a_key_does_not() -> None:
    """What has three parts is a token; without a judge it is noise."""
    text = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
    assert authenticate(f"Bearer {text}", MemoryApiKeys(KEY), now=NOW, tokens=People()) == Principal(
        "acme", text, frozenset()
    )
    assert authenticate(f"Bearer {TEXT}", MemoryApiKeys(KEY), now=NOW, tokens=People()) == KEY.principal()
    assert authenticate(f"Bearer {text}", MemoryApiKeys(KEY), now=NOW) == Denial("malformed_credential")
    assert authenticate(f"Bearer {text * 400}", MemoryApiKeys(KEY), now=NOW, tokens=People()) == Denial(
        "malformed_credential"
    )
