"""Makes one call to Zoom for one caller, from principal to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, Kind
from zoom_common.deadline import Deadline
from zoom_common.errors import AnswerTooLong, Forbidden, GatewayError, Unauthenticated, ZoomRefused, ZoomScopesMissing
from zoom_common.gateway import idempotency, read_cache
from zoom_common.gateway.context import ME, Call, addressed
from zoom_common.gateway.http_client import ZoomApiClient
from zoom_common.gateway.idempotency import Idempotency
from zoom_common.gateway.read_cache import ReadCache
from zoom_common.zoom import api, rate_limits
from zoom_common.zoom.error_codes import REQUEST_AT_FAULT, SCOPES_MISSING, RefusedCall
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.model import Operation, check_query

_CONSENT = "Any one of the missing scopes is enough. Add it to the Zoom app, then let the person reconnect."

_ADMINISTRATORS = (
    "Only an administrator of the Zoom account can grant this, to an app that has the scope. A user-level app cannot."
)

_OF_OTHERS = (
    "For another user than `me` this takes the `:admin` form of a scope. Only an administrator of the Zoom account can "
    "grant it."
)

_ACCOUNT = "Add one of the missing scopes to the Server-to-Server app at Zoom; its next token has it."

if TYPE_CHECKING:
    from zoom_common.gateway.host_calendar import HostCalendar

type ReconnectUrl = Callable[[Connection], str]


def check_scopes(operation: Operation, connection: Connection, reconnect_url: ReconnectUrl) -> None:
    """Raise ZoomScopesMissing when no token of `connection` can do `operation`.

    A connection without known scopes is accepted, and Zoom decides.
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
    request_at_fault: bool = False,
) -> None:
    """Return for a success, else raise ZoomRefused. For missing scopes it names them and where to grant them.

    `ids` are those of the path and `query_string` is the caller's, because hints depend on both. `request_at_fault`:
    Zoom answered 401 and accepts the token for another request, so a new consent would not help.
    """
    refused = RefusedCall(
        method=operation.method,
        path=operation.path,
        names_user=(ids or {}).get("userId", ME) != ME,
        is_account_level=connection.kind is Kind.ACCOUNT,
        has_page_token="next_page_token" in dict(parse_qsl(query_string)),
        limit=headers.get("x-zoom-limit"),
    )
    try:
        api.decipher(response, headers=headers, call=refused)
    except ZoomRefused as refusal:
        if refusal.zoom_code in SCOPES_MISSING:
            # From the operations table: Zoom's message is text for people, in their language.
            refusal.missing_scopes = operation.scopes.lacking(connection.scopes)
            refusal.reconnect_url = reconnect_url(connection)
            refusal.hint = _way_out(operation, connection, names_user=refused.names_user)
        elif request_at_fault:
            refusal.reason, refusal.hint = REQUEST_AT_FAULT.reason, REQUEST_AT_FAULT.hint
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

# The headers of Zoom's that the caller gets: how to read the body, the number for Zoom's support, the quota.
_PASSED_ON = ("content-type", "x-zm-trackingid", "x-ratelimit-")

# Operations that make, change or delete a plan. `gateway.not_applied` and `gateway.overlaps` read their answers.
_PLANS = frozenset(f"{kind}.{what}" for kind in ("meetings", "webinars") for what in ("create", "update", "delete"))

# An answer of the pass-through also has the headers that files and redirects need.
_PASSED_ON_WHOLE = (*_PASSED_ON, "location", "content-disposition", "content-range", "accept-ranges", "last-modified")

_MOST_EXPECTED = 1000

