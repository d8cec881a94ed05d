"""What a value's `repr` never shows: bytes, headers, bodies, addresses, and what Zoom says about people.

A `repr` ends up in log lines and in the messages of exceptions. Secrets hide themselves, whatever they stand in.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator

import pytest

import zoom_common
from zoom_common.connections.cipher import SealContext, Sealer, SealKind
from zoom_common.events.webhook.message import Delivery
from zoom_common.secret import Secret

# Names of fields that hold, wherever they stand, what callers or Zoom sent, or who somebody is.
PRIVATE = {
    *("headers", "cookies", "query", "query_string", "body", "content", "data"),
    *("email", "zoom_user_ids", "return_url", "authorize_url"),
    *("latest", "earliest", "records", "participants"),
}
# A key as KMS wrapped it, which nobody opens without KMS; descriptions of parameters; a number of records.
SHOWN = {("Sealer", "wrapped_key"), ("Operation", "query"), ("PassedOperation", "query"), ("Deletion", "records")}


def values() -> Iterator[type]:
    """Yield every dataclass of the layer."""
    for module in pkgutil.walk_packages(zoom_common.__path__, "zoom_common."):
        for found in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(found) and found.__module__ == module.name and dataclasses.is_dataclass(found):
                yield found


FIELDS = [(kind, field) for kind in values() for field in dataclasses.fields(kind)]
HOLDING_PRIVATE = [
    pytest.param(kind, field, id=f"{kind.__name__}.{field.name}")
    for kind, field in FIELDS
    if (kind.__name__, field.name) not in SHOWN
    and "Secret" not in str(field.type)
    and "Callable" not in str(field.type)
    and (field.name in PRIVATE or str(field.type).startswith("bytes"))
]


@pytest.mark.parametrize(("kind", "field"), HOLDING_PRIVATE)
def test_a_private_field_is_not_shown(kind: type, field: dataclasses.Field[object]) -> None:
    """Neither what was sent or answered, nor sealed tokens, nor a person's address or ids."""
    assert not field.repr, f"{kind.__qualname__}.{field.name} needs field(repr=False)"


def test_there_are_private_fields() -> None:
    """A test over nothing would pass."""
    assert len(HOLDING_PRIVATE) > 35


def test_a_delivery_hides_its_body() -> None:
    """The webhook's own dataclasses are other ones; they hide as well."""
    delivery = Delivery(app="App", body=b"ada@acme.example", received_at_ms=1)
    assert "ada" not in repr(delivery)
    assert "App" in repr(delivery)


def test_a_sealer_shows_what_it_seals_for_and_no_key() -> None:
    """The context is made of ids only."""
    shown = repr(Sealer(SealContext("acme", "con_1", SealKind.ACCESS), b"wrapped", b"hush"))
    assert "con_1" in shown
    assert "hush" not in shown


@pytest.mark.parametrize("shown", ["{!r}", "{!s}", "{}", "{:>20}"])
def test_a_secret_shows_itself_in_no_format(shown: str) -> None:
    """All of Python's ways to turn a value into text say the same."""
    assert shown.format(Secret("hush")) == "Secret(***)"


@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_carried_elsewhere(carry: object) -> None:
    """A secret can be neither pickled nor copied."""
    assert callable(carry)
    with pytest.raises(TypeError, match="not serialised"):
        carry(Secret("hush"))


def test_secrets_compare_by_their_text() -> None:
    """Equal texts are equal secrets with one hash; other values are not equal to a secret; an empty one is false."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert bool(Secret("a")) is True
    assert bool(Secret("")) is False
