"""What is left of Zoom's daily limits for each Zoom account, and the limits that are used up at the moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from zoom_common.connections.views import iso
from zoom_common.ratelimit.limiter import RateLimitRules
from zoom_common.ratelimit.quotas import DAY, DailyStore
from zoom_common.ratelimit.slots import MICROSECONDS, SlotStore
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Daily, daily

# The number of accounts that are read, and of those that are shown: the ones with the least left.
MOST_ACCOUNTS, MOST_SHOWN = 1_000, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """`rules` are the stack's: plans, and the gateway's share of each account's limits."""

    daily: DailyStore
    slots: SlotStore
    rules: RateLimitRules

    def left(self, accounts: Iterable[str], *, now: float) -> dict[str, Any]:
        """Return the daily limits with the least left, and the closed limits of the same accounts. Raises Unavailable.

        Calls that containers have reserved count as used, so a little more may be left. `now` is in epoch seconds.
        """
        looked_at = list(islice(sorted(accounts), MOST_ACCOUNTS + 1))
        limits = {
            f"{account}#{each.name}": (account, each)
            for account in looked_at[:MOST_ACCOUNTS]
            for each in self._limits(account)
        }
        used = self.daily.used_of(list(limits), period=int(now // DAY))
        rows = [self._row(account, limit, used[counter]) for counter, (account, limit) in limits.items()]
        rows.sort(key=lambda row: (row["left"] / max(1, row["calls"]), row["zoom_account_id"], row["limit"]))
        shown = rows[:MOST_SHOWN]
        names = dict.fromkeys(row["zoom_account_id"] for row in shown)
        return {
            "complete": len(looked_at) <= MOST_ACCOUNTS,
            "resets_at": iso((now // DAY + 1) * DAY),
            "daily": shown,
            "closed": [each for account in names for each in self._closed(account, now)],
        }

    def _row(self, account: str, limit: Daily, used: int) -> dict[str, Any]:
        most = int(limit.calls * self.rules.share)
        plan, left = str(self.rules.of(account)), max(0, most - used)
        about = {"zoom_account_id": account, "plan": plan, "limit": limit.name}
        return {**about, "calls": most, "used": most - left, "left": left}

    def _limits(self, account: str) -> Iterable[Daily]:
        plan = self.rules.of(account)
        return {each.name: each for label in RateLabel if (each := daily(plan, label)) is not None}.values()

    def _closed(self, account: str, now: float) -> Iterable[dict[str, Any]]:
        for each in self.slots.closures(account, now=int(now * MICROSECONDS)):
            until = iso(each.until / MICROSECONDS)
            yield {"zoom_account_id": account, "label": each.label, "until": until, "reason": each.reason}
