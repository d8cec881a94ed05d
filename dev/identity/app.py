"""The provider's pages and endpoints.

https://openid.net/specs/openid-connect-core-1_0.html
"""

from __future__ import annotations

import html
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dev.identity.provider import Provider
from dev.local_page import page

_BODY = """<p>These people were made up for this machine. On AWS your company's identity provider asks here.</p>
<form method="post" action="/authorize?{query}">{buttons}</form>"""


def application(provider: Provider) -> Starlette:
    """Return the provider as an ASGI application."""

    async def configuration(_: Request) -> Response:
        at = provider.issuer
        return JSONResponse(
            {
                "issuer": at,
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/jwks",
                "end_session_endpoint": f"{at}/signed-out",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def jwks(_: Request) -> Response:
        return JSONResponse(provider.jwks())

    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        fault = provider.fault(asked)
        if fault is not None:
            return JSONResponse({"error": "invalid_request", "error_description": fault}, 400)
        back: dict[str, str] = {"state": asked["state"]} if "state" in asked else {}
        if request.method == "GET":
            return _ask(provider, urlencode(asked))
        subject = (await _form(request)).get("person", "")
        if all(each.subject != subject for each in provider.people):
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', **back})}", 303)
        answer = urlencode({"code": provider.code_for(subject, asked), "iss": provider.issuer, **back})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}", 303)

    async def token(request: Request) -> Response:
        issued = provider.tokens(await _form(request))
        headers = {"Cache-Control": "no-store"}
        return JSONResponse(issued or {"error": "invalid_grant"}, 200 if issued else 400, headers)

    async def signed_out(request: Request) -> Response:
        target = request.query_params.get("post_logout_redirect_uri", "")
        known = any(target == uri or uri.startswith(target.rstrip("/") + "/") for uri in provider.redirect_uris)
        return RedirectResponse(target, 303) if target and known else JSONResponse({"signed_out": True})

    origins = sorted({"/".join(uri.split("/")[:3]) for uri in provider.redirect_uris})
    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", configuration),
            Route("/jwks", jwks),
            Route("/authorize", authorize, methods=["GET", "POST"]),
            Route("/token", token, methods=["POST"]),
            Route("/signed-out", signed_out),
        ],
        middleware=[
            # A page of another host name that resolves to this machine gets nothing (DNS rebinding).
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"]),
            Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"]),
        ],
    )


def _ask(provider: Provider, query: str) -> HTMLResponse:
    buttons = "".join(
        f'<button name="person" value="{html.escape(each.subject)}"><strong>{html.escape(each.name)}</strong>'
        f"<br>{html.escape(each.about)}</button>"
        for each in provider.people
    )
    headers = {
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    }
    body = _BODY.format(query=html.escape(query), buttons=buttons)
    return HTMLResponse(page("Who are you today?", body), headers=headers)


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))
