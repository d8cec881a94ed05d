"""Containers that take the send slots of one Zoom account: what goes to Zoom, what is refused, what is written."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from tests.fakes.gateway import NOW
from tests.fakes.gateway_stores import MemoryCounters, MemorySlots
from zoom_common.deadline import Deadline
from zoom_common.errors import TooManyRequests
from zoom_common.ratelimit.limiter import Cost, RateLimiter, RateLimitRules
from zoom_common.ratelimit.quotas import DailyCalls
from zoom_common.ratelimit.slots import SlotStore
from zoom_common.zoom.operations.model import RateLabel

CALL = Cost(account="account-1", label=RateLabel.LIGHT)
# Of a Pro account's light calls; the gateway keeps a little below.
RATE = 30 * 0.97
SECONDS, SETTLED = 24, 12
REFUSAL, ZOOM = 0.02, 0.15


@dataclass
class Storm:
    """Containers of one call each, as Lambda has them, that share DynamoDB. `sent` are moments, `writes` by second."""

    now: float = NOW
    sent: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    retry_after: list[float] = field(default_factory=list)
    writes: Counter[int] = field(default_factory=Counter)
    local: int = 0

    def __post_init__(self) -> None:
        self.shared = MemorySlots()
        update = self.shared.dynamodb.update_item

        def counted(**request: object) -> object:
            self.writes[int(self.now - NOW)] += 1
            return update(**request)

        self.shared.dynamodb.update_item = counted  # type: ignore[method-assign,assignment]

    def container(self) -> RateLimiter:
        return RateLimiter(
            slots=SlotStore(self.shared.table),
            daily=DailyCalls(MemoryCounters()),
            rules=RateLimitRules(),
            clock=lambda: self.now,
        )

    def run(self, rate: int) -> None:
        """Let so many calls a second come, evenly; a container that is free takes the next one."""
        free: list[RateLimiter] = []
        busy: list[tuple[float, int, RateLimiter]] = []
        for number in range(rate * SECONDS):
            self.now = NOW + number / rate
            while busy and busy[0][0] <= self.now:
                free.append(heapq.heappop(busy)[2])
            limiter = free.pop() if free else self.container()
            heapq.heappush(busy, (self.now + self._call(limiter), number, limiter))

    def _call(self, limiter: RateLimiter) -> float:
        deadline = Deadline.after(28.0, clock=lambda: self.now)
        early = limiter.begin(CALL, deadline)
        try:
            slot = limiter.reserve(CALL, deadline, early)
        except TooManyRequests as error:
            self.refused[int(self.now - NOW)] += 1
            self.retry_after.append(float(error.retry_after))
            return REFUSAL
        self.local += slot.local
        self.sent.append(self.now + slot.wait)
        return slot.wait + ZOOM
