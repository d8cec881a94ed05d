"""Access tokens for calls to Zoom.

Refresh tokens are used only by the function `token_refresh`, which is invoked here.
"""

from __future__ import annotations

import json
import random
import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from zoom_common import observability
from zoom_common.aws.errors import translated
from zoom_common.connections.cipher import Cipher, SealBroken, SealContext, SealKind
from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.policy import Outcome, rejected_when_new
from zoom_common.connections.store import ConnectionStore
from zoom_common.deadline import Deadline
from zoom_common.errors import ConnectionUnusable, DependencyFailed, NotFound, Unavailable, ZoomUnavailable
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

TOUCH = "touch"

REFUSED = "refused"

ACCEPTED = "accepted"

_UNAVAILABLE = "token_refresh_unavailable"

_translated = translated(_UNAVAILABLE)


class RefreshOnDemand(Protocol):
    """Refreshes in another function; see `RefreshFunction`."""

    def refresh(self, connection: Connection, *, wait: float) -> Outcome:
        """Refresh unless the version has changed. Raises Unavailable."""
        ...

    def touch(self, connection: Connection) -> None:
        """Report that the connection is in use, without waiting. Raises Unavailable."""
        ...

    def refused(self, connection: Connection) -> None:
        """Report that Zoom refuses the token of this version although it is new, without waiting.

        Raises Unavailable.
        """
        ...

    def accepted(self, connection: Connection) -> None:
        """Report that Zoom accepts the token of this version after refusals, without waiting. Raises Unavailable."""
        ...


class RefreshFunction:
    """The function `token_refresh`, invoked directly."""

    def __init__(self, lambda_: LambdaClient, name: str) -> None:
        self._lambda = lambda_
        self._name = name

    def refresh(self, connection: Connection, *, wait: float) -> Outcome:
        """Refresh and wait for the outcome, at most `wait` seconds if another refresh is under way.

        Raises Unavailable.
        """
        payload = {
            "action": "refresh",
            **_named(connection),
            "seen_version": connection.version,
            "wait": round(wait, 1),
        }
        with _translated:
            answer = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(payload).encode())
        if answer.get("FunctionError"):
            raise Unavailable(reason="token_refresh_failed")
        try:
            return Outcome(json.loads(answer["Payload"].read())["outcome"])
        except (KeyError, TypeError, ValueError):
            raise Unavailable(reason=_UNAVAILABLE) from None

    def touch(self, connection: Connection) -> None:
        """Report that the connection is in use, because API functions may not write to the table.

        Raises Unavailable.
        """
        self._invoke_later({"action": TOUCH, **_named(connection)})

    def refused(self, connection: Connection) -> None:
        """Report that Zoom refuses a new token. Raises Unavailable."""
        self._invoke_later({"action": REFUSED, **_named(connection), "version": connection.version})

    def accepted(self, connection: Connection) -> None:
        """Report that Zoom accepts the token, which ends a rejection streak. Raises Unavailable."""
        self._invoke_later({"action": ACCEPTED, **_named(connection), "version": connection.version})

    def _invoke_later(self, what: dict[str, Any]) -> None:
        with _translated:
            self._lambda.invoke(FunctionName=self._name, InvocationType="Event", Payload=json.dumps(what).encode())


def _named(connection: Connection) -> dict[str, Any]:
    about = {"tenant": connection.tenant, "connection_id": connection.connection_id}
    return about | ({"correlation_id": observability.correlation_id()} if observability.correlation_id() else {})


MARGIN = 300.0  # A refresh starts this long before the token expires, spread by 20 % either way.

_LEFT = 10.0  # A token with less time left may expire on its way to Zoom.

_TOUCH_EVERY = 3600.0

_REPORT_EVERY = 60.0

_TO_ANSWER = 1.0


