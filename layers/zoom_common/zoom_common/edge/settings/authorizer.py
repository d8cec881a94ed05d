"""What the authorizer is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require


@dataclass(frozen=True, slots=True)
class AuthorizerSettings:
    """Where keys and bearers are, and whose tokens count. Without an issuer no tokens, without a table no bearers."""

    connections_table: str
    coordination_table: str = ""
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_tenant_claim: str = "tenant"
    oidc_scope_claim: str = "scope"
    oidc_tenant: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> AuthorizerSettings:
        """Read the settings. Raises MissingSetting, for the audience too once there is an issuer."""
        issuer = optional(environ, "OIDC_ISSUER")
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            coordination_table=optional(environ, "COORDINATION_TABLE"),
            oidc_issuer=issuer,
            # A token that this provider made for another program must not open this one.
            oidc_audience=require(environ, "OIDC_AUDIENCE") if issuer else "",
            oidc_tenant_claim=optional(environ, "OIDC_TENANT_CLAIM", "tenant"),
            oidc_scope_claim=optional(environ, "OIDC_SCOPE_CLAIM", "scope"),
            oidc_tenant=optional(environ, "OIDC_TENANT"),
        )


def usual_limit(environ: Mapping[str, str]) -> int | None:
    """How many requests a minute a key may make that has no limit of its own; None: nobody counts."""
    return int(optional(environ, "KEY_REQUESTS_PER_MINUTE", "0")) or None
