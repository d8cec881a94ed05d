"""A request on behalf of a connection: its token, its account's budget, another token when Zoom refuses the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from zoom_common.connections.model import Connection, Kind
from zoom_common.deadline import Deadline
from zoom_common.gateway.addressing import ME, base_url
from zoom_common.gateway.budget import Spend
from zoom_common.gateway.exchange import Attempt, Exchange
from zoom_common.gateway.record import CallRecord
from zoom_common.secret import Secret
from zoom_common.zoom import api
from zoom_common.zoom.operations import Operation
from zoom_common.zoom.wire import HttpResponse


class AccessTokens(Protocol):
    """Where access tokens come from. The first two raise ConnectionUnusable, ZoomUnavailable or Unavailable."""

    def token(self, connection: Connection, deadline: Deadline) -> Secret:
        """A token that is good now."""
        ...

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret | None:
        """Another token than the one Zoom has just refused; None when another would be no better."""
        ...

    def rejected_again(self, connection: Connection) -> None:
        """Zoom has refused that one too."""
        ...


class Counting(Protocol):
    """Who counts a tenant's calls: `UsageCounter`. Neither raises."""

    def begin(self, tenant: str, record: CallRecord) -> None:
        """A call is about to be sent, once or once more."""
        ...

    def settle(self, tenant: str, record: CallRecord, deadline: Deadline) -> None:
        """A call is over, sent or not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomCall:
    """One operation, for one connection, with what the caller said."""

    operation: Operation
    ids: Mapping[str, str]
    connection: Connection
    deadline: Deadline
    query_string: str = ""
    body: bytes = field(default=b"", repr=False)
    interactive: bool = False
    record: CallRecord = field(default_factory=CallRecord)

    def instead(self, operation: Operation, ids: Mapping[str, str], query_string: str = "") -> ZoomCall:
        """A read that is made on the way, for the same caller and within the same deadline, with its own record."""
        record = self.record.beside(operation)
        return replace(self, operation=operation, ids=ids, query_string=query_string, body=b"", record=record)

    def spend(self) -> Spend:
        """What it takes from the budget."""
        account, label = self.connection.zoom_account_id, self.operation.label
        return Spend(account=account, label=label, user=self._counted_user(), interactive=self.interactive)

    def _counted_user(self) -> str | None:
        if not self.operation.counts_for_user:
            return None
        user = self.ids.get("userId")
        if user not in {None, ME}:
            return user
        # A user-level connection changes what is its user's. Whose an account-level one changes by id, only Zoom knows.
        return self.connection.zoom_user_id if self.connection.kind is Kind.USER else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends calls. `api_base_url` is where Zoom is, for connections that know no better."""

    tokens: AccessTokens
    exchange: Exchange
    usage: Counting
    api_base_url: str

    def send(self, call: ZoomCall, *, before_sending: Callable[[], None] = lambda: None) -> HttpResponse:
        """Zoom's answer, whatever it says. Raises what `Exchange.send` and `AccessTokens` raise."""
        response = self._send(call, self.tokens.token(call.connection, call.deadline), before_sending)
        if api.token_rejected(response):
            fresh = self.tokens.after_rejection(call.connection, call.deadline)
            if fresh is None:
                return response
            response = self._send(call, fresh, before_sending)
            if api.token_rejected(response):
                self.tokens.rejected_again(call.connection)
        return response

    def _send(self, call: ZoomCall, token: Secret, before_sending: Callable[[], None]) -> HttpResponse:
        request = api.build(
            call.operation,
            call.ids,
            query_string=call.query_string,
            body=call.body,
            base_url=base_url(call.connection.api_url, self.api_base_url),
            token=token,
        )

        def ready() -> None:
            before_sending()
            self.usage.begin(call.connection.tenant, call.record)

        attempt = Attempt(
            operation=call.operation,
            request=request,
            spend=call.spend(),
            deadline=call.deadline,
            record=call.record,
            before_sending=ready,
        )
        return self.exchange.send(attempt)
