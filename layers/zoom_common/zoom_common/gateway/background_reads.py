"""Reads of background work, through the gateway and its rate limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zoom_common.access.principal import Principal
from zoom_common.deadline import Deadline
from zoom_common.errors import Forbidden, ZoomRefused
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, NO_PERMISSION, AccessDenied, Read
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Gateway

# Zoom's codes for what a connection is never shown, whatever the id.
_NOT_SHOWN = {4711: MISSING_SCOPES, 200: NO_PERMISSION}


def reading(gateway: Gateway, principal: Principal, deadline: Deadline) -> Read:
    """Return a function that reads as `principal`, who is bound to one connection. It returns None for "not found".

    It raises AccessDenied for what Zoom does not show this connection, and what `Gateway.call` raises when another try
    may help.
    """

    def read(path: str) -> Mapping[str, Any] | None:
        try:
            answer = gateway.call(Call.read(path, principal, deadline))
        except Forbidden:
            raise AccessDenied(MISSING_SCOPES) from None  # the person did not grant it
        except ZoomRefused as refused:
            if refused.retryable:
                raise
            if refused.zoom_code in _NOT_SHOWN:
                raise AccessDenied(_NOT_SHOWN[refused.zoom_code]) from None
            return None
        found = json.loads(answer.body)
        if not isinstance(found, dict):
            return None
        if "message" in found and found.get("code") in _NOT_SHOWN:
            raise AccessDenied(_NOT_SHOWN[found["code"]])  # Zoom answers refusals on webinars with a 200
        return found

    return read
