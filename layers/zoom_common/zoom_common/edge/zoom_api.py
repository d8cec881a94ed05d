"""Serves Zoom's REST API: passes a request to the gateway and returns Zoom's answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from zoom_common.access.principal import Principal
from zoom_common.edge.call_log import Logged
from zoom_common.edge.http import NOT_RECOGNIZED, authorize
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import connection_header
from zoom_common.edge.response import Response
from zoom_common.errors import Forbidden, GatewayError, MethodNotAllowed, NotFound
from zoom_common.gateway import pagination
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Answer, Gateway
from zoom_common.ratelimit.limiter import RateLimitRules
from zoom_common.settings import ZOOM_API, optional, require
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import NOT_SERVED, match, methods
from zoom_common.zoom.rate_limits import Plan

if TYPE_CHECKING:
    from zoom_common.gateway.participants import Participants

SHARE, RESERVE = "0.9", "0.1"


@dataclass(frozen=True, slots=True)
class ZoomApiSettings:
    """Settings of a function that calls Zoom: tables, keys, URLs, the refresh function and the rate limit rules.

    Base URLs end without a slash.
    """

    connections_table: str
    data_key_id: str
    token_refresh_function: str
    public_base_url: str
    connect_page_url: str = ""
    zoom_api_base_url: str = ZOOM_API
    coordination_table: str = ""
    budget: RateLimitRules = field(default_factory=RateLimitRules)
    read_cache_seconds: float = 0.0
    pass_through: bool = False
    zoom_client_id: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ZoomApiSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            token_refresh_function=require(environ, "TOKEN_REFRESH_FUNCTION"),
            public_base_url=require(environ, "PUBLIC_BASE_URL").rstrip("/"),
            connect_page_url=optional(environ, "CONNECT_PAGE_URL"),
            zoom_api_base_url=optional(environ, "ZOOM_API_BASE_URL", ZOOM_API).rstrip("/"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            budget=budget_rules(environ),
            read_cache_seconds=float(optional(environ, "READ_CACHE_SECONDS", "0")),
            pass_through=optional(environ, "PASS_THROUGH", "off") == "on",
            zoom_client_id=optional(environ, "ZOOM_CLIENT_ID"),
        )


def budget_rules(environ: Mapping[str, str]) -> RateLimitRules:
    """Return the rate limit rules. ZOOM_ACCOUNT_PLANS is `account=plan,...`, for accounts with another plan."""
    pairs = (pair.partition("=") for pair in optional(environ, "ZOOM_ACCOUNT_PLANS").split(",") if pair.strip())
    return RateLimitRules(
        plan=Plan(optional(environ, "ZOOM_PLAN", Plan.PRO)),
        plans={account.strip(): Plan(plan.strip()) for account, _, plan in pairs},
        share=float(optional(environ, "ZOOM_RATE_SHARE", SHARE)),
        reserve=float(optional(environ, "ZOOM_RATE_RESERVE", RESERVE)),
    )


@dataclass(frozen=True, slots=True)
class RosterSettings:
    """The tables of events and connections."""

    connections_table: str
    events_table: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> RosterSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"), events_table=require(environ, "EVENTS_TABLE")
        )


_SWITCHED_OFF = (
    "docs/api/operations.md lists what is served. Other paths of Zoom's API need the parameter ZoomPassThrough, and a "
    "key with the scope zoom:read or zoom:write."
)

# A condition on the whole answer cannot be applied to one of several reads.
_OF_ONE_CALL = frozenset({"if-none-match"})


def answer(gateway: Gateway, request: Request, participants: Callable[[], Participants] | None = None) -> Response:
    """Answer a request under `/v2`. A path without a row goes to Zoom unchanged if the pass-through is on.

    Raises what `Gateway.call` raises, Unauthenticated without a principal, and InvalidRequest for an X-Zoom-Connection
    that no connection can have.
    """
    principal = authorize(request, None)
    try:
        if request.method == "OPTIONS":
            return Response(204, headers={"allow": ", ".join(methods(request.path))})
        if request.method == "HEAD":
            return replace(answer(gateway, replace(request, method="GET"), participants), body=b"")
        operation, ids = match(request.method, request.path)
    except (NotFound, MethodNotAllowed) as error:
        return _without_row(gateway, principal, request, error)
    connection_header(request.headers)  # checked here, read by the gateway
    calls = _Calls(gateway, principal, request)
    if operation.own:
        if participants is None:  # the path had extra slashes and reached a function without events
            raise NotFound(NOT_RECOGNIZED, reason=NOT_SERVED)
        _check(principal, operation)
        result = participants().answer(principal, ids["meetingId"], request.query_string, calls.read)
    elif pagination.is_paginated(operation, request.query_string):
        result = calls.walk(operation)
    elif operation.weekly and operation.items is None:
        result = calls.counts(operation, ids)
    else:
        result = calls.one(operation, ids, request.query_string, request.headers)
        if pagination.is_cut(operation, request.query_string, result):
            result = calls.walk(operation)
    return Response(result.status, result.body, result.headers)


def _without_row(gateway: Gateway, principal: Principal, request: Request, error: GatewayError) -> Response:
    """Answer a request for a path without a row: through the pass-through if it is on, else raise `error`."""
    if isinstance(error, NotFound):
        error.hint = _SWITCHED_OFF
    if not gateway.passes_on:
        raise error
    from zoom_common.edge import pass_through  # noqa: PLC0415 - only its own calls need it

    return pass_through.answer(gateway, principal, request)


def _check(principal: Principal, operation: Operation) -> None:
    if not principal.may(operation.gateway_scope):
        raise Forbidden([operation.gateway_scope])


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls for one request, each with its own line in the log."""

    gateway: Gateway
    principal: Principal
    request: Request

    def walk(self, operation: Operation) -> Answer:
        """Read a list page by page and month by month."""
        asked = self.request
        return pagination.walk(
            operation, asked.query_string, lambda query: self.read(asked.path, query), asked.deadline
        )

    def counts(self, operation: Operation, ids: Mapping[str, str]) -> Answer:
        """Read the counts of a period, week by week where it is longer than a week."""
        from zoom_common.gateway import summed_counts  # noqa: PLC0415 - one operation needs it

        asked = self.request
        if not summed_counts.is_summed(operation, asked.query_string):
            return self.one(operation, ids, asked.query_string, asked.headers)
        return summed_counts.summed(
            operation, asked.query_string, lambda query: self.read(asked.path, query), asked.deadline
        )

    def read(self, path: str, query_string: str) -> Answer:
        """Make one of several reads."""
        headers = {name: value for name, value in self.request.headers.items() if name not in _OF_ONE_CALL}
        return self.one(*match("GET", path), query_string, headers)

    def one(
        self, operation: Operation, ids: Mapping[str, str], query_string: str, headers: Mapping[str, str]
    ) -> Answer:
        """Call Zoom through the gateway."""
        call = Call(
            principal=self.principal,
            operation=operation,
            ids=ids,
            query_string=query_string,
            headers=headers,
            body=self.request.body,
            deadline=self.request.deadline,
        )
        return Logged(self.gateway, self.request.request_id).call(call)
