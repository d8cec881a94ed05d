"""Zoom's users, recordings and reports under `/v2`: makes one call through the gateway for each request."""

from __future__ import annotations

import os
from functools import cache

from zoom_common.edge import zoom_api
from zoom_common.edge.http import guarded
from zoom_common.edge.request import Request
from zoom_common.edge.response import Response
from zoom_common.edge.zoom_api import ZoomApiSettings
from zoom_common.gateway.service import Gateway
from zoom_common.wiring.gateway import gateway
from zoom_common.wiring.throttle import key_limits


@cache
def _settings() -> ZoomApiSettings:
    return ZoomApiSettings.from_env(os.environ)


@cache
def _gateway() -> Gateway:
    return gateway(_settings())


def answer(request: Request) -> Response:
    """Return Zoom's answer, or the gateway's reason for not calling Zoom."""
    return zoom_api.answer(_gateway(), request)


handler = guarded(answer, key_limits(_settings))


# With the parameter SnapStart, Lambda takes its snapshot after this line: it holds modules, and nothing that was made.
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from zoom_common.edge import snapshot

    snapshot.prepare("zoom_common.gateway", "zoom_common.zoom")
