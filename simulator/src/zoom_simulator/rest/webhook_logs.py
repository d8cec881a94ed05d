"""What the log of deliveries shows, and of which attempts.

https://developers.zoom.us/docs/api/marketplace/#tag/app/get/marketplace/apps/{appId}/webhook_logs
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from zoom_simulator.clock import iso
from zoom_simulator.failures import ZoomError
from zoom_simulator.model import Attempt, Delivery, Json, Subscription
from zoom_simulator.rest.call import Call

ABOUT = ("next_page_token", "page_size")
WEEK = 7 * 86_400
ALL, FAILED, SUCCESSFUL = 1, 2, 3
MOST_RETRIES = 3
REASONS = {"timeout": 1, "ConnectError": 2}
REMOTE_ERROR = 7


@dataclass(frozen=True)
class Logged:
    """Which attempts are asked for."""

    begin: float
    end: float
    event: str
    kind: int
    retry: int | None

    @classmethod
    def read(cls, call: Call) -> Logged:
        """The wish of a request. ZoomError where it is none."""
        begin, end = _moment(call, "from", call.now - WEEK), _moment(call, "to", call.now)
        if begin > end:
            raise ZoomError(404, 1501, "The 'to' date must be after the 'from' date.")
        if begin < call.now - WEEK - 1:
            raise ZoomError(404, 1502, "The date range must be within the last seven days.")
        retry = call.query.get("retry_num", "")
        if retry and (not retry.isdecimal() or int(retry) > MOST_RETRIES):
            raise ZoomError(400, 1506, "The 'retry_num' value must be an integer within the range of 0 to 3.")
        kind = call.number("type", FAILED, ALL, SUCCESSFUL)
        return cls(begin, end, call.query.get("event", ""), kind, int(retry) if retry else None)

    def fits(self, delivery: Delivery, number: int) -> bool:
        """Whether the attempt of this number is one of them."""
        attempt = delivery.attempts[number]
        good = attempt.status is not None and attempt.status < 300  # noqa: PLR2004 - a success
        return (
            self.event in ("", delivery.event)
            and self.begin <= attempt.at <= self.end
            and self.retry in (None, number)
            and (self.kind == ALL or good == (self.kind == SUCCESSFUL))
        )


def row(delivery: Delivery, number: int, subscription: Subscription) -> Json:
    """One attempt."""
    attempt = delivery.attempts[number]
    shown: Json = {
        "event": delivery.event,
        "status": -1 if attempt.status is None else attempt.status,
        "user_id": "",
        "endpoint": subscription.url,
        "subscription_id": subscription.id,
        "request_headers": json.dumps({"x-zm-request-timestamp": attempt.stamp}),
        "request_body": delivery.body,
        "response_headers": "",
        "response_body": attempt.answer or _problem(attempt),
        "date_time": iso(attempt.at),
        "trace_id": delivery.tracking_id.rpartition("rid=")[2],
        "request_id": delivery.id.split("#")[0],
        "retry_num": number,
    }
    if attempt.status is None:
        shown["failed_reason_type"] = REASONS.get(attempt.error, REMOTE_ERROR)
    return shown


def _problem(attempt: Attempt) -> str:
    return "Timeout connecting to server." if attempt.error == "timeout" else attempt.error


def _moment(call: Call, name: str, default: float) -> float:
    text = call.query.get(name)
    if not text:
        return default
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        text = "The dates must follow the format: `yyyy-MM-dd'T'HH:mm:ss'Z'`."
        raise ZoomError(404, 1503, text) from None
