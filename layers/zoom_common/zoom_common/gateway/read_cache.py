"""Caches reads: entity tags for callers, and single reads kept for a short time in one container's memory."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from zoom_common.errors import Unavailable
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.context import Call
from zoom_common.zoom.http import HttpResponse

# It changes with every read: the link that opens a meeting as its host.
_VOLATILE = re.compile(rb'"start_url"\s*:\s*"(?:[^"\\]|\\.)*"')


def etag(connection_id: str, body: bytes) -> str:
    """Return the weak entity tag of an answer over a connection.

    Answers that differ only in `start_url` have the same.
    """
    seen = hashlib.sha256(connection_id.encode() + b"\0" + _VOLATILE.sub(b"", body))
    return f'W/"{seen.hexdigest()[:32]}"'


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Return whether `If-None-Match` names the tag, by weak comparison."""
    if not if_none_match:
        return False
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in named or tag.removeprefix("W/") in named


LONGEST = 60.0

_MOST = 200

# Operations on subjects that webhooks report changes of, with the name of the id in the path.
_CACHED = {"meetings.get": ("meetings", "meetingId"), "webinars.get": ("webinars", "webinarId")}

# Tenant, connection, Zoom account, and the subject as events name it.
type _Name = tuple[str, str, str, str]


@dataclass(slots=True, kw_only=True)
class ReadCache:
    """The cached reads of one container. They are valid for `seconds`, 0 for no cache. `clock` gives epoch seconds."""

    changes: ChangeStore
    seconds: float
    clock: Callable[[], float]
    _reads: OrderedDict[_Name, tuple[float, HttpResponse]] = field(default_factory=OrderedDict)

    def read(self, call: Call, send: Callable[[Call], HttpResponse]) -> HttpResponse:
        """Return the cached answer while it is valid, else the answer that `send` gets from Zoom."""
        name = _name(call)
        if self.seconds <= 0 or name is None:
            return send(call)
        known = self._reads.get(name)
        if known is not None and self._is_good(name, known[0]):
            call.stats.cache = "hit"
            return known[1]
        call.stats.cache = "miss"
        asked_at = self.clock()
        response = send(call)
        self._remember(name, asked_at, response)
        return response

    def forget(self, call: Call) -> None:
        """Drop the reads that `call` is about to change."""
        changed = {f"{resource}/{call.ids[name]}" for resource, name in _CACHED.values() if name in call.ids}
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


def _name(call: Call) -> _Name | None:
    resource, identifier = _CACHED.get(call.operation.name, ("", ""))
    value = call.ids.get(identifier, "")
    # By number only: a UUID names one instance, and webhooks of the next instance have another UUID.
    if not resource or call.query_string or not value.isdigit():
        return None
    about = call.connection
    return about.tenant, about.connection_id, about.zoom_account_id, f"{resource}/{value}"
