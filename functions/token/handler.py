"""`POST /oauth/token`: exchanges the id and secret of an API key for a short-lived bearer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from time import time
from urllib.parse import parse_qsl

from zoom_common.access.bearers import BearerStore
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.token_endpoint import Refused, SignIn
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.edge.http import Router
from zoom_common.edge.request import Request
from zoom_common.edge.response import Response, json_response
from zoom_common.settings import require
from zoom_common.wiring.throttle import key_limits


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Tables of keys and bearers, and the gateway's own address."""

    connections_table: str
    coordination_table: str
    public_base_url: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> TokenSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            public_base_url=require(environ, "PUBLIC_BASE_URL").rstrip("/"),
        )


@cache
def _settings() -> TokenSettings:
    return TokenSettings.from_env(os.environ)


router = Router(key_limits(_settings))
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
    """Answer as Zoom's token endpoint does. Secrets are read from the header or the body, never from the URL."""
    body = dict(parse_qsl(request.body.decode(errors="replace")))
    named = {name: value for name, value in request.query.items() if name in {"grant_type", "account_id"}}
    try:
        return json_response(200, _sign_in().token(request.headers.get("authorization", ""), {**named, **body}))
    except Refused as refused:
        return json_response(refused.status, {"reason": refused.reason, "error": refused.error})
