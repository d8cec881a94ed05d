"""Zoom's meetings under `/v2`: makes calls through the gateway, and answers who is in a meeting from its events."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.connections.store import ConnectionStore
from zoom_common.edge import zoom_api
from zoom_common.edge.http import guarded
from zoom_common.edge.request import Request
from zoom_common.edge.response import Response
from zoom_common.edge.zoom_api import RosterSettings, ZoomApiSettings
from zoom_common.gateway.service import Gateway
from zoom_common.wiring.gateway import gateway
from zoom_common.wiring.throttle import key_limits

if TYPE_CHECKING:
    from zoom_common.gateway.participants import Participants


@cache
def _settings() -> ZoomApiSettings:
    return ZoomApiSettings.from_env(os.environ)


@cache
def _gateway() -> Gateway:
    return gateway(_settings())


@cache
def _participants() -> Participants:
    # Only one route needs the projections of events, so calls of Zoom's API start without them.
    from zoom_common.events.projections.reader import MeetingReader  # noqa: PLC0415
    from zoom_common.events.projections.store import ProjectionStore  # noqa: PLC0415
    from zoom_common.gateway.participants import EventRoster, Participants  # noqa: PLC0415

    settings = RosterSettings.from_env(os.environ)
    dynamodb = clients.client("dynamodb")
    projections = ProjectionStore(Table(dynamodb, settings.events_table, EVENTS))
    connections = ConnectionStore(Table(dynamodb, settings.connections_table, CONNECTIONS))
    return Participants(EventRoster(MeetingReader(projections, clock=time.time), connections))


def answer(request: Request) -> Response:
    """Return Zoom's answer, or the gateway's reason for not calling Zoom."""
    return zoom_api.answer(_gateway(), request, _participants)


handler = guarded(answer, key_limits(_settings))


# With the parameter SnapStart, Lambda takes its snapshot after this line: it holds modules, and nothing that was made.
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from zoom_common.edge import snapshot

    snapshot.prepare("zoom_common.gateway", "zoom_common.zoom", "zoom_common.events.projections")
