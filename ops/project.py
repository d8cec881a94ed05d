"""Where the project's files are, and which template parameter each setting of `.env` sets."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
WEB_CLIENT = ROOT / "web" / "dist"

# .env name -> template parameter. The names are the guide's; CloudFormation allows no underscores.
PARAMETERS = {
    "ZOOM_CLIENT_ID": "ZoomClientId",
    "ZOOM_CLIENT_SECRET": "ZoomClientSecret",
    "ZOOM_WEBHOOK_SECRET_TOKEN": "ZoomWebhookSecretToken",
    "ZOOM_REDIRECT_URI": "ZoomRedirectUri",
    "ZOOM_API_BASE_URL": "ZoomApiBaseUrl",
    "ZOOM_OAUTH_URL": "ZoomOauthUrl",
    "PUBLIC_BASE_URL": "PublicBaseUrl",
    "RETURN_URLS": "ReturnUrls",
    "CONNECT_PAGE_URL": "ConnectPageUrl",
    "ZOOM_SDK_KEY": "ZoomSdkKey",
    "ZOOM_SDK_SECRET": "ZoomSdkSecret",
    "ZOOM_APP_ACCOUNT_ID": "ZoomAppAccountId",
    "OIDC_ISSUER": "OidcIssuer",
    "OIDC_AUDIENCE": "OidcAudience",
    "OIDC_TENANT_CLAIM": "OidcTenantClaim",
    "OIDC_SCOPE_CLAIM": "OidcScopeClaim",
    "OIDC_TENANT": "OidcTenant",
    "OIDC_ID_TOKENS": "OidcIdTokens",
    "OIDC_WEB_CLIENT_ID": "OidcWebClientId",
    "OIDC_WEB_SCOPE": "OidcWebScope",
    "OIDC_WEB_PARAMETERS": "OidcWebParameters",
    "ZOOM_PASS_THROUGH": "ZoomPassThrough",
}


@cache
def template_parameters() -> dict[str, dict[str, Any]]:
    """Return the template's parameters by name. Their section is plain YAML, without CloudFormation's functions."""
    text = (ROOT / "template.yaml").read_text()
    section = text[text.index("\nParameters:\n") :].split("\n", 2)[2]
    end = next(at for at, line in enumerate(section.splitlines()) if line and line[0] not in " #")
    parsed: dict[str, dict[str, Any]] = yaml.safe_load("\n".join(section.splitlines()[:end]))
    return parsed
