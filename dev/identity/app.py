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

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Development sign-in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark; font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  background: light-dark(#f5f6f8, #14161a); color: light-dark(#1b1d21, #eceef2) }}
body {{ margin: 0; display: grid; min-height: 100vh; place-items: center; padding: 1rem; box-sizing: border-box }}
main {{ box-sizing: border-box; width: 100%; max-width: 34rem; padding: 2rem; border-radius: .85rem;
  background: light-dark(#fff, #1e2127); border: 1px solid light-dark(#dfe3e9, #343943) }}
h1 {{ font-size: 1.5rem; line-height: 1.3; margin: 0 0 1rem }}
button {{ display: block; width: 100%; margin: .75rem 0 0; padding: .8rem 1rem; font: inherit; text-align: left;
  color: inherit; background: light-dark(#f5f6f8, #14161a); border: 1px solid light-dark(#8a919c, #767d89);
  border-radius: .55rem; cursor: pointer }}
button:hover {{ border-color: currentcolor }}
button:focus-visible {{ outline: 3px solid light-dark(#b06000, #ffb74d); outline-offset: 2px }}
</style><main><h1>Who are you today?</h1>
<p>These people were made up for this machine. On AWS your company's identity provider asks here.</p>
<form method="post" action="/authorize?{query}">{buttons}</form></main></html>"""


def application(provider: Provider) -> Starlette:
    """The provider as an ASGI application."""

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
            # A page of another host that resolves to this machine gets nothing (DNS rebinding).
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
    return HTMLResponse(_PAGE.format(query=html.escape(query), buttons=buttons), headers=headers)


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))
