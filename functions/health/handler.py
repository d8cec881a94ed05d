"""`GET /health` and `GET /openapi.json`, open and shallow; every route nobody else serves gets Zoom's 404."""

from __future__ import annotations

import os
from functools import cache

from zoom_common.edge import api_document
from zoom_common.edge.http import Request, Response, Router, json_response
from zoom_common.edge.settings.health import HealthSettings

router = Router()
handler = router.handle


@cache
def _settings() -> HealthSettings:
    return HealthSettings.from_env(os.environ)


@router.route("GET", "/health", scope=None)
def health(request: Request) -> Response:  # noqa: ARG001 - a route's signature
    """The function runs; nothing behind it is asked."""
    about = _settings()
    return json_response(200, {"status": "ok", "version": about.version, "stage": about.stage})


@router.route("GET", "/openapi.json", scope=None)
def openapi(request: Request) -> Response:  # noqa: ARG001 - as above
    """What the API offers; it is in the documents anyway."""
    return api_document.described()
