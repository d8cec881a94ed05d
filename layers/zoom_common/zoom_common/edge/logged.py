"""The gateway, with a line in the log for each call to Zoom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection
from zoom_common.edge import call_log
from zoom_common.gateway.api_request import ApiRequest
from zoom_common.gateway.call import Answer, Gateway
from zoom_common.gateway.record import CallRecord


@dataclass(frozen=True, slots=True)
class Logged:
    """Calls as the gateway does. `request_id` is of the request that they are made for, where there is one."""

    gateway: Gateway
    request_id: str | None = None

    @property
    def select(self) -> Callable[[Principal, str | None], Connection]:
        """How the gateway finds a connection."""
        return self.gateway.select

    def call(self, asked: ApiRequest) -> Answer:
        """Zoom's answer. Raises what `Gateway.call` raises; either way each call to Zoom is logged."""
        record = CallRecord()
        try:
            return self.gateway.call(asked, record)
        finally:
            for each in (record, *record.aside):
                if each.operation:
                    call_log.write(each, self.request_id)
