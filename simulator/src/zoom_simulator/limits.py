"""Zoom's rate limits: per account and label, by second and by day, and per user and day for creates and updates.

https://developers.zoom.us/docs/api/rate-limits/
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError

DAY = 86_400
MINUTE = 60
PER_SECOND: dict[str, dict[str, int]] = {
    "free": {"Light": 4, "Medium": 2, "Heavy": 1},
    "pro": {"Light": 30, "Medium": 20, "Heavy": 10},
    "business": {"Light": 80, "Medium": 60, "Heavy": 40},
}
PER_MINUTE: dict[str, dict[str, int]] = {
    "free": {"Resource-intensive": 10},
    "pro": {"Resource-intensive": 10},
    "business": {"Resource-intensive": 20},
}
PER_DAY: dict[str, dict[str, int]] = {
    "free": {"Light": 6_000, "Medium": 2_000, "Heavy": 1_000, "Resource-intensive": 30_000},
    "pro": {"Heavy": 30_000},
    "business": {"Heavy": 60_000},
}
USER_MESSAGE = (
    "You have exceeded the daily rate limit ({}) of Meeting Create/Update API requests permitted for this particular "
    "user. You may resume these requests at GMT 00:00:00."
)
SECOND_MESSAGE = "You have reached the maximum per-second rate limit for this API. Try again later."
DAY_MESSAGE = (
    "You have reached the maximum daily rate limit for this API. Refer to the response header for details on when you "
    "can make another request."
)


@dataclass
class Window:
    """Counts within a length of time: since its last multiple (fixed) or over the last stretch (sliding)."""

    seconds: float
    started: float = 0.0
    count: int = 0
    times: deque[float] = field(default_factory=deque)

    def used(self, now: float, *, sliding: bool) -> int:
        """How many were taken in the window that `now` belongs to."""
        if sliding:
            while self.times and self.times[0] <= now - self.seconds:
                self.times.popleft()
            return len(self.times)
        begin = now - now % self.seconds
        if begin != self.started:
            self.started, self.count = begin, 0
        return self.count

    def take(self, now: float, *, sliding: bool) -> None:
        """Count one."""
        if sliding:
            self.times.append(now)
        else:
            self.count += 1


@dataclass(frozen=True)
class Quota:
    """One allowance and what is left of it."""

    kind: str  # QPS or Daily-limit, as in X-RateLimit-Type
    limit: int
    left: int


class Limits:
    """The budgets of all accounts."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._windows: dict[tuple[str, ...], Window] = {}
        self.refused = 0

    def take(self, account: str, plan: str, label: str, now: float) -> dict[str, str]:
        """Spend one request and return the headers for its answer. ZoomError 429 when a budget is empty."""
        if not self._behaviour.enforce_limits:
            return self._headers(self._behaviour.limit_headers, label, None)
        sliding = self._behaviour.limit_window == "sliding"
        taken: list[tuple[Window, bool]] = []
        tightest: Quota | None = None
        for kind, key, limit, seconds in self._budgets(account, plan, label):
            slides = sliding and seconds != DAY
            window = self._window(key, seconds)
            used = window.used(now, sliding=slides)
            if used >= limit:
                raise self._refusal(kind, label, limit, now)
            taken.append((window, slides))
            tightest = tightest or Quota(kind, limit, limit - used - 1)
        for window, slides in taken:
            window.take(now, sliding=slides)
        return self._headers(self._behaviour.limit_headers, label, tightest)

    def take_daily(self, now: float, limit: int, *key: str) -> bool:
        """Spend one of a daily allowance of its own; False when there is none left."""
        if not self._behaviour.enforce_limits:
            return True
        window = self._window(("own", *key), DAY)
        if window.used(now, sliding=False) >= limit:
            self.refused += 1
            return False
        window.take(now, sliding=False)
        return True

    def take_for_user(self, user_id: str, now: float) -> None:
        """Spend one of a user's creates and updates of the day. ZoomError 429 without Retry-After when spent."""
        limit = self._behaviour.user_daily_limit
        if not self.take_daily(now, limit, "user", user_id):
            headers = self._headers("full", "Light", Quota("", 6000, 5893))
            raise ZoomError(429, 429, USER_MESSAGE, limit, headers=headers)

    def reset(self) -> None:
        """Reset all counts."""
        self._windows.clear()

    def _budgets(self, account: str, plan: str, label: str) -> list[tuple[str, tuple[str, ...], int, float]]:
        found: list[tuple[str, tuple[str, ...], int, float]] = []
        shared = "Heavy" if label == "Resource-intensive" and plan != "free" else label  # one day's budget for both
        for table, name, seconds, kind in (
            (PER_SECOND, label, 1.0, "QPS"),
            (PER_MINUTE, label, float(MINUTE), "QPS"),
            (PER_DAY, shared, float(DAY), "Daily-limit"),
        ):
            limit = table[plan].get(name)
            if limit is not None:
                scaled = max(1, round(limit * self._behaviour.limit_scale))
                found.append((kind, (account, name, kind, str(seconds)), scaled, seconds))
        return found

    def _refusal(self, kind: str, label: str, limit: int, now: float) -> ZoomError:
        self.refused += 1
        headers = self._headers(self._behaviour.limit_headers_refused, label, Quota(kind, limit, 0))
        headers.update(self._retry_after(kind, now))
        if kind == "Daily-limit":
            return ZoomError(429, 429, DAY_MESSAGE, headers=headers)
        return ZoomError(429, self._behaviour.per_second_code, SECOND_MESSAGE, headers=headers)

    def _retry_after(self, kind: str, now: float) -> dict[str, str]:
        again = now - now % DAY + DAY if kind == "Daily-limit" else now + 1
        style = self._behaviour.retry_after
        if style == "zoom":
            style = "iso" if kind == "Daily-limit" else "none"
        values = {
            "seconds": str(max(1, round(again - now))),
            "iso": iso(again),
            "http-date": formatdate(again, usegmt=True),
        }
        return {"Retry-After": values[style]} if style in values else {}

    def _headers(self, style: str, label: str, quota: Quota | None) -> dict[str, str]:
        if style == "none":
            return {}
        headers: dict[str, Any] = {"X-RateLimit-Category": label}
        if style == "full" and quota is not None:
            if quota.kind:
                headers["X-RateLimit-Type"] = quota.kind
            headers["X-RateLimit-Limit"] = str(quota.limit)
            headers["X-RateLimit-Remaining"] = str(quota.left)
        return headers

    def _window(self, key: tuple[str, ...], seconds: float) -> Window:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(seconds)
        return window
