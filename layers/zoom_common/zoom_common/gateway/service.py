"""One call to Zoom for one caller, from principal to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from urllib.parse import parse_qsl

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, Kind
from zoom_common.deadline import Deadline
from zoom_common.errors import Forbidden, GatewayError, Unauthenticated, ZoomRefused, ZoomScopesMissing
from zoom_common.gateway import idempotency, read_cache
from zoom_common.gateway.context import ME, ApiRequest, CallStats, ZoomCall, addressed
from zoom_common.gateway.http_client import ZoomApiClient
from zoom_common.gateway.idempotency import Idempotency
from zoom_common.gateway.read_cache import ReadCache
from zoom_common.zoom import api, rate_limits
from zoom_common.zoom.error_codes import SCOPES_MISSING, RefusedCall
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.model import Operation, check_query
from zoom_common.zoom.operations.table import match

_CONSENT = "Any one of the missing scopes is enough. Add it to the Zoom app, then let the person reconnect."

_ADMINISTRATORS = (
    "Only an administrator of the Zoom account can grant this, to an app that has the scope: a user-level app cannot."
)

_OF_OTHERS = (
    "For another user than `me` this takes the `:admin` form of a scope. Only an administrator of the Zoom account can "
    "grant it."
)

_ACCOUNT = "Add one of the missing scopes to the Server-to-Server app at Zoom; its next token has it."

type ReconnectUrl = Callable[[Connection], str]


def check_scopes(operation: Operation, connection: Connection, reconnect_url: ReconnectUrl) -> None:
    """Raise ZoomScopesMissing when no token of `connection` can do `operation`.

    A grant whose scopes nobody has told us is Zoom's to judge.
    """
    if connection.scopes and not operation.scopes.allow(connection.scopes):
        raise ZoomScopesMissing(
            operation.scopes.lacking(connection.scopes),
            reconnect_url=reconnect_url(connection),
            hint=_way_out(operation, connection),
        )


def raise_for_refusal(
    response: HttpResponse,
    *,
    operation: Operation,
    connection: Connection,
    headers: Mapping[str, str],
    reconnect_url: ReconnectUrl,
    ids: Mapping[str, str] | None = None,
    query_string: str = "",
) -> None:
    """Return for a success, else raise ZoomRefused; one for a lack of scopes says which, and where to get them.

    `ids` are those of the path and `query_string` is the caller's: hints depend on both.
    """
    refused = RefusedCall(
        method=operation.method,
        path=operation.path,
        names_user=(ids or {}).get("userId", ME) != ME,
        is_account_level=connection.kind is Kind.ACCOUNT,
        has_page_token="next_page_token=" in query_string,
        limit=headers.get("x-zoom-limit"),
    )
    try:
        api.decipher(response, headers=headers, call=refused)
    except ZoomRefused as refusal:
        if refusal.zoom_code in SCOPES_MISSING:
            # From our table, never out of Zoom's message: that is for people, in their language.
            refusal.missing_scopes = operation.scopes.lacking(connection.scopes)
            refusal.reconnect_url = reconnect_url(connection)
            refusal.hint = _way_out(operation, connection, names_user=refused.names_user)
        elif api.token_rejected(response):
            refusal.reconnect_url = reconnect_url(connection)
        raise


def _way_out(operation: Operation, connection: Connection, *, names_user: bool = False) -> str:
    if connection.kind is Kind.ACCOUNT:
        return _ACCOUNT
    if operation.scopes.administrators_only:
        return _ADMINISTRATORS
    return _OF_OTHERS if names_user else _CONSENT


CONNECTION_HEADER = "x-zoom-connection"

# Says `interactive` when a person waits: such calls may use the part of the budget that is held back for them.
PRIORITY_HEADER = "x-zoom-priority"

# What of Zoom's own headers is worth passing on: how to read the body, the number Zoom's support asks for, the quota.
_PASSED_ON = ("content-type", "x-zm-trackingid", "x-ratelimit-")

_NO_TIME = Deadline.after(0.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """Zoom's answer for the caller: its status, its bytes, and the headers that go with them, in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Makes calls. `select` finds a principal's connection by the id it asked for, if it did.

    `reconnect_url` is where to ask for a person's consent again.
    """

    select: Callable[[Principal, str | None], Connection]
    sender: ZoomApiClient
    keys: Idempotency
    reads: ReadCache
    reconnect_url: Callable[[Connection], str]

    def call(self, asked: ApiRequest, record: CallStats | None = None) -> Answer:
        """Zoom's answer to what is asked; `record` is filled in on the way.

        Raises ZoomRefused for an answer that is an error, and any GatewayError before and instead of one.
        """
        record = CallStats() if record is None else record
        principal, headers = asked.principal, asked.headers
        try:
            operation, ids = match(asked.method, asked.path)
            record.names(operation)
            if not principal.may(operation.gateway_scope):
                raise Forbidden([operation.gateway_scope])
            connection = self.select(principal, headers.get(CONNECTION_HEADER))
            record.connection = connection.connection_id
            check_scopes(operation, connection, self.reconnect_url)
            call = ZoomCall(
                operation=operation,
                ids=addressed(connection, ids),
                connection=connection,
                deadline=asked.deadline,
                query_string=asked.query_string,
                body=asked.body,
                interactive=headers.get(PRIORITY_HEADER, "").strip().lower() == "interactive",
                record=record,
            )
            record.budget_left = self.sender.exchange.turns.left(call.spend())
            _check_request(operation, asked.query_string, asked.body)
            return self._answer(call, self._ask(call, headers), headers.get("if-none-match"))
        except GatewayError as error:
            record.reason = error.reason
            error.headers = {**record.headers(), **error.headers}
            raise
        finally:
            self._settle(asked, record)

    def _settle(self, asked: ApiRequest, record: CallStats) -> None:
        """Tell usage of the call and of the looks on its way; a table that is away is waited for once, not for each."""
        deadline = asked.deadline
        for each in (record, *record.aside):
            self.sender.usage.settle(asked.principal.tenant, each, deadline)
            if each.uncounted:
                deadline = _NO_TIME

    def _ask(self, call: ZoomCall, headers: Mapping[str, str]) -> HttpResponse:
        if call.operation.method == "GET":
            return self.reads.read(call, lambda: self.sender.send(call))
        self.reads.forget(call)
        key = headers.get(idempotency.HEADER)
        if key is None or call.operation.method != "POST":
            return self.sender.send(call)
        keyed = self.keys.once(call, key, self.sender)
        call.record.key = keyed.how
        return keyed.response

    def _answer(self, call: ZoomCall, response: HttpResponse, if_none_match: str | None) -> Answer:
        passed_on = self._headers(call, response)
        raise_for_refusal(
            response,
            operation=call.operation,
            connection=call.connection,
            headers=passed_on,
            reconnect_url=self.reconnect_url,
            ids=call.ids,
            query_string=call.query_string,
        )
        if call.operation.method == "GET" and response.status == 200:  # noqa: PLR2004 - HTTP's own number
            tag = read_cache.etag(call.connection.connection_id, response.body)
            # The caller may keep it for itself and has to ask each time; nobody else may.
            passed_on |= {"etag": tag, "cache-control": "private, no-cache"}
            if read_cache.is_known(if_none_match, tag):
                passed_on.pop("content-type", None)
                return Answer(304, passed_on)
        return Answer(response.status, passed_on, response.body)

    def _headers(self, call: ZoomCall, response: HttpResponse) -> dict[str, str]:
        headers = {name: value for name, value in response.headers.items() if name.startswith(_PASSED_ON)}
        headers |= call.record.headers()
        headers["x-zoom-ratelimit-category"] = response.headers.get(rate_limits.CATEGORY_HEADER, call.record.label)
        if response.status == 429:  # noqa: PLR2004 - HTTP's own number
            now = self.sender.exchange.clock()
            refusal = rate_limits.read(response, counts_for_user=call.operation.counts_for_user, now=now)
            headers["retry-after"] = str(ceil(refusal.retry_after if refusal.retry_after is not None else 1))
            headers["x-zoom-limit"] = str(refusal.limit)
        return headers


def _check_request(operation: Operation, query_string: str, body: bytes) -> None:
    if any(name == "access_token" for name, _ in parse_qsl(query_string, keep_blank_values=True)):
        # Zoom refuses tokens in URLs, where logs keep them. Its refusal would look like one of the connection's token.
        raise Unauthenticated(
            reason="token_in_query",
            message="Invalid access token, this access token is not supported as query parameter string.",
        )
    check_query(operation.query, query_string)
    api.check_body(operation, body)
