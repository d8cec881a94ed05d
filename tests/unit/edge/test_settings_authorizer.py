"""Settings of the authorizer."""

from __future__ import annotations

import pytest

from tests.fakes.handlers import load
from zoom_common.settings import MissingSetting


def test_without_an_issuer_only_keys_count() -> None:
    """The table is enough."""
    assert load("authorizer").AuthorizerSettings.from_env({"CONNECTIONS_TABLE": "c"}).oidc_issuer == ""


def test_an_issuer_needs_an_audience() -> None:
    """Else tokens made for other programs would open this one."""
    with pytest.raises(MissingSetting, match="OIDC_AUDIENCE"):
        load("authorizer").AuthorizerSettings.from_env(
            {"CONNECTIONS_TABLE": "c", "OIDC_ISSUER": "https://id.example.com"}
        )


def test_the_claims_have_usual_names() -> None:
    """And are settings."""
    environ = {"CONNECTIONS_TABLE": "c", "OIDC_ISSUER": "https://id.example.com", "OIDC_AUDIENCE": "gateway"}
    usual = load("authorizer").AuthorizerSettings.from_env(environ)
    assert (usual.oidc_tenant_claim, usual.oidc_scope_claim, usual.oidc_tenant) == ("tenant", "scope", "")
    named = load("authorizer").AuthorizerSettings.from_env(
        environ | {"OIDC_TENANT_CLAIM": "org", "OIDC_SCOPE_CLAIM": "permissions", "OIDC_TENANT": "acme"}
    )
    assert (named.oidc_tenant_claim, named.oidc_scope_claim, named.oidc_tenant) == ("org", "permissions", "acme")
