"""Zoom's REST API, as a function serves it: a request goes through the gateway, Zoom's answer comes back as it is.

Lists asked for as a whole and our own operations take several calls: each goes through the gateway like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zoom_common.access.principal import Principal
from zoom_common.edge.http import Request, Response, authorize
from zoom_common.edge.logged import Logged
from zoom_common.edge.request_fields import connection_header
from zoom_common.errors import Forbidden
from zoom_common.gateway import pages
from zoom_common.gateway.api_request import ApiRequest
from zoom_common.gateway.call import Answer, Gateway
from zoom_common.gateway.participants import Participants
from zoom_common.zoom.operations import Operation, match

# One call of several is no conditional read of the whole.
_OF_ONE_CALL = frozenset({"if-none-match"})


def answer(gateway: Gateway, request: Request, participants: Callable[[], Participants] | None = None) -> Response:
    """Answer a request under `/v2`.

    Raises what `Gateway.call` raises, Unauthenticated without a principal, and InvalidRequest for an X-Zoom-Connection
    that no connection can have.
    """
    principal = authorize(request, None)
    operation, ids = match(request.method, request.path)
    connection_header(request.headers)  # checked here, read by the gateway
    calls = _Calls(gateway, principal, request)
    if operation.own and participants is not None:
        _check(principal, operation)
        result = participants().answer(principal, ids["meetingId"], request.query_string, calls.read)
    elif pages.concerns(operation, request.query_string):
        result = pages.walk(
            operation, request.query_string, lambda query: calls.read(request.path, query), request.deadline
        )
    else:
        result = calls.one(request.method, request.path, request.query_string, request.headers)
    return Response(result.status, result.body, result.headers)


def _check(principal: Principal, operation: Operation) -> None:
    if not principal.may(operation.gateway_scope):
        raise Forbidden([operation.gateway_scope])


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls that one request takes, each with its own line in the log."""

    gateway: Gateway
    principal: Principal
    request: Request

    def read(self, path: str, query_string: str) -> Answer:
        """One read of several."""
        headers = {name: value for name, value in self.request.headers.items() if name not in _OF_ONE_CALL}
        return self.one("GET", path, query_string, headers)

    def one(self, method: str, path: str, query_string: str, headers: Mapping[str, str]) -> Answer:
        """Call Zoom through the gateway."""
        asked = ApiRequest(
            principal=self.principal,
            method=method,
            path=path,
            query_string=query_string,
            headers=headers,
            body=self.request.body,
            deadline=self.request.deadline,
        )
        return Logged(self.gateway, self.request.request_id).call(asked)
