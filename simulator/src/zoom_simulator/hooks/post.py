"""One signed request to an endpoint: what a delivery and a challenge have in common.

https://developers.zoom.us/docs/api/webhooks/
"""

from __future__ import annotations

from dataclasses import dataclass

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock
from zoom_simulator.hooks.sender import Answer, Sender
from zoom_simulator.hooks.signing import sign
from zoom_simulator.ids import Ids
from zoom_simulator.model import Attempt, Subscription


@dataclass(frozen=True)
class Letter:
    """What goes out; it never changes, however often it is tried."""

    body: str
    request_id: str
    tracking_id: str


class Post:
    """Stamps, signs and sends. Timestamp and signature are fresh each time, everything else is the letter's."""

    def __init__(self, *, clock: Clock, ids: Ids, behaviour: Behaviour, sender: Sender) -> None:
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour
        self._sender = sender

    def letter(self, body: str, *, event_service: bool = False) -> Letter:
        """A new letter. `event_service` gives it the tracking id of Zoom's event service instead of its web tier's."""
        trace = self._ids.file_id()
        tracking = f"EventService_{trace.upper()}_3" if event_service else _web(trace.replace("-", ""))
        return Letter(body, self._ids.request_id(), tracking)

    async def send(
        self, subscription: Subscription, letter: Letter, *, age: float = 0.0, secret: str = ""
    ) -> tuple[Attempt, Answer]:
        """Send it once, signed `age` seconds ago and with another `secret` where a fault wants that."""
        stamp = str(int(self._stamp_time() - age))
        headers = self.headers(subscription, letter, stamp, secret or subscription.secret)
        timeout = self._behaviour.delivery_timeout_seconds
        answer = await self._sender.post(subscription.url, headers, letter.body.encode(), timeout)
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

    def headers(self, subscription: Subscription, letter: Letter, stamp: str, secret: str) -> dict[str, str]:
        """The headers of one attempt."""
        client = {"clientid": subscription.client_id} if self._behaviour.client_id_header else {}
        trace = letter.request_id.replace("_", "")
        return {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zoom Marketplace/1.0a",
            **client,
            "x-zm-signature": sign(secret, stamp, letter.body),
            "x-zm-request-timestamp": stamp,
            "x-zm-request-id": letter.request_id,
            "x-zm-trackingid": letter.tracking_id,
            "traceparent": f"00-{trace}-{trace[:16]}-01",
            "zm-trace-upstream": "Meeting_Web_marketplace-consumer",
            **subscription.headers,
        }

    def _stamp_time(self) -> float:
        return self._clock.wall() if self._behaviour.stamp == "wall" else self._clock.now()


def _web(trace: str) -> str:
    return f"v=2.0;clid=us02;rid=WEB_{trace}"
