"""A browser in front of an ASGI application, without a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Browser:
    """Follows no redirects and keeps no cookies."""

    application: Starlette
    base_url: str = "http://localhost:3000"

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self._request("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self._request("POST", path, **given)

    def _request(self, method: str, path: str, **given: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            inside = httpx.ASGITransport(self.application)
            async with httpx.AsyncClient(transport=inside, base_url=self.base_url) as client:
                return await client.request(method, path, **given)

        return asyncio.run(ask())
