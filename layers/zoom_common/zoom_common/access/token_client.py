"""Puts the verifier of people's tokens together, once per container."""

from __future__ import annotations

from functools import cache
from typing import Protocol

from zoom_common.access.jwks_client import ProviderKeys
from zoom_common.access.oidc import TokenVerifier, Trust
from zoom_common.transport import RequestsTransport


class OidcSettings(Protocol):
    """What is said about the identity provider."""

    @property
    def oidc_issuer(self) -> str: ...  # noqa: D102
    @property
    def oidc_audience(self) -> str: ...  # noqa: D102
    @property
    def oidc_tenant_claim(self) -> str: ...  # noqa: D102
    @property
    def oidc_scope_claim(self) -> str: ...  # noqa: D102
    @property
    def oidc_tenant(self) -> str: ...  # noqa: D102


@cache
def verifier(settings: OidcSettings) -> TokenVerifier:
    """A verifier for these settings, with keys that stay while the container does."""
    trust = Trust(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        tenant_claim=settings.oidc_tenant_claim,
        scope_claim=settings.oidc_scope_claim,
        tenant=settings.oidc_tenant,
    )
    return TokenVerifier(trust, ProviderKeys(settings.oidc_issuer, RequestsTransport()))
