"""The context of one call, from the caller to Zoom: request, principal, connection, deadline and statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, Kind, is_own_user
from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.ratelimit.limiter import Cost
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import match

if TYPE_CHECKING:
    from zoom_common.aws.table import Changed
    from zoom_common.ratelimit.slots import EarlySlot


@dataclass(slots=True)
class CallStats:
    """Statistics of one call, filled in while it is made. Times are in seconds.

    `status` is that of Zoom's last answer, None without one. `waited` is the gateway's own waiting, for send slots and
    before retries; `latency` is Zoom's, over all tries. `children` are the statistics of reads that the call needed.
    """

    function: str = ""
    operation: str = ""
    label: str = ""
    connection: str = ""
    tries: int = 0
    status: int | None = None
    reason: str | None = None  # of the error that the caller gets
    waited: float = 0.0
    latency: float = 0.0
    refused: int = 0  # answers 429
    budget_left: int | None = None
    left_today: int | None = None
    local_budget: bool = False
    key: str | None = None  # with an Idempotency-Key: made, replayed or adopted
    cache: str | None = None  # with the read cache: hit or miss
    day: date | None = None  # the UTC day on which usage counts the call
    counted: Changed | None = None  # finishes the write to usage; raises when it failed
    uncounted: bool = False  # the write to usage failed
    request_at_fault: bool = False  # Zoom answered 401, and accepts the token for another request
    children: list[CallStats] = field(default_factory=list)

    def child(self) -> CallStats:
        """Return new statistics for a read that this call needs, over the same connection."""
        child = CallStats(connection=self.connection)
        self.children.append(child)
        return child

    def with_reads(self) -> Iterator[CallStats]:
        """Yield these statistics and those of all reads that the call needed, with their own reads."""
        yield self
        for each in self.children:
            yield from each.with_reads()

    def headers(self) -> dict[str, str]:
        """Return the headers that the caller gets with an answer and with an error."""
        found = {"x-zoom-ratelimit-category": self.label} if self.label else {}
        if self.budget_left is not None:
            found["x-zoom-budget-left"] = str(self.budget_left)
        if self.local_budget:
            found["x-zoom-budget"] = "local"
        if self.left_today is not None:
            found["x-zoom-budget-left-today"] = str(self.left_today)
        if waited := round(1000 * sum(each.waited for each in self.with_reads())):
            found["x-zoom-waited-ms"] = str(waited)
        if self.tries > 1:
            found["x-zoom-tries"] = str(self.tries)
        if self.key is not None:
            found["idempotency-status"] = self.key
        if self.cache is not None:
            found["x-zoom-cache"] = self.cache
        return found


# `interactive` when a person waits: such calls may use the part of the rate budget that is reserved for them.
PRIORITY_HEADER = "x-zoom-priority"

ME = "me"

_ZOOM_HOSTS = ("zoom.us", "zoomgov.com")

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def addressed(connection: Connection, operation: Operation, ids: Mapping[str, str]) -> Mapping[str, str]:
    """Return the ids of a path of `operation` as Zoom wants them from this connection.

    A user-level token speaks of its own user as `me`, so the user's own id and own e-mail address become that; other
    users stay, and Zoom decides. An account-level token belongs to no user: a path with `me` raises InvalidRequest,
    and the message names the path that serves it, where there is one. A user among the members of something else,
    such as a group, stays as well. Of a path of the pass-through this is true where it begins with a user, or with a
    family of Zoom's and a user (`/v2/phone/users/...`).
    https://developers.zoom.us/docs/api/using-zoom-apis/#the-me-keyword
    """
    if operation.passed:
        return _passed(connection, operation.path, ids)
    user = ids.get("userId") if _OF_USER in operation.path else None
    if connection.kind is Kind.ACCOUNT and (user == ME or _MY_PATH in f"{operation.path}/"):
        raise InvalidRequest([FieldError("userId", _NO_ME + _INSTEAD.get(operation.name, ""))])
    if connection.kind is Kind.USER and user is not None and is_own_user(connection, user):
        return {**ids, "userId": ME}
    return ids


def _passed(connection: Connection, path: str, ids: Mapping[str, str]) -> Mapping[str, str]:
    if connection.kind is Kind.ACCOUNT and f"{path}/".startswith(_MY_PASSED_PATH):
        raise InvalidRequest([FieldError("userId", _NO_ME)])
    of_user = re.match(_PASSED_USER, path)
    if connection.kind is Kind.USER and of_user and is_own_user(connection, unquote(of_user[1])):
        return {**ids, "path": f"{path[: of_user.start(1)]}{ME}{path[of_user.end(1) :]}"}
    return ids


_OF_USER, _MY_PATH, _MY_PASSED_PATH = "/users/{userId}", "/users/me/", "/v2/users/me/"

_PASSED_USER = r"/v2/(?:[^/]+/)?users/([^/]+)"  # compiled when it is first needed

_NO_ME = "An account-level connection has no `me`: name the user by id or e-mail address."

_INSTEAD = {"users.zak": " Their ZAK: GET /v2/users/{userId}/token?type=zak."}


def base_url(api_url: str | None, configured: str) -> str:
    """Return the base URL for a connection's calls: the `api_url` that Zoom sent with its token, if it is at Zoom.

    A token goes to Zoom's own hosts only, so every other `api_url` is ignored. It is also ignored when `configured` is
    not at Zoom (a simulation, a proxy). `api_url` comes without the `/v2` at the end of `configured`.
    """
    own, default = _parts(api_url), _parts(configured)
    if own is None or default is None or not (_is_zoom(own) and _is_zoom(default)):
        return configured
    return f"https://{own.netloc.lower()}/v2"


def _parts(url: str | None) -> SplitResult | None:
    """Return the parts of a URL of scheme, host, port and at most the API's version; None for any other URL."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    # Compare with the rebuilt host: some parsers read another host out of user information or backslashes.
    whole = host if port is None else f"{host}:{port}"
    plain = _HOST.fullmatch(host) and parts.netloc.lower() == whole and not parts.query and not parts.fragment
    return parts if plain and parts.path.rstrip("/") in {"", "/v2"} else None


