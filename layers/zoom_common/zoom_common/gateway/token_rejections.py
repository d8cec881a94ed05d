"""Decides whether Zoom's 401 (code 124) is the fault of the access token, or of the single request.

Zoom answers 401/124 to single requests while the same token works for every other one: `POST .../registrants`, also
with a Server-to-Server token (https://devforum.zoom.us/t/142405, https://devforum.zoom.us/t/95559), a user-level token
that names a user instead of `me`, a Server-to-Server token on a `me` path. So a second, independent request decides.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from zoom_common.connections.model import Connection, Kind
from zoom_common.gateway.context import ME, Call
from zoom_common.zoom import api
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.table import named

# For this long, in seconds, a request that was at fault is checked before its next 401 causes a refresh.
REMEMBERED: Final = 600.0

# A token younger than this, in seconds, is checked before it is replaced. So bad requests of a program, in any number
# of containers, do not cause more frequent refreshes.
YOUNG: Final = 600.0

_CAPACITY = 256


class TokenEvidence(StrEnum):
    """What Zoom's answer shows about the token that was sent with the request."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NONE = "none"  # no answer of Zoom's own, or a fault at Zoom


def evidence(response: HttpResponse) -> TokenEvidence:
    """Return what `response` shows about the token. Any answer of Zoom's except 401/124 accepts it, also 4711 and 429.

    A 401 without a code of Zoom's, such as a proxy's page, shows nothing.
    """
    if response.status >= 500 or not api.is_answer(response):  # noqa: PLR2004 - HTTP's own number
        return TokenEvidence.NONE
    code = api.zoom_code(response)
    if api.token_rejected(response) and code == api.TOKEN_REJECTED:
        return TokenEvidence.REJECTED
    success = response.status < 300  # noqa: PLR2004 - as above
    return TokenEvidence.ACCEPTED if success or code is not None else TokenEvidence.NONE


def independent_read(call: Call) -> Call:
    """Return a small read, other than `call`, that Zoom answers for every token of the connection's kind.

    The token's scopes do not matter, because a lack of scopes (4711) also accepts the token.
    """
    for name, ids, query in _READS[call.connection.kind]:
        if name != call.operation.name:
            return call.derived(named(name), ids, query)
    raise LookupError(call.operation.name)


_READS: dict[Kind, tuple[tuple[str, dict[str, str], str], ...]] = {
    Kind.USER: (("users.get", {"userId": ME}, ""), ("meetings.list", {"userId": ME}, "page_size=1")),
    Kind.ACCOUNT: (("users.list", {}, "page_size=1"), ("reports.daily", {}, "")),
}


@dataclass(frozen=True, slots=True)
class RejectedRequests:
    """Requests that Zoom answered 401 with a token that works. Kept per container; `clock` gives epoch seconds."""

    clock: Callable[[], float]
    _seen: OrderedDict[tuple[object, ...], float] = field(default_factory=OrderedDict)

    def remember(self, call: Call) -> None:
        """Store that `call` is at fault, and not its token."""
        key = _key(call)
        self._seen[key] = self.clock()
        self._seen.move_to_end(key)
        while len(self._seen) > _CAPACITY:
            self._seen.popitem(last=False)

    def suspects(self, call: Call) -> bool:
        """Return whether the token has to be checked before it is replaced.

        That is so when the same request was at fault lately, or when the token is young. A token that Zoom is known to
        have refused is not checked again.
        """
        connection, now = call.connection, self.clock()
        if connection.refused_version == connection.version:
            return False
        lately = now - self._seen.get(_key(call), float("-inf")) < REMEMBERED
        return lately or now - connection.refresh_issued_at < YOUNG


def _key(call: Call) -> tuple[object, ...]:
    connection: Connection = call.connection
    path = tuple(sorted(call.ids.items()))
    return connection.tenant, connection.connection_id, connection.grant_id, call.operation.name, path
