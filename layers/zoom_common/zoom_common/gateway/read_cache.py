"""Caching of reads: entity tags for callers, and single reads kept for a moment in one container's memory."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from zoom_common.aws.table import Table
from zoom_common.errors import DependencyFailed, Unavailable
from zoom_common.gateway.context import ZoomCall
from zoom_common.zoom.http import HttpResponse

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem
    from zoom_common.zoom.events import ZoomEvent

# New with every read, and the caller's own: the link that opens a meeting as its host.
_VOLATILE = re.compile(rb'"start_url"\s*:\s*"(?:[^"\\]|\\.)*"')


def etag(connection_id: str, body: bytes) -> str:
    """The weak tag of an answer, as this connection sees it. Two answers that differ in `start_url` only share one."""
    seen = hashlib.sha256(connection_id.encode() + b"\0" + _VOLATILE.sub(b"", body))
    return f'W/"{seen.hexdigest()[:32]}"'


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names the tag, by weak comparison."""
    if not if_none_match:
        return False
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in named or tag.removeprefix("W/") in named


# Longer than any read is remembered.
LIFE = 600

_SK = "change"

_FAMILIES = ("meeting.", "webinar.")


class ChangeStore:
    """When a Zoom account's meetings and webinars were last said to have changed. `clock` gives epoch seconds."""

    OWNED_KEYS: ClassVar = {"coordination": (r"change#.+#.+", r"change")}

    def __init__(self, table: Table, *, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def told(self, event: ZoomEvent) -> None:
        """A webhook tells of its subject. Who comes and goes changes nothing that is read from a meeting itself.

        A table that does not answer is no reason to lose an event: what is remembered is forgotten soon by itself.
        """
        about = event.name.startswith(_FAMILIES) and "participant" not in event.name
        if about and event.account_id is not None and event.subject is not None:
            now = self._clock()
            item = {"pk": _pk(event.account_id, event.subject), "sk": _SK, "at": now, "expires_at": int(now) + LIFE}
            with suppress(DependencyFailed):
                self._table.put(item)

    def last_change(self, account_id: str, subject: str) -> float | None:
        """When `subject` (`meetings/<id>`) last changed, in epoch seconds, if it was lately. Raises Unavailable."""
        item = self._table.get(_pk(account_id, subject), _SK)
        return float(item["at"]) if item else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a change is a meeting's number for ten minutes, and names nobody."""
        return False


def _pk(account_id: str, subject: str) -> str:
    return f"change#{account_id}#{subject}"


LONGEST = 60.0

_MOST = 200

# What webhooks tell of, and the name of its id in the path.
_REMEMBERED = {"meetings.get": ("meetings", "meetingId"), "webinars.get": ("webinars", "webinarId")}

# Tenant, connection, Zoom account, and the subject as events name it.
type _Name = tuple[str, str, str, str]


class Changes(Protocol):
    """Who knows of changes: `ChangeStore`."""

    def last_change(self, account_id: str, subject: str) -> float | None: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class ReadCache:
    """The reads of one container. `seconds` is how long they are good, 0: not at all. `clock` gives epoch seconds."""

    changes: Changes
    seconds: float
    clock: Callable[[], float]
    _reads: OrderedDict[_Name, tuple[float, HttpResponse]] = field(default_factory=OrderedDict)

    def read(self, call: ZoomCall, ask: Callable[[], HttpResponse]) -> HttpResponse:
        """The remembered answer if it is still good, else what `ask` gets from Zoom."""
        name = _name(call)
        if self.seconds <= 0 or name is None:
            return ask()
        known = self._reads.get(name)
        if known is not None and self._is_good(name, known[0]):
            call.record.cache = "hit"
            return known[1]
        call.record.cache = "miss"
        asked_at = self.clock()
        response = ask()
        self._remember(name, asked_at, response)
        return response

    def forget(self, call: ZoomCall) -> None:
        """The caller itself changes it."""
        changed = {f"{resource}/{call.ids[name]}" for resource, name in _REMEMBERED.values() if name in call.ids}
        for known in [each for each in self._reads if each[3] in changed]:
            del self._reads[known]

    def _is_good(self, name: _Name, asked_at: float) -> bool:
        if self.clock() - asked_at >= min(self.seconds, LONGEST):
            return False
        _, _, account_id, subject = name
        try:
            changed = self.changes.last_change(account_id, subject)
        except Unavailable:
            return False
        return changed is None or changed < asked_at

    def _remember(self, name: _Name, asked_at: float, response: HttpResponse) -> None:
        self._reads.pop(name, None)
        if response.status != 200:  # noqa: PLR2004 - HTTP's own number
            return
        self._reads[name] = asked_at, response
        while len(self._reads) > _MOST:
            self._reads.popitem(last=False)


def _name(call: ZoomCall) -> _Name | None:
    resource, identifier = _REMEMBERED.get(call.operation.name, ("", ""))
    value = call.ids.get(identifier, "")
    # By number only: a UUID names one instance, and webhooks of the next one have another.
    if not resource or call.query_string or not value.isdigit():
        return None
    about = call.connection
    return about.tenant, about.connection_id, about.zoom_account_id, f"{resource}/{value}"
