"""Single reads, remembered for a moment in the memory of one container.

Off unless asked for. What is remembered never leaves the container and serves only the connection that read it; before
it is used, the one thing asked of DynamoDB is whether a webhook has told of a change since.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from zoom_common.errors import Unavailable
from zoom_common.gateway.sending import ZoomCall
from zoom_common.zoom.wire import HttpResponse

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