_NO_TIME = Deadline.after(0.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """Zoom's answer for the caller: its status, its bytes, and the headers that go with them, in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Makes calls. `select` finds a principal's connection, by the id in the request if there is one.

    `reconnect_url` gives the page where a person consents again. `passes_on`: the pass-through is switched on.
    `calendar` has the hosts' plans; without it the answers have no header about overlaps.
    """

    select: Callable[[Principal, str | None], Connection]
    client: ZoomApiClient
    idempotency: Idempotency
    read_cache: ReadCache
    reconnect_url: ReconnectUrl
    passes_on: bool = False
    calendar: HostCalendar | None = None
    _expected: dict[tuple[str | None, ...], Connection] = field(default_factory=dict)
    """The connection of each caller's last call, which the next one will most likely use too."""

    def call(self, call: Call) -> Answer:
        """Return Zoom's answer for the caller. `call.stats` is filled in for successes and failures.

        Raises ZoomRefused when Zoom answers with an error, and other GatewayErrors when there is no answer.
        """
        try:
            self._bind(call)
            response = self._response(call)
            self._expect(call)
            return self._answer(call, response)
        except GatewayError as error:
            call.stats.reason = error.reason
            error.headers = {**call.stats.headers(), **error.headers}
            raise
        finally:
            self.client.http.limiter.drop(call.early)
            self._count(call)

    def _bind(self, call: Call) -> None:
        """Find the caller's connection and check that this request may be sent over it."""
        operation = call.operation
        if not call.principal.may(operation.gateway_scope):
            raise Forbidden([operation.gateway_scope])
        connection = self._selected(call)
        call.bind(connection)
        check_scopes(operation, connection, self.reconnect_url)
        call.ids = addressed(connection, operation, call.ids)
        call.stats.budget_left = self.client.http.limiter.left(call.cost())
        _check_request(call)

    def _selected(self, call: Call) -> Connection:
        """Read the caller's connection. If it can be guessed, request the send slot at the same time.

        The guess decides nothing else: the connection is read each time, and a slot of another account, or one that is
        not needed, is given back.
        """
        limiter = self.client.http.limiter
        expected = self._expected.get(_caller(call))
        if expected is not None and self._surely_sends(call, expected):
            del self._expected[_caller(call)]  # until this call has been sent to Zoom too
            call.early = limiter.begin(call.cost(expected), call.deadline)
        connection = self.select(call.principal, call.headers.get(CONNECTION_HEADER))
        if expected is not None and connection.zoom_account_id != expected.zoom_account_id:
            limiter.drop(call.early)
        return connection

    def _expect(self, call: Call) -> None:
        """Expect the caller's next call over the same connection, because this one was sent to Zoom."""
        if len(self._expected) >= _MOST_EXPECTED:
            self._expected.clear()
        self._expected[_caller(call)] = call.connection

    def _surely_sends(self, call: Call, expected: Connection) -> bool:
        """Return whether a valid call is always sent to Zoom, because no stored answer can be used."""
        if expected.scopes and not call.operation.scopes.allow(expected.scopes):
            return False
        if call.operation.method == "GET":
            return self.read_cache.seconds <= 0
        return idempotency.HEADER not in call.headers

    def _count(self, call: Call) -> None:
        """Count the call and the reads it needed.

        After a write has failed, later ones do not wait for DynamoDB again.
        """
        deadline = call.deadline
        for each in call.stats.with_reads():
            self.client.usage.settle(call.principal.tenant, each, deadline)
            if each.uncounted:
                deadline = _NO_TIME

    def _response(self, call: Call) -> HttpResponse:
        if call.operation.method == "GET":
            return self.read_cache.read(call, self.client.send)
        self.read_cache.forget(call)
        key = call.headers.get(idempotency.HEADER)
        if key is None or call.operation.method != "POST":
            return self.client.send(call)
        keyed = self.idempotency.once(call, key, self.client)
        call.stats.key = keyed.how
        return keyed.response

    def _answer(self, call: Call, response: HttpResponse) -> Answer:
        headers = self._headers(call, response)
        if call.operation.passed and response.status < 400:  # noqa: PLR2004 - successes and redirects
            return _passed_on(call, response, headers)
        raise_for_refusal(
            response,
            operation=call.operation,
            connection=call.connection,
            headers=headers,
            reconnect_url=self.reconnect_url,
            ids=call.ids,
            query_string=call.query_string,
            request_at_fault=call.stats.request_at_fault,
        )
        if call.operation.method == "GET" and response.status == 200:  # noqa: PLR2004 - HTTP's own number
            tag = read_cache.etag(call.connection.connection_id, response.body)
            # The caller may store the answer, and has to revalidate it for each use. Shared caches may not store it.
            headers |= {"etag": tag, "cache-control": "private, no-cache"}
            if read_cache.is_known(call.headers.get("if-none-match"), tag):
                headers.pop("content-type", None)
                return Answer(304, headers)
        if call.operation.name in _PLANS:
            headers |= self._about_plan(call, response)
        return Answer(response.status, headers, response.body)

    def _about_plan(self, call: Call, response: HttpResponse) -> dict[str, str]:
        """Return headers about a new or changed plan: what Zoom did not apply, and what overlaps."""
        from zoom_common.gateway import overlaps  # noqa: PLC0415 - only such calls need them
        from zoom_common.gateway.create_lookup import json_object  # noqa: PLC0415 - as above

        found, what = {}, call.operation.name.partition(".")[2]
        answered = json_object(response.body)
        if call.body and what != "delete":
            from zoom_common.gateway import not_applied  # noqa: PLC0415 - it loads models of bodies

            names = not_applied.names(call.operation, call.body, answered, now=self.client.http.clock())
            found[not_applied.HEADER] = names
        if self.calendar is not None and what == "create":
            found[overlaps.HEADER] = overlaps.named(self.calendar, call, answered)
        elif self.calendar is not None:
            overlaps.moved(self.calendar, call)
        return {name: value for name, value in found.items() if value}

    def _headers(self, call: Call, response: HttpResponse) -> dict[str, str]:
        kept = _PASSED_ON_WHOLE if call.operation.passed else _PASSED_ON
        headers = {name: value for name, value in response.headers.items() if name.startswith(kept)}
        headers |= call.stats.headers()
        headers["x-zoom-ratelimit-category"] = response.headers.get(rate_limits.CATEGORY_HEADER, call.stats.label)
        if response.status == 429:  # noqa: PLR2004 - HTTP's own number
            now = self.client.http.clock()
            refusal = rate_limits.read(response, counts_for_user=call.operation.counts_for_user, now=now)
            headers["retry-after"] = str(ceil(refusal.retry_after if refusal.retry_after is not None else 1))
            headers["x-zoom-limit"] = str(refusal.limit)
        return headers


def _caller(call: Call) -> tuple[str | None, ...]:
    """Return the caller, and the connection if the request names one."""
    who = call.principal
    return who.tenant, who.subject, who.connection, call.headers.get(CONNECTION_HEADER)


def _passed_on(call: Call, response: HttpResponse, headers: dict[str, str]) -> Answer:
    """Return an answer of the pass-through unchanged: any bytes, and redirects, which the gateway never follows."""
    if response.too_long:
        raise AnswerTooLong(changed=not call.operation.safe_to_retry)
    return Answer(response.status, headers, response.body)


def _check_request(call: Call) -> None:
    if any(name == "access_token" for name, _ in parse_qsl(call.query_string, keep_blank_values=True)):
        # Zoom refuses tokens in URLs, with an answer that looks like a refusal of the connection's own token.
        raise Unauthenticated(
            reason="token_in_query",
            message="Invalid access token, this access token is not supported as query parameter string.",
        )
    check_query(call.operation.query, call.query_string)
    api.check_body(call.operation, call.body, call.content_type)
