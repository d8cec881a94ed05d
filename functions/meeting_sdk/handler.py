"""`POST /meetings/{id}/sdk-signature`: what a browser needs to join through Zoom's Meeting SDK."""

from __future__ import annotations

import os
from functools import cache
from time import time

from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.connections.app_secret_client import AppSecret
from zoom_common.edge.admissions import describe, wish_of
from zoom_common.edge.http import Request, Response, Router, json_response
from zoom_common.edge.logged import Logged
from zoom_common.edge.settings.meeting_sdk import MeetingSdkSettings
from zoom_common.gateway.joining import Joining
from zoom_common.gateway.wiring import gateway
from zoom_common.zoom.meeting_sdk import SdkApp


@cache
def _settings() -> MeetingSdkSettings:
    return MeetingSdkSettings.from_env(os.environ)


router = Router(lambda: _settings().zoom_api)
handler = router.handle


@cache
def _joining() -> Joining:
    settings = _settings()
    secret = AppSecret(clients.client("secretsmanager"), settings.sdk_secret_arn, clock=time)

    def app() -> SdkApp:
        known = secret.app()
        return SdkApp(known.client_id, known.client_secret)

    return Joining(zoom=Logged(gateway(settings.zoom_api)), app=app, app_account=settings.app_account_id, clock=time)


@router.route("POST", "/meetings/{meeting_id}/sdk-signature", scope="meetings:read")
def sign(request: Request, principal: Principal, meeting_id: str) -> Response:
    """Let a browser into a meeting."""
    wish = wish_of(request, meeting_id)
    admission = _joining().admit(principal, wish, request.deadline)
    return json_response(200, describe(wish, admission, request.request_id))
