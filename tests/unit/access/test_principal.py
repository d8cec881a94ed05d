"""What a principal may do, and its way through the authorizer context."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.access.principal import NAMED_ONLY, SCOPES, Principal

PRINCIPALS = st.builds(
    Principal,
    tenant=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    subject=st.text(min_size=1),
    scopes=st.frozensets(st.sampled_from(sorted(SCOPES))),
    connection=st.none() | st.text(min_size=1),
    requests_per_minute=st.none() | st.integers(1, 600_000),
)


def test_a_scope_is_held_exactly() -> None:
    """No scope implies another."""
    principal = Principal("acme", "key:a", frozenset({"meetings:write"}))
    assert principal.may("meetings:write")
    assert not principal.may("meetings:read")
    assert not principal.may("meetings")


def test_a_star_holds_every_scope() -> None:
    """One scope stands for all, known or new."""
    assert Principal("acme", "key:a", frozenset({"*"})).may("reports:read")


@pytest.mark.parametrize("scope", sorted(NAMED_ONLY))
def test_a_star_leaves_out_what_has_to_be_named(scope: str) -> None:
    """The pass-through, and what sees the whole stack."""
    assert not Principal("acme", "key:a", SCOPES - {scope}).may(scope)
    assert Principal("acme", "key:a", frozenset({scope})).may(scope)


@given(PRINCIPALS)
def test_a_principal_survives_the_authorizer(principal: Principal) -> None:
    """What the authorizer writes is what the functions read, in strings only."""
    context = principal.to_context()
    assert all(isinstance(value, str) for value in context.values())
    assert Principal.from_context(context) == principal


@pytest.mark.parametrize("name", [None, "Booking <app>"])
def test_the_name_of_a_key_survives_the_authorizer(name: str | None) -> None:
    """Consent pages show it. It does not make another caller of a principal."""
    principal = Principal("acme", "key:a", frozenset({"*"}), name=name)
    read = Principal.from_context(principal.to_context())
    assert read == Principal("acme", "key:a", frozenset({"*"}))
    assert read is not None
    assert read.name == name


@pytest.mark.parametrize(
    "context",
    [None, {}, {"denied": "unknown_key"}, {"principal": "{"}, {"principal": "[]"}, {"principal": '{"tenant":"a"}'}],
)
def test_a_context_without_a_principal_is_none(context: dict[str, str] | None) -> None:
    """Nobody is let in on a context that cannot be read."""
    assert Principal.from_context(context) is None
