"""The web client behind the front door: the files of `make web`, the headers they need, and the settings.

On AWS, S3 has the same files and CloudFront sends the same headers; a test compares both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dev.local_page import page
from ops.project import WEB_CLIENT
from ops.web_settings import settings_of

# The Meeting SDK compiles WebAssembly, starts workers from blobs, connects to Zoom's hosts, and adds styles and images.
# `{identity}` is where people sign in; `{storage}` is where recordings are played from and files are sent to.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https://*.zoom.us https://*.zoom.com; "
    "font-src 'self' data:; media-src 'self' blob: {storage}; "
    "connect-src 'self' blob: data: {identity} {storage} https://zoom.us https://*.zoom.us wss://*.zoom.us "
    "https://*.zoom.com wss://*.zoom.com; "
    "manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# COOP and COEP make the page cross-origin isolated. Only then does the browser share memory, which the SDK uses for
# video in more than one thread.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_BUILT = page(
    "The web client is not built yet", "<p>Run <code>make web</code> (it needs Node.js 20 and npm), then reload.</p>"
)


def routes(stack: Callable[[], Mapping[str, Any]], dist: Path = WEB_CLIENT) -> list[Route]:
    """Return the routes of `/app/...`: the built files, the one page for every path inside the app, and its settings.

    `/` leads there.
    """

    def headers() -> dict[str, str]:
        known = stack()
        policy = POLICY.format(identity=known.get("oidc_issuer", ""), storage=known.get("aws_endpoint_url", ""))
        return HEADERS | {"Content-Security-Policy": re.sub(r" +(?=[ ;])", "", policy)}

    async def settings(_: Request) -> Response:
        return JSONResponse(settings_of(stack()), headers=headers() | {"Cache-Control": "no-store"})

    async def home(_: Request) -> Response:
        return RedirectResponse("/app/", 302)

    async def slash(_: Request) -> Response:
        return RedirectResponse("/app/", 308)

    async def serve(request: Request) -> Response:
        path = request.path_params["path"]
        file = _inside(dist, path)
        if file is None and _names_a_file(path):
            raise HTTPException(404)
        index = dist / "index.html"
        if file is None and not index.is_file():
            return HTMLResponse(_NOT_BUILT, 503, headers())
        # Vite names assets after their content. All other files may change with the next build.
        kept = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        return FileResponse(file or index, headers=headers() | {"Cache-Control": kept})

    return [
        Route("/", home),
        Route("/app", slash),
        Route("/app/settings.json", settings),
        Route("/app/{path:path}", serve, methods=["GET", "HEAD"]),
    ]


def _names_a_file(path: str) -> bool:
    return "." in path.rpartition("/")[2]


def _inside(folder: Path, path: str) -> Path | None:
    """Return the file at `path` if it is in `folder`, else None, so that no other file is ever served."""
    file = (folder / path).resolve()
    return file if file.is_file() and file.is_relative_to(folder.resolve()) else None
