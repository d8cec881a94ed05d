"""One call to Zoom for one caller, from principal to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol
from urllib.parse import parse_qsl

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection
from zoom_common.deadline import Deadline
from zoom_common.errors import Forbidden, Unauthenticated, ZoomScopesMissing
from zoom_common.gateway.addressing import addressed, base_url
from zoom_common.gateway.exchange import Exchange
from zoom_common.secret import Secret
from zoom_common.zoom import api, limits
from zoom_common.zoom.operations import Operation, check_query, match
from zoom_common.zoom.wire import HttpResponse

CONNECTION_HEADER = "x-zoom-connection"
# What of Zoom's own headers is worth passing on: how to read the body, the number Zoom's support asks for, the quota.
_PASSED_ON = ("content-type", "x-zm-trackingid", "x-ratelimit-")


class AccessTokens(Protocol):
    """Where access tokens come from. Both raise ConnectionUnusable, ZoomUnavailable or Unavailable."""

    def token(self, connection: Connection, deadline: Deadline) -> Secret:
        """A token that is good now."""
        ...

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret:
        """Another token than the one Zoom has just refused."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """Zoom's answer for the caller: its status, its bytes, and the headers that go with them, in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Makes calls. `select` finds a principal's connection by the id it asked for, if it did.

    `reconnect_url` is where a person's consent can be asked for again.
    """

    select: Callable[[Principal, str | None], Connection]
    tokens: AccessTokens
    exchange: Exchange
    api_base_url: str
    reconnect_url: Callable[[Connection], str]

    def call(
        self,
        principal: Principal,
        method: str,
        path: str,
        *,
        query_string: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
    ) -> Answer:
        """Zoom's answer to a request under `/v2`. Header names are lower case.

        Raises ZoomRefused for an answer that is an error, and any GatewayError before and instead of one.
        """
        operation, ids = match(method, path)
        if not principal.may(operation.gateway_scope):
            raise Forbidden([operation.gateway_scope])
        connection = self.select(principal, headers.get(CONNECTION_HEADER))
        ids = addressed(connection, ids)
        self._check_scopes(operation, connection)
        _check_request(operation, query_string, body)

        # Idempotency and the rate budget belong here: after all that costs nothing, before anything that does.
        def send(token: Secret) -> HttpResponse:
            url = base_url(connection.api_url, self.api_base_url)
            request = api.build(operation, ids, query_string=query_string, body=body, base_url=url, token=token)
            return self.exchange.send(operation, request, deadline)

        response = send(self.tokens.token(connection, deadline))
        if api.token_rejected(response):
            response = send(self.tokens.after_rejection(connection, deadline))
        passed_on = self._headers(operation, response)
        api.decipher(response, headers=passed_on)
        return Answer(response.status, passed_on, response.body)

    def _check_scopes(self, operation: Operation, connection: Connection) -> None:
        # A grant whose scopes nobody has told us is Zoom's to judge.
        if connection.scopes and not operation.scopes.allow(connection.scopes):
            raise ZoomScopesMissing(operation.scopes.granular, reconnect_url=self.reconnect_url(connection))

    def _headers(self, operation: Operation, response: HttpResponse) -> dict[str, str]:
        headers = {name: value for name, value in response.headers.items() if name.startswith(_PASSED_ON)}
        headers["x-zoom-ratelimit-category"] = response.headers.get(limits.CATEGORY_HEADER, str(operation.label))
        if response.status == 429:  # noqa: PLR2004 - HTTP's own number
            refusal = limits.read(response, counts_for_user=operation.counts_for_user, now=self.exchange.clock())
            headers["retry-after"] = str(ceil(refusal.retry_after if refusal.retry_after is not None else 1))
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
