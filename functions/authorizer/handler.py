"""Turns an API key, or the token of a person who signed in, into a principal, or into the reason why there is none.

The request always goes on to its function: an HTTP API cannot shape its own 401 and 403, and an answer it keeps
serves every route of the same credential, so what the caller may do is not decided here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from time import time
from typing import Any

from zoom_common import correlation
from zoom_common.access.authentication import Denial, authenticate
from zoom_common.access.bearer_store import BearerStore
from zoom_common.access.principal import Principal
from zoom_common.access.store import ApiKeyStore
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.edge import observability
from zoom_common.edge.request import request_id
from zoom_common.edge.settings.authorizer import AuthorizerSettings, usual_limit


@cache
def _settings() -> AuthorizerSettings:
    return AuthorizerSettings.from_env(os.environ)


@cache
def _keys() -> ApiKeyStore:
    return ApiKeyStore(Table(clients.impatient_dynamodb(), _settings().connections_table))


@cache
def _bearers() -> BearerStore | None:
    name = _settings().coordination_table
    return BearerStore(Table(clients.impatient_dynamodb(), name)) if name else None


class _People:
    """Judges tokens with what is imported only now: most callers have keys, and pay for no JWT library."""

    def verify(self, token: str, *, now: float) -> Principal | Denial:
        from zoom_common.access.token_client import verifier  # noqa: PLC0415 - see above

        return verifier(_settings()).verify(token, now=now)


@cache
def _tokens() -> _People | None:
    return _People() if _settings().oidc_issuer else None


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer an HTTP API's authorizer request (payload 2.0, simple response)."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    correlation.begin(headers.get(correlation.HEADER, ""), request_id(event, context))
    verdict = authenticate(headers.get("authorization", ""), _keys(), now=time(), tokens=_tokens(), bearers=_bearers())
    if isinstance(verdict, Denial):
        observability.logger().info(
            "denied", reason=verdict.reason, cause=verdict.cause, request_id=request_id(event, context)
        )
        observability.count("Denied", reason=verdict.reason)
    elif verdict.is_key and verdict.requests_per_minute is None:
        verdict = replace(verdict, requests_per_minute=usual_limit(os.environ))
    return {"isAuthorized": True, "context": verdict.to_context()}
