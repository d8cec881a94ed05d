"""ASGI without a framework, for the paths that have to be fast or to misbehave: whole, half and no answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[str, str]]


SETTLE_TURNS = 5


class ConnectionLost(Exception):
    """Where there is no socket to close (tests drive the application in process), the caller gets this instead."""


async def read_body(receive: Receive) -> bytes:
    """The whole request body."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def header(scope: Scope, name: bytes) -> str:
    """A request header by its lower-case name; empty when absent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def raw_path(scope: Scope) -> str:
    """Return the path as it was sent, still encoded."""
    raw = scope.get("raw_path")
    return raw.partition(b"?")[0].decode("latin-1") if raw else str(scope["path"])


def query(scope: Scope) -> dict[str, str]:
    """The query's parameters, decoded; the last of a repeated one."""
    text = scope["query_string"].decode("latin-1")
    return dict(parse_qsl(text, keep_blank_values=True)) if text else {}


async def answer(send: Send, status: int, body: bytes = b"", headers: Headers = ()) -> None:
    """Send a whole answer. 204 and 304 carry no body and no length."""
    listed = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if body or status not in (204, 304):
        listed.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


async def truncated(send: Send, status: int, body: bytes, headers: Headers = ()) -> None:
    """Declare the length of the whole body, send half of it and close the connection."""
    listed = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    listed.append((b"content-length", str(max(len(body), 2)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await close(send, abort=False)


async def pause(receive: Receive, seconds: float) -> bool:
    """Wait, but no longer than the caller does. Return True when the caller has disconnected."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def close(send: Send, *, abort: bool = True) -> None:
    """Close the connection without (the rest of) an answer. ConnectionLost when there is none to close."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionLost
    if abort:
        transport.abort()
    else:
        transport.close()
    for _ in range(SETTLE_TURNS):  # the server notices in a later turn of the loop, and must not answer before
        await asyncio.sleep(0.001)
