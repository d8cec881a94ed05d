"""Requests for paths of Zoom's API that are not in the table, in a stack whose parameter ZoomPassThrough is on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from zoom_common.access.principal import Principal
from zoom_common.edge.call_log import Logged
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import connection_header
from zoom_common.edge.response import Response
from zoom_common.errors import NotFound
from zoom_common.gateway import pass_through
from zoom_common.gateway.pass_through import Asked, LearnedLabels
from zoom_common.gateway.service import Gateway
from zoom_common.zoom.operations.table import NOT_SERVED
from zoom_common.zoom.pass_through import PREFIXES

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@cache
def _learned() -> LearnedLabels:
    return LearnedLabels()


def answer(gateway: Gateway, principal: Principal, request: Request) -> Response:
    """Return Zoom's answer: its status, its bytes, and the headers that describe them.

    HEAD is answered without the body. Raises what `gateway.pass_through.call` raises, and NotFound for a path or method
    that Zoom's API does not have.
    """
    if request.method == "OPTIONS":
        return Response(204, headers={"allow": ", ".join([*METHODS, "HEAD", "OPTIONS"])})
    if request.method == "HEAD":
        return replace(answer(gateway, principal, replace(request, method="GET")), body=b"")
    if request.method not in METHODS or not request.path.startswith(PREFIXES):
        raise NotFound("The gateway does not serve this path of Zoom's API.", reason=NOT_SERVED)
    connection_header(request.headers)  # checked here, read by the gateway
    asked = Asked(
        method=request.method,
        path=request.path,
        query_string=request.query_string,
        headers=request.headers,
        body=request.body,
    )
    send = Logged(gateway, request.request_id).call
    made = pass_through.call(asked, principal, request.deadline, send=send, learned=_learned())
    return Response(made.status, made.body, made.headers)
