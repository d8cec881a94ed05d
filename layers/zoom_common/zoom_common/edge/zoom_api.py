"""Zoom's REST API, as a function serves it: a request goes through the gateway, Zoom's answer comes back as it is."""

from __future__ import annotations

from zoom_common.edge import call_log
from zoom_common.edge.http import Request, Response, authorize
from zoom_common.gateway.call import Gateway
from zoom_common.gateway.record import CallRecord


def answer(gateway: Gateway, request: Request) -> Response:
    """Answer a request under `/v2`. Raises what `Gateway.call` raises, and Unauthenticated without a principal."""
    record = CallRecord()
    try:
        result = gateway.call(
            authorize(request, None),
            request.method,
            request.path,
            query_string=request.query_string,
            headers=request.headers,
            body=request.body,
            deadline=request.deadline,
            record=record,
        )
    finally:
        if record.operation:
            call_log.write(record, request.request_id)
    return Response(result.status, result.body, result.headers)
