"""When a job will be done: at its pace, and by the days that Zoom's limit of 100 a day and user makes it take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoom_common.jobs.model import ENDED, Job, State
from zoom_common.zoom import rate_limits
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.rate_limits import USER_DAILY, until_midnight

# Rows a second before anything was measured: calls go out one after another, and Zoom needs about as long for one.
USUAL_PACE = 3.0
_DAY = 86_400.0
# A pace follows what was measured over about so many seconds.
_MEMORY = 60.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a job will be done, in epoch seconds, and what decides it: `pace`, `user_daily_limit` or a person."""

    done_at: float | None
    limited_by: str

    def view(self, now: float) -> dict[str, Any]:
        """Return the forecast as the API shows it."""
        left = None if self.done_at is None else max(0, round(self.done_at - now))
        return {"done_at": self.done_at, "seconds_left": left, "limited_by": self.limited_by}


def paced(former: float | None, *, rows: int, seconds: float) -> float | None:
    """Return a pace in rows a second after `rows` more took `seconds`; older measurements count less and less."""
    if seconds <= 0:
        return former
    measured = rows / seconds
    if former is None:
        return measured if rows else None
    weight = min(1.0, seconds / _MEMORY)
    return former + (measured - former) * weight


def forecast(job: Job, operation: Operation | None, *, now: float, fastest: float | None = None) -> Forecast | None:
    """Return when `job` will be done; None when it has ended or its rows are not known yet.

    `fastest` is the most rows a second that Zoom's limit for the operation allows. A job that waits for a person is
    done at no known time.
    """
    if job.state in ENDED or job.rows is None:
        return None
    if job.state is State.PAUSED and not job.resumes_by_itself:
        return Forecast(None, job.reason or "paused")
    begins = max(now, job.not_before)
    pace = job.pace or min(USUAL_PACE, fastest or USUAL_PACE)
    at_pace = begins + job.left / pace
    if operation is None or not operation.counts_for_user or job.dry_run:
        return Forecast(at_pace, "pace")
    by_host = _by_host(job.busiest, job.host_left, begins, pace)
    return Forecast(by_host, "user_daily_limit") if by_host > at_pace else Forecast(at_pace, "pace")


def _by_host(rows: int, left_today: int | None, begins: float, pace: float) -> float:
    """Return when the host with the most rows is through: `left_today` today, then a hundred a day from 00:00 UTC."""
    today = USER_DAILY if left_today is None else left_today
    if rows <= today:
        return begins + rows / pace
    days, last = divmod(rows - today - 1, USER_DAILY)
    return begins + until_midnight(begins) + days * _DAY + (last + 1) / pace


def fastest(operation: Operation, rules: Any, account: str) -> float:
    """Return how many calls of an operation a second the background part of an account's budget allows."""
    rate = rate_limits.rate(rules.of(account), operation.label)
    return float(rate.calls * rules.share * (1.0 - rules.reserve) * rules.pace / rate.seconds)
