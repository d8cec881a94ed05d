"""One address for the whole gateway, as a single tunnel needs: webhooks to their function URL, the rest to the API.

Headers, bodies and percent-escapes are passed on unchanged, because Zoom signs raw bytes and `%252F` must stay `%252F`.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dev import connect_pages, web
from dev.openapi import page
from dev.workspace import Workspace

WEBHOOK_PATHS = frozenset({"/webhooks/zoom", "/webhooks/zoom/"})
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1"})
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Hop-by-hop headers are not passed on (RFC 9110, 7.6.1), and neither are headers that each side sets itself.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
    | {"upgrade", "host", "content-length", "date", "server"}
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the emulator serves the API and the webhook. `api_prefix` and `webhook_prefix` are paths."""

    origin: str
    api_prefix: str
    webhook_prefix: str

    def target(self, raw_path: str, query: str) -> str:
        """Return the raw path on the emulator for a raw path at the front door."""
        path = self.webhook_prefix + "/" if raw_path in WEBHOOK_PATHS else self.api_prefix + raw_path
        return f"{path}?{query}" if query else path


def application(upstream: Upstream, client: httpx.AsyncClient, pages: Sequence[Route] = ()) -> ASGIApp:
    """Return the front door as an ASGI application. `pages` are served here and never reach the emulator.

    They use this machine's own credentials, so only a browser that calls this machine by its own name gets them. Behind
    a tunnel, or by a name that was rebound to 127.0.0.1, they do not exist.
    """
    origin = urlsplit(upstream.origin)

    async def forward(request: Request) -> Response:
        raw_path = request.scope["raw_path"].decode("ascii").partition("?")[0]
        target = upstream.target(raw_path, request.url.query)
        url = httpx.URL(scheme=origin.scheme, host=origin.hostname, port=origin.port, raw_path=target.encode())
        headers = [(name, value) for name, value in request.headers.raw if name.decode().lower() not in _HOP_BY_HOP]
        try:
            answer = await client.request(request.method, url, headers=headers, content=await request.body())
        except httpx.HTTPError:
            return JSONResponse({"message": "The emulator does not answer; see .local/logs/emulator.log."}, 502)
        response = Response(answer.content, answer.status_code)
        kept = [(n.lower(), v) for n, v in answer.headers.raw if n.decode().lower() not in _HOP_BY_HOP]
        if "content-encoding" in answer.headers:  # httpx has decoded it
            kept = [(n, v) for n, v in kept if n != b"content-encoding"]
        length = [(n, v) for n, v in response.raw_headers if n == b"content-length"]
        response.raw_headers = kept + length
        return response

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    everything_else = Route("/{path:path}", forward, methods=METHODS)
    outside = Starlette(routes=[everything_else], lifespan=lifespan)
    inside = Starlette(routes=[*pages, everything_else])

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        at_home = scope["type"] == "http" and HTTPConnection(scope).url.hostname in _THIS_MACHINE
        await (inside if at_home else outside)(scope, receive, send)

    return door


def forgetful_client(**given: Any) -> httpx.AsyncClient:
    """Return a client that keeps no cookies, so that one person's cookies are never sent with another's request."""
    return httpx.AsyncClient(cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])), **given)


def main() -> None:
    """Serve until stopped. Loopback only."""
    parser = argparse.ArgumentParser(prog="python -m dev.front_door", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--emulator", required=True, help="the emulator's origin")
    parser.add_argument("--api-id", required=True)
    parser.add_argument("--webhook-url-id", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="where the run keeps its stack.json")
    arguments = parser.parse_args()
    upstream = Upstream(
        arguments.emulator,
        f"/_aws/execute-api/{arguments.api_id}/$default",
        f"/_aws/lambda-url/{arguments.webhook_url_id}",
    )
    client = forgetful_client(timeout=60, limits=httpx.Limits(max_connections=200), trust_env=False)
    workspace = Workspace(arguments.folder)

    def stack() -> dict[str, Any]:
        return workspace.read("stack.json")

    pages = [
        *connect_pages.routes(f"http://localhost:{arguments.port}", stack, client),
        *web.routes(stack),
        *page.routes(stack),
    ]
    door = application(upstream, client, pages)
    uvicorn.run(door, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
