"""The authorizer of the HTTP API: turns an API key, a bearer or a person's token into a principal or a denial reason.

The request is passed on to its function in both cases, for two reasons: an HTTP API cannot shape its own 401 and 403,
and it caches the answer for every route of the same credential. So the function decides what the caller may do.

When a credential cannot be checked, the authorizer fails: the API answers this one request with its own 500 and asks
again for the next one. A denial would be cached for a minute, although the caller's key may be good.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from time import time
from typing import Any

from zoom_common import observability
from zoom_common.access.authentication import Denial, authenticate
from zoom_common.access.bearers import BearerStore
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.edge.request import request_id
from zoom_common.settings import optional, require


@dataclass(frozen=True, slots=True)
class AuthorizerSettings:
    """Tables of keys and bearers, and the trusted issuer. Tokens need an issuer, bearers need a table."""

    connections_table: str
    coordination_table: str = ""
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_tenant_claim: str = "tenant"
    oidc_scope_claim: str = "scope"
    oidc_tenant: str = ""
    oidc_id_tokens: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> AuthorizerSettings:
        """Read the settings. Raises MissingSetting, also for the audience when an issuer is set."""
        issuer = optional(environ, "OIDC_ISSUER")
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            coordination_table=optional(environ, "COORDINATION_TABLE"),
            oidc_issuer=issuer,
            # A token that this provider issued for another program must not be accepted here.
            oidc_audience=require(environ, "OIDC_AUDIENCE") if issuer else "",
            oidc_tenant_claim=optional(environ, "OIDC_TENANT_CLAIM", "tenant"),
            oidc_scope_claim=optional(environ, "OIDC_SCOPE_CLAIM", "scope"),
            oidc_tenant=optional(environ, "OIDC_TENANT"),
            oidc_id_tokens=optional(environ, "OIDC_ID_TOKENS", "refuse") == "accept",
        )


def default_limit(environ: Mapping[str, str]) -> int | None:
    """Return the limit of requests per minute for keys without one of their own, or None for no limit."""
    return int(optional(environ, "KEY_REQUESTS_PER_MINUTE", "0")) or None


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
    """Verifies tokens. The JWT library is imported with the first one, because most callers use keys."""

    def verify(self, token: str, *, now: float) -> Principal | Denial:
        from zoom_common.access.oidc import verifier  # noqa: PLC0415 - see above

        return verifier(_settings()).verify(token, now=now)


@cache
def _tokens() -> _People | None:
    return _People() if _settings().oidc_issuer else None


class NotJudged(Exception):
    """A credential could not be checked, because a store or the identity provider does not answer."""


_PASSING = frozenset({"unavailable", "internal_error"})


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer an HTTP API's authorizer request (payload 2.0, simple response). Raises NotJudged."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    observability.begin_correlation(headers.get(observability.CORRELATION_HEADER, ""), request_id(event, context))
    verdict = authenticate(headers.get("authorization", ""), _keys(), now=time(), tokens=_tokens(), bearers=_bearers())
    if isinstance(verdict, Denial) and _is_preflight(event, headers):
        return {"isAuthorized": True, "context": verdict.to_context()}  # nobody guesses a key, so no alarm counts it
    if isinstance(verdict, Denial):
        observability.logger().info(
            "denied", reason=verdict.reason, cause=verdict.cause, request_id=request_id(event, context)
        )
        observability.count("Denied", reason=verdict.reason)
        if verdict.reason in _PASSING:
            raise NotJudged(verdict.reason)
    elif verdict.is_key and verdict.requests_per_minute is None:
        verdict = replace(verdict, requests_per_minute=default_limit(os.environ))
    return {"isAuthorized": True, "context": verdict.to_context()}


def _is_preflight(event: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Return whether a browser asks, without a credential, if a page of another origin may call."""
    method = event.get("requestContext", {}).get("http", {}).get("method")
    return method == "OPTIONS" and "authorization" not in headers


# With the parameter SnapStart, Lambda takes its snapshot after this line: it holds modules, and nothing that was made.
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from zoom_common.edge import snapshot

    snapshot.prepare("zoom_common.access")
