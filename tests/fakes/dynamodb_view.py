"""What a store keeps, as a mapping: for tests to look at and to put there what a store's methods do not write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field

from tests.fakes.dynamodb import StoredTable
from tests.fakes.dynamodb_expressions import Item


@dataclass(slots=True, kw_only=True, eq=False)
class View[K, V](MutableMapping[K, V]):
    """The items of one kind. `name_of` gives an item's name, and None for an item of another kind.

    Names are in the order in which partitions, and items in them, came to be.
    """

    table: StoredTable
    place_of: Callable[[K], tuple[str, str]]
    name_of: Callable[[str, str], K | None]
    read: Callable[[Item], V]
    write: Callable[[K, V], object]
    _known: dict[tuple[str, str], tuple[Item, V]] = field(default_factory=dict)

    def __getitem__(self, name: K) -> V:
        place = self.place_of(name)
        item = self.table.find(place)
        if item is None:
            raise KeyError(name)
        known = self._known.get(place)
        if known is None or known[0] is not item:  # an item that changes is another one
            known = self._known[place] = item, self.read(item)
        return known[1]

    def __setitem__(self, name: K, value: V) -> None:
        self.write(name, value)

    def __delitem__(self, name: K) -> None:
        pk, sk = self.place_of(name)
        del self.table.partitions[pk][sk]

    def __iter__(self) -> Iterator[K]:
        places = [(pk, sk) for pk, items in self.table.partitions.items() for sk in items]
        return iter([name for pk, sk in places if (name := self.name_of(pk, sk)) is not None])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))