class AccessTokens:
    """Opened tokens by connection and version, cached in memory up to a bound, and never past their expiry.

    Every caller passes a connection that it has just read consistently, so a disconnect takes effect at once.
    """

    def __init__(
        self,
        store: ConnectionStore,
        cipher: Cipher,
        refresher: RefreshOnDemand,
        *,
        reconnect_url: Callable[[str], str],
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
        capacity: int = 256,
    ) -> None:
        self._store = store
        self._cipher = cipher
        self._refresher = refresher
        self._reconnect_url = reconnect_url
        self._clock = clock
        self._chance = chance
        self._capacity = capacity
        self._opened: OrderedDict[tuple[str, str, str, int], Secret] = OrderedDict()
        self._touched: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._reported: OrderedDict[tuple[str, str], float] = OrderedDict()

    def token(self, connection: Connection, deadline: Deadline) -> Secret:
        """Return a valid token. Raises ConnectionUnusable, NotFound, ZoomUnavailable and Unavailable."""
        self._usable(connection)
        left = connection.access_expires_at - self._clock()
        if left > MARGIN * (0.8 + 0.4 * self._chance()):
            self._touch(connection)
            return self._open(connection)
        if left > _LEFT and self._no_use_in_asking(connection):
            return self._open(connection)
        try:
            return self._refreshed(connection, deadline)
        except (DependencyFailed, ZoomUnavailable):
            if left > _LEFT:
                return self._open(connection)
            raise

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret | None:
        """Return another token than the one that Zoom has just refused (401, code 124). Raises as `token` does.

        Return None when the refused token was new. Another one would be no better for a while, so the caller gets
        Zoom's refusal.
        """
        latest = self._read(connection)
        if rejected_when_new(latest, now=self._clock()):
            return None
        if (latest.grant_id, latest.version) != (connection.grant_id, connection.version):
            return self.token(latest, deadline)
        return self._refreshed(latest, deadline)

    def rejected_again(self, connection: Connection, token: Secret) -> None:
        """Report, in `token_refresh`, that Zoom refuses the new `token` too.

        A failure to report changes nothing for the call. Nothing is reported when another version has been written
        since, because Zoom has not refused that one.
        """
        try:
            latest = self._read(connection)
            if latest.refused_version != latest.version and self._open(latest) == token:
                self._refresher.refused(latest)
        except (ConnectionUnusable, NotFound, DependencyFailed):
            return

    def accepted(self, connection: Connection) -> None:
        """Report, at most once a minute, that Zoom accepts a token of `connection`, which ends its rejection streak.

        Never raises.
        """
        key, now = (connection.tenant, connection.connection_id), self._clock()
        if now - self._reported.get(key, 0.0) < _REPORT_EVERY:
            return
        _keep(self._reported, key, value=now, capacity=self._capacity)
        try:
            self._refresher.accepted(connection)
        except DependencyFailed:
            return

    def _refreshed(self, connection: Connection, deadline: Deadline) -> Secret:
        outcome = self._refresher.refresh(connection, wait=max(0.0, deadline.remaining() - _TO_ANSWER))
        latest = self._read(connection)
        moved = (latest.grant_id, latest.version) != (connection.grant_id, connection.version)
        if moved and latest.access_expires_at - self._clock() > _LEFT:
            return self._open(latest)
        failing = outcome is Outcome.REFRESH_FAILING
        error = ZoomUnavailable(reason="refresh_failing") if failing else Unavailable(reason=f"token_refresh_{outcome}")
        rests = ceil(latest.cool_until - self._clock())
        if failing or rests > 0:
            error.headers["retry-after"] = str(max(1, rests))
        raise error

    def _read(self, connection: Connection) -> Connection:
        latest = self._store.get(connection.tenant, connection.connection_id)
        if latest is None:
            raise NotFound("There is no such connection.", reason="connection_unknown")
        self._usable(latest)
        return latest

    def _usable(self, connection: Connection) -> None:
        match connection.state:
            case State.CONNECTED | State.REFRESH_FAILING:
                return
            case State.REAUTHORIZATION_REQUIRED:
                reason, url = connection.reason or "refused", self._reconnect_url(connection.connection_id)
                raise ConnectionUnusable(str(connection.state), reason=reason, reconnect_url=url)
            case State.PENDING:
                raise ConnectionUnusable(str(connection.state), reason="not_redeemed")
            case State.DISCONNECTED:
                raise NotFound("There is no such connection.", reason="connection_unknown")

    def _no_use_in_asking(self, connection: Connection) -> bool:
        now = self._clock()
        leased = connection.lease_owner is not None and connection.lease_expires_at > now
        return leased or connection.cool_until > now

    def _open(self, connection: Connection) -> Secret:
        key = (connection.tenant, connection.connection_id, connection.grant_id, connection.version)
        token = self._opened.get(key)
        if token is None:
            context = SealContext(connection.tenant, connection.connection_id, SealKind.ACCESS)
            try:
                token = self._cipher.open(connection.sealed_access, context)
            except SealBroken:
                raise Unavailable(reason="seal_broken") from None
        _keep(self._opened, key, value=token, capacity=self._capacity)
        return token

    def _touch(self, connection: Connection) -> None:
        """Report now and then that the connection is in use. A failure to report is no reason to fail a call."""
        key, now = (connection.tenant, connection.connection_id), self._clock()
        if now - max(connection.last_used_at, self._touched.get(key, 0.0)) < _TOUCH_EVERY:
            return
        _keep(self._touched, key, value=now, capacity=self._capacity)
        try:
            self._refresher.touch(connection)
        except DependencyFailed:
            return


def _keep[K, V](kept: OrderedDict[K, V], key: K, *, value: V, capacity: int) -> None:
    """Store `value` as the newest entry and drop the oldest ones beyond `capacity`."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > capacity:
        kept.popitem(last=False)


class _Pages(Protocol):
    @property
    def public_base_url(self) -> str: ...
    @property
    def connect_page_url(self) -> str: ...


def reconnect_url(pages: _Pages, connection_id: str) -> str:
    """Return the URL where a connection gets a new grant: the operator's own page if set, else the API's route."""
    if pages.connect_page_url:
        joint = "&" if "?" in pages.connect_page_url else "?"
        return f"{pages.connect_page_url}{joint}connection={connection_id}"
    return f"{pages.public_base_url}/connections/{connection_id}/reconnect"
