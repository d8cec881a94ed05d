"""The table of data in docs/architecture.md names the items that the stores own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.stores.test_stored_formats import WRITERS, written
from zoom_common.erasure.stores import STORES, TableName, kind_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
ROWS = re.findall(
    r"^\| (Connections|Events|Coordination) \| `(\w+)` \| `([^`]+)` \| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE
)


def owner(table: str, pk: str, sk: str) -> tuple[str, str] | None:
    """The store that owns an item with these keys, and its kind."""
    found = kind_of(TableName[table.upper()], {"pk": pk, "sk": sk})
    return (getattr(found[0], "__name__", ""), found[1]) if found else None


SHOWN = {(table, owner(table, pk, sk)) for table, _, pk, sk in ROWS}


@pytest.mark.parametrize(("table", "store", "pk", "sk"), ROWS)
def test_an_item_of_the_page_belongs_to_its_store(table: str, store: str, pk: str, sk: str) -> None:
    """The keys are those that the store declares as its own."""
    found = owner(table, pk, sk)
    assert found is not None
    assert found[0] == store


def test_the_page_has_every_kind_of_item() -> None:
    """Each that a store declares as its own."""
    owned = {
        (table.name.title(), (getattr(store, "__name__", ""), kind))
        for table, stores in STORES.items()
        for store in stores
        for kind in store.OWNED_KEYS
    }
    assert owned == SHOWN


@pytest.mark.parametrize("kind", WRITERS)
def test_what_stores_write_is_on_the_page(kind: str) -> None:
    """Every item with a pinned format has a row on the page."""
    for name in written(WRITERS[kind]):
        table, pk, sk = name.split(" ")
        assert (table.title(), owner(table, pk, sk)) in SHOWN, name
