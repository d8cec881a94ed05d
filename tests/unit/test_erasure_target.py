"""Who an erasure is about: whole values only, at any depth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import InvalidRequest

ID, EMAIL = "annAnnAnnAnnAnn0", "ann@x.example"
ANN = ErasureTarget.person("acme", zoom_user_id=ID, email="Ann@X.example")
NEAR = st.sampled_from(
    [
        ID[:-1],
        f"{ID}0",
        f"x{ID}",
        ID.swapcase(),
        f"users/{ID}",
        "joann@x.example",
        "ann@x.example.org",
        f"<{EMAIL}>",
        "e",
        "",
    ]
)
LEAVES = st.one_of(NEAR, st.text(max_size=40), st.integers(), st.none(), st.booleans())
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NEAR, inner, max_size=4), max_leaves=12
)


def wrapped(document: Any, value: str, path: list[bool]) -> Any:
    """The document with the value in it, as deep as the path."""
    inner: Any = value
    for as_list in path:
        inner = [document, inner] if as_list else {"a": document, "b": inner}
    return inner


@given(DOCUMENTS)
def test_nothing_near_counts(document: Any) -> None:
    """Parts, extensions and other cases of an id, and longer addresses, name somebody else or nobody."""
    assert not ANN.is_named_in(document)
    assert not ANN.is_named_in_json(json.dumps(document).encode())


@given(DOCUMENTS, st.sampled_from([ID, ID.lower(), EMAIL, EMAIL.upper()]), st.lists(st.booleans(), max_size=6))
def test_a_whole_value_counts_at_any_depth(document: Any, value: str, path: list[bool]) -> None:
    """The id, as Zoom also writes it in lower case, and the address in any case of letters."""
    assert ANN.is_named_in_json(json.dumps(wrapped(document, value, path)).encode())
    assert ANN.is_named_in_json(json.dumps({value: document}).encode())


def test_a_document_may_be_deep_or_broken() -> None:
    """What Python cannot decode is searched for quoted values."""
    deep = f'"{EMAIL}"'.join(["[" * 200_000, "]" * 200_000]).encode()
    assert ANN.is_named_in_json(deep)
    assert ANN.is_named_in_json(b'{"id": "' + ID.encode() + b'", \xff')
    assert not ANN.is_named_in_json(b'{"id": "x' + ID.encode() + b'", \xff')


@given(st.from_regex(r"[A-Za-z0-9_-]{16,64}", fullmatch=True))
def test_zoom_user_ids_are_taken_as_they_are(value: str) -> None:
    """Sixteen to 64 letters, digits, underscores and hyphens."""
    assert ErasureTarget.person("acme", zoom_user_id=value).names([value])


@pytest.mark.parametrize("value", ["e", "me", "a" * 15, "a" * 65, f"{ID} ", f"{ID}\n", f"{ID}#", "ä" * 16, "*"])
def test_other_ids_are_refused(value: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidRequest) as refused:
        ErasureTarget.person("acme", zoom_user_id=value)
    assert [each.field for each in refused.value.fields] == ["zoom_user_id"]
