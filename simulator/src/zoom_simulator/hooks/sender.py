"""The one place that speaks HTTP to endpoints. Tests put their own sender in its place."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

import httpx

MAX_ANSWER = 4096


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered; `status` is None when nothing came, and `error` says why."""

    status: int | None
    body: bytes = b""
    error: str = ""
    milliseconds: float = 0.0


class Sender(Protocol):
    """Posts a body."""

    async def post(self, url: str, headers: dict[str, str], body: bytes, timeout: float) -> Answer:  # noqa: ASYNC109
        """Post and wait at most `timeout` seconds, all told. Never raises for what the other side does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class HttpSender:
    """Posts over the network, without following redirects."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self._client = httpx.AsyncClient(limits=limits, timeout=None, follow_redirects=False)  # noqa: S113 - see post

    async def post(self, url: str, headers: dict[str, str], body: bytes, timeout: float) -> Answer:  # noqa: ASYNC109
        """See `Sender`."""
        began = time.perf_counter()
        status, content, error = None, b"", ""
        try:
            async with asyncio.timeout(timeout):
                response = await self._client.post(url, headers=headers, content=body)
            status, content = response.status_code, response.content[:MAX_ANSWER]
        except TimeoutError:
            error = "timeout"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
            error = type(problem).__name__
        return Answer(status, content, error, (time.perf_counter() - began) * 1000)

    async def close(self) -> None:
        """See `Sender`."""
        await self._client.aclose()
