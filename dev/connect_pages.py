"""The smallest program that connects a Zoom account: it asks for a link, and redeems the code that comes back.

A real program does the same in its own backend, for the person who is signed in there (docs/connections.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dev.local_page import block, page


def routes(front_door: str, stack: Callable[[], Mapping[str, Any]], client: httpx.AsyncClient) -> list[Route]:
    """Return two pages: `/local/connect` sends a browser to Zoom, and `/local/connected` receives it afterwards."""

    def headers() -> dict[str, str]:
        return {"Authorization": f"Bearer {stack()['api_key']}"}

    async def connect(_: Request) -> Response:
        answer = await client.post(
            f"{front_door}/auth/zoom/authorize",
            json={"return_url": f"{front_door}/local/connected"},
            headers=headers(),
        )
        if answer.status_code != httpx.codes.CREATED:
            return _page("No link could be made", block(answer.text), 502)
        return RedirectResponse(answer.json()["authorize_url"], 303)

    async def connected(request: Request) -> Response:
        code = request.query_params.get("code", "")
        answer = await client.post(f"{front_door}/auth/zoom/redeem", json={"code": code}, headers=headers())
        if answer.status_code != httpx.codes.OK:
            return _page("Not connected", block(answer.text), 400)
        line = f"curl -H 'Authorization: Bearer {stack()['api_key']}' {front_door}/v2/users/me/meetings"
        return _page("Connected", f"<p>This Zoom account now serves calls. Try it:</p>{block(line)}", 200)

    return [Route("/local/connect", connect), Route("/local/connected", connected)]


def _page(title: str, body: str, status: int) -> HTMLResponse:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page(title, body), status, headers)
