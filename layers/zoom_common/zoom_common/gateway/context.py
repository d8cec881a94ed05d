"""What one call carries from the caller to Zoom: the request, its connection, its address, and its statistics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, Kind
from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.ratelimit.limiter import Cost
from zoom_common.zoom.operations.model import Operation

if TYPE_CHECKING:
    from zoom_common.aws.table import Changed


@dataclass(slots=True)
class CallStats:
    """Filled in while the call is made. Times are in seconds; `status` is Zoom's last, None when it gave none.

    `waited` is all waiting of ours: for send slots and before retries. `latency` is Zoom's, over all tries. `aside` are
    the reads that were made on the way, each a call of its own.
    """

    function: str = ""
    operation: str = ""
    label: str = ""
    connection: str = ""
    tries: int = 0
    status: int | None = None
    reason: str | None = None  # of the error that the caller gets, if it does
    waited: float = 0.0
    latency: float = 0.0
    refused: int = 0  # answers 429
    budget_left: int | None = None
    left_today: int | None = None
    local_budget: bool = False
    key: str | None = None  # with an Idempotency-Key: made, replayed or adopted
    cache: str | None = None  # with the read cache: hit or miss
    day: date | None = None  # on which it is counted (UTC)
    counted: Changed | None = None  # says, once asked, whether usage knows of it
    uncounted: bool = False  # usage could not be told of it
    aside: list[CallStats] = field(default_factory=list)

    def names(self, operation: Operation) -> None:
        """The call is one of this operation."""
        self.function, self.operation, self.label = operation.function, operation.name, str(operation.label)

    def beside(self, operation: Operation) -> CallStats:
        """The record of a read that is made on the way, of this operation."""
        other = CallStats(connection=self.connection)
        other.names(operation)
        self.aside.append(other)
        return other

    def headers(self) -> dict[str, str]:
        """What the caller is told, whatever the answer is."""
        found = {"x-zoom-ratelimit-category": self.label} if self.label else {}
        if self.budget_left is not None:
            found["x-zoom-budget-left"] = str(self.budget_left)
        if self.local_budget:
            found["x-zoom-budget"] = "local"
        if self.left_today is not None:
            found["x-zoom-budget-left-today"] = str(self.left_today)
        if waited := round(1000 * (self.waited + sum(each.waited for each in self.aside))):
            found["x-zoom-waited-ms"] = str(waited)
        if self.tries > 1:
            found["x-zoom-tries"] = str(self.tries)
        if self.key is not None:
            found["idempotency-status"] = self.key
        if self.cache is not None:
            found["x-zoom-cache"] = self.cache
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request under `/v2`: who asks, for what, and until when it is worth an answer.

    `path` and `query_string` are as they arrived, still encoded; names of `headers` are in lower case.
    """

    principal: Principal
    method: str
    path: str = field(repr=False)
    deadline: Deadline
    query_string: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def read(cls, target: str, principal: Principal, deadline: Deadline) -> ApiRequest:
        """A read without headers of its own. `target` is a path, with a query string where there is one."""
        path, _, query_string = target.partition("?")
        return cls(principal=principal, method="GET", path=path, query_string=query_string, deadline=deadline)


ME = "me"

_ZOOM_HOSTS = ("zoom.us", "zoomgov.com")

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def addressed(connection: Connection, ids: Mapping[str, str]) -> Mapping[str, str]:
    """The ids of a path as Zoom wants them from this connection.

    A user-level token speaks of its own user as `me`, so the user's own id becomes that; other users' ids stay, and
    Zoom decides. An account-level token belongs to no user: `me` raises InvalidRequest.
    """
    user = ids.get("userId")
    if connection.kind is Kind.ACCOUNT and user == ME:
        fault = "An account-level connection has no `me`: name the user by id or e-mail address."
        raise InvalidRequest([FieldError("userId", fault)])
    if connection.kind is Kind.USER and user is not None and user == connection.zoom_user_id:
        return {**ids, "userId": ME}
    return ids


def base_url(api_url: str | None, configured: str) -> str:
    """Where to send a connection's calls: to the `api_url` that Zoom gave with its token, if that host is Zoom's.

    A token goes to no host on a stranger's word: everything else goes to `configured`, and so does everything when that
    is not Zoom's (a simulation, a proxy). `api_url` comes without the `/v2` that `configured` ends in.
    """
    theirs, ours = _parts(api_url), _parts(configured)
    if theirs is None or ours is None or not (_is_zoom(theirs) and _is_zoom(ours)):
        return configured
    return f"https://{theirs.netloc.lower()}/v2"


def _parts(url: str | None) -> SplitResult | None:
    """The URL, taken apart, if it is nothing but scheme, host, port and perhaps the API's version."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    # Rebuilt from what was checked: user info, backslashes and the like name another host to some reader.
    whole = host if port is None else f"{host}:{port}"
    plain = _HOST.fullmatch(host) and parts.netloc.lower() == whole and not parts.query and not parts.fragment
    return parts if plain and parts.path.rstrip("/") in {"", "/v2"} else None


def _is_zoom(parts: SplitResult) -> bool:
    host = (parts.hostname or "").lower()
    known = any(host == zoom or host.endswith(f".{zoom}") for zoom in _ZOOM_HOSTS)
    return known and parts.scheme == "https" and parts.port in {None, 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomCall:
    """One operation, for one connection, with what the caller said."""

    operation: Operation
    ids: Mapping[str, str]
    connection: Connection
    deadline: Deadline
    query_string: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)
    interactive: bool = False
    record: CallStats = field(default_factory=CallStats)

    def instead(self, operation: Operation, ids: Mapping[str, str], query_string: str = "") -> ZoomCall:
        """A read that is made on the way, for the same caller and within the same deadline, with its own record."""
        record = self.record.beside(operation)
        return replace(self, operation=operation, ids=ids, query_string=query_string, body=b"", record=record)

    def spend(self) -> Cost:
        """What it takes from the budget."""
        account, label = self.connection.zoom_account_id, self.operation.label
        return Cost(account=account, label=label, user=self._counted_user(), interactive=self.interactive)

    def _counted_user(self) -> str | None:
        if not self.operation.counts_for_user:
            return None
        user = self.ids.get("userId")
        if user not in {None, ME}:
            return user
        # A user-level connection changes what is its user's. Whose an account-level one changes by id, only Zoom knows.
        return self.connection.zoom_user_id if self.connection.kind is Kind.USER else None
