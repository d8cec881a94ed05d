"""Who is to be erased, and whether a stored item names them: only whole values count, never parts of a text.

Stores ask a target about their items, so this module is below all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from zoom_common.errors import FieldError, InvalidRequest

# A stored item with plain values. Every item has the text attributes `pk` and `sk`.
type StoredItem = Mapping[str, Any]

_ZOOM_USER_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureTarget:
    """One person of a tenant, or the whole tenant. `person` and `tenant_as_a_whole` make checked ones.

    The last five fields hold what was found about a person while their erasure runs, because items name them by it.
    """

    tenant: str
    whole_tenant: bool = False
    zoom_user_ids: frozenset[str] = field(default=frozenset(), repr=False)
    email: str | None = field(default=None, repr=False)
    """Case-folded."""
    connection_ids: frozenset[str] = frozenset()
    key_ids: frozenset[str] = frozenset()
    account_ids: frozenset[str] = frozenset()
    """The Zoom accounts that the tenant is connected to."""
    client_ids: frozenset[str] = frozenset()
    """The Zoom apps of the tenant's connections."""

    @classmethod
    def tenant_as_a_whole(cls, tenant: str) -> ErasureTarget:
        """Return the target for a whole tenant."""
        return cls(tenant=tenant, whole_tenant=True)

    @classmethod
    def person(cls, tenant: str, *, zoom_user_id: str | None = None, email: str | None = None) -> ErasureTarget:
        """Return the target for one person: Zoom user id, e-mail address or both. Raises InvalidRequest."""
        wrong = []
        if zoom_user_id is None and email is None:
            wrong.append(FieldError("zoom_user_id", "Required, unless `email` or `tenant` is given."))
        if zoom_user_id is not None and not is_zoom_user_id(zoom_user_id):
            wrong.append(FieldError("zoom_user_id", "A Zoom user id: 16 to 64 letters, digits, '_' or '-'; not 'me'."))
        if email is not None and not _EMAIL.fullmatch(email):
            wrong.append(FieldError("email", "A whole e-mail address."))
        if wrong:
            raise InvalidRequest(wrong)
        ids = frozenset[str]() if zoom_user_id is None else frozenset({zoom_user_id})
        return cls(tenant=tenant, zoom_user_ids=ids, email=None if email is None else email.casefold())

    def owns(self, tenant: object) -> bool:
        """Return whether `tenant` is the tenant of the erasure."""
        return tenant == self.tenant

    def names(self, values: Iterable[object]) -> bool:
        """Return whether one of `values` is exactly an id, the e-mail address or a connection of the person.

        Zoom writes user ids in lower case in some events (`user.presence_status_updated`), so that form counts too.
        """
        known = self.zoom_user_ids | {each.lower() for each in self.zoom_user_ids} | self.connection_ids
        texts = (value for value in values if isinstance(value, str))
        return any(text in known or (self.email is not None and text.casefold() == self.email) for text in texts)

    def is_named_in(self, document: object) -> bool:
        """Return whether a decoded JSON document has such a value, or a member of such a name, at any depth."""
        return self.names(_texts(document))

    def is_named_in_json(self, text: bytes) -> bool:
        """Do the same for a JSON text. In a text that cannot be decoded, a quoted value counts."""
        try:
            return self.is_named_in(json.loads(text))
        except (ValueError, RecursionError):
            return self.names(_quoted(text))


class OwnerOfItems(Protocol):
    """A store that decides which of its items are erased. A new store only has to be added to `erasure.stores`."""

    @property
    def OWNED_KEYS(self) -> Mapping[str, tuple[str, str]]:  # noqa: N802 - a class attribute
        """The store's keys as regular expressions for pk and sk, by the name under which a receipt counts them."""
        ...

    def erases(self, item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an item with such a key belongs to the person or tenant being erased."""
        ...


def is_zoom_user_id(value: str) -> bool:
    """Return whether `value` has the form of Zoom's user ids."""
    return _ZOOM_USER_ID.fullmatch(value) is not None


def _texts(document: object) -> Iterator[str]:
    waiting = [document]  # no recursion: a document may be deeper than Python's stack
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value


def _quoted(text: bytes) -> Iterator[str]:
    return (match.group(1) for match in re.finditer(r'"([^"\\]{1,320})"', text.decode(errors="replace")))
