"""The page of the API under `/docs` of the local front door: the result of `make web`, with this machine's API key.

The page loads everything from this address: its scripts, the OpenAPI documents, and the calls that people try.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dev.local_page import page
from ops.project import WEB_CLIENT

FILE = "api-reference.html"
# Its code blocks and icons have inline styles. It makes no worker, and no code from text.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_BUILT = page(
    "The page of the API is not built yet",
    "<p>Run <code>make web</code> (it needs Node.js 20 and npm), then reload. "
    'The same is in <a href="/openapi.json">openapi.json</a>, and in <code>docs/api</code>.</p>',
)


def routes(stack: Callable[[], Mapping[str, Any]], dist: Path = WEB_CLIENT) -> list[Route]:
    """Return the one page, with and without a slash at its end."""

    async def docs(_: Request) -> Response:
        file = dist / FILE
        if not file.is_file():
            return HTMLResponse(_NOT_BUILT, 503, HEADERS)
        return HTMLResponse(with_key(file.read_text(), str(stack().get("api_key", ""))), headers=HEADERS)

    async def slash(_: Request) -> Response:
        return RedirectResponse("/docs", 308)

    return [Route("/docs", docs), Route("/docs/", slash)]


def with_key(document: str, key: str) -> str:
    """Return the page with the key in its head, where its script looks for one."""
    return document.replace("</title>", f'</title>\n    <meta name="api-key" content="{html.escape(key)}">', 1)
