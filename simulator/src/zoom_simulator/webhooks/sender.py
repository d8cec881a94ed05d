"""Signed requests to endpoints. Only `HttpSender` opens connections; tests pass a sender of their own.

https://developers.zoom.us/docs/api/webhooks/
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

import httpx

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock
from zoom_simulator.ids import Ids
from zoom_simulator.model import Attempt, Subscription
from zoom_simulator.webhooks.signing import sign

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
        """Post `body` and wait at most `timeout` seconds in all. A failure of the endpoint is an `Answer` too."""
        ...

    async def close(self) -> None:
        """Close all connections."""
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


@dataclass(frozen=True)
class WebhookRequest:
    """The parts of a request that stay the same in every attempt."""

    body: str
    request_id: str
    tracking_id: str


class WebhookClient:
    """Stamps, signs and sends. Timestamp and signature are fresh each time, everything else is the request's."""

    def __init__(self, *, clock: Clock, ids: Ids, behaviour: Behaviour, sender: Sender) -> None:
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour
        self._sender = sender

    def request(self, body: str, *, event_service: bool = False) -> WebhookRequest:
        """A new request. `event_service` gives it the tracking id of Zoom's event service instead of its web tier's."""
        trace = self._ids.file_id()
        tracking = f"EventService_{trace.upper()}_3" if event_service else _web(trace.replace("-", ""))
        return WebhookRequest(body, self._ids.request_id(), tracking)

    async def send(
        self, subscription: Subscription, request: WebhookRequest, *, age: float = 0.0, secret: str = ""
    ) -> tuple[Attempt, Answer]:
        """Send it once, signed `age` seconds ago and with another `secret` where a fault wants that."""
        stamp = str(int(self._stamp_time() - age))
        headers = self.headers(subscription, request, stamp, secret or subscription.secret)
        timeout = self._behaviour.delivery_timeout_seconds
        answer = await self._sender.post(subscription.url, headers, request.body.encode(), timeout)
        attempt = Attempt(
            at=self._clock.now(),
            stamp=stamp,
            signature=headers["x-zm-signature"],
            status=answer.status,
            error=answer.error,
            milliseconds=round(answer.milliseconds, 1),
            answer=answer.body.decode(errors="replace")[:500],
        )
        return attempt, answer

    def headers(self, subscription: Subscription, request: WebhookRequest, stamp: str, secret: str) -> dict[str, str]:
        """The headers of one attempt."""
        client = {"clientid": subscription.client_id} if self._behaviour.client_id_header else {}
        trace = request.request_id.replace("_", "")
        return {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zoom Marketplace/1.0a",
            **client,
            "x-zm-signature": sign(secret, stamp, request.body),
            "x-zm-request-timestamp": stamp,
            "x-zm-request-id": request.request_id,
            "x-zm-trackingid": request.tracking_id,
            "traceparent": f"00-{trace}-{trace[:16]}-01",
            "zm-trace-upstream": "Meeting_Web_marketplace-consumer",
            **subscription.headers,
        }

    def _stamp_time(self) -> float:
        return self._clock.wall() if self._behaviour.stamp == "wall" else self._clock.now()


def _web(trace: str) -> str:
    return f"v=2.0;clid=us02;rid=WEB_{trace}"