def _is_zoom(parts: SplitResult) -> bool:
    host = (parts.hostname or "").lower()
    known = any(host == zoom or host.endswith(f".{zoom}") for zoom in _ZOOM_HOSTS)
    return known and parts.scheme == "https" and parts.port in {None, 443}


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One call of one operation: the context that passes from the edge to Zoom.

    `ids`, `query_string` and `body` are the caller's; names of `headers` are in lower case. The call is worth an answer
    until `deadline`. `Gateway.call` sets `connection`, and `ids` as Zoom wants them from that connection.
    """

    principal: Principal
    operation: Operation
    ids: Mapping[str, str] = field(repr=False)
    deadline: Deadline
    query_string: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    stats: CallStats = field(default_factory=CallStats)
    connection: Connection = field(init=False, repr=False)
    early: EarlySlot | None = field(default=None, repr=False)
    """The send slot that was asked for before the connection was read."""

    def __post_init__(self) -> None:
        """Name the operation in the statistics."""
        stats, operation = self.stats, self.operation
        stats.function, stats.operation, stats.label = operation.function, operation.name, str(operation.label)

    @classmethod
    def read(cls, target: str, principal: Principal, deadline: Deadline) -> Call:
        """Return a read without headers. `target` is a path under `/v2`, with or without a query string.

        Raises NotFound when no operation has this path.
        """
        path, _, query_string = target.partition("?")
        operation, ids = match("GET", path)
        return cls(principal=principal, operation=operation, ids=ids, query_string=query_string, deadline=deadline)

    @property
    def content_type(self) -> str:
        """The media type of the body, as the caller declares it."""
        return self.headers.get("content-type", "")

    def bind(self, connection: Connection) -> None:
        """Make the call over this connection."""
        self.connection = connection
        self.stats.connection = connection.connection_id

    def derived(self, operation: Operation, ids: Mapping[str, str], query_string: str = "") -> Call:
        """Return a read that this call needs: same caller, connection and deadline, statistics of its own."""
        read = Call(
            principal=self.principal,
            operation=operation,
            ids=ids,
            query_string=query_string,
            headers=self.headers,
            deadline=self.deadline,
            stats=self.stats.child(),
        )
        read.connection = self.connection
        return read

    def cost(self, connection: Connection | None = None) -> Cost:
        """Return what one try takes from the rate budget, over this connection or the call's own."""
        over = self.connection if connection is None else connection
        interactive = self.headers.get(PRIORITY_HEADER, "").strip().lower() == "interactive"
        account, label, pool = over.zoom_account_id, self.operation.label, self.operation.pool
        return Cost(account=account, label=label, user=self._counted_user(over), interactive=interactive, pool=pool)

    def _counted_user(self, connection: Connection) -> str | None:
        if not self.operation.counts_for_user:
            return None
        user = self.ids.get("userId")
        if user not in {None, ME}:
            return user
        # A user-level connection changes its own user's meetings. For an account-level one only Zoom knows the user.
        return connection.zoom_user_id if connection.kind is Kind.USER else None
