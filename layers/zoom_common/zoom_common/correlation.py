"""One id for everything that follows from one request or one delivery.

It comes in with an HTTP request (`X-Correlation-Id`, else API Gateway's request id) or with a webhook (Zoom's
`x-zm-request-id`), travels in SQS attributes and invocation payloads, and goes out in every log line and in the
published event (`correlationid`). It is for tracing only: nothing is ever decided by it, because anyone can send one.
"""

from __future__ import annotations

import re
from contextvars import ContextVar

HEADER = "x-correlation-id"
_USABLE = re.compile(r"[\w.=;:-]{1,128}", re.ASCII)
_current: ContextVar[str] = ContextVar("correlation", default="")


def current() -> str:
    """The id of what is being handled now, or an empty text."""
    return _current.get()


def begin(*candidates: str) -> str:
    """Handle something new from here on, under the first candidate that is fit for a log; the id that was taken."""
    chosen = next((each for each in candidates if _USABLE.fullmatch(each)), "")
    _current.set(chosen)
    return chosen
