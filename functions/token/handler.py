"""`POST /oauth/token`: a program that signs in by itself changes its API key for a short-lived bearer."""

from __future__ import annotations

import os
from functools import cache
from time import time
from urllib.parse import parse_qsl

from zoom_common.access.bearer_store import BearerStore
from zoom_common.access.sign_in import Refused, SignIn
from zoom_common.access.store import ApiKeyStore
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.edge.http import Request, Response, Router, json_response
from zoom_common.edge.settings.token import TokenSettings


@cache
def _settings() -> TokenSettings:
    return TokenSettings.from_env(os.environ)


router = Router(_settings)
handler = router.handle


@cache
def _sign_in() -> SignIn:
    settings = _settings()
    dynamodb = clients.impatient_dynamodb()
    return SignIn(
        keys=ApiKeyStore(Table(dynamodb, settings.connections_table)),
        keep=BearerStore(Table(dynamodb, settings.coordination_table)).put,
        clock=time,
        api_url=settings.public_base_url,
    )


@router.route("POST", "/oauth/token", scope=None)
def token(request: Request) -> Response:
    """Zoom's token response, or its refusal. Secrets are taken from the header or the body, never from the URL."""
    body = dict(parse_qsl(request.body.decode(errors="replace")))
    named = {name: value for name, value in request.query.items() if name in {"grant_type", "account_id"}}
    try:
        return json_response(200, _sign_in().token(request.headers.get("authorization", ""), {**named, **body}))
    except Refused as refusal:
        return json_response(refusal.status, {"reason": refusal.reason, "error": refusal.error})
