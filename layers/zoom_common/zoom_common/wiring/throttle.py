"""Builds the throttle for API keys with a limit, once per container, at the first request of such a key."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Protocol

from zoom_common.access.principal import Principal

if TYPE_CHECKING:
    from zoom_common.ratelimit.quotas import Throttle


class Settings(Protocol):
    """Settings of a function that answers HTTP requests."""

    @property
    def coordination_table(self) -> str: ...  # noqa: D102


def key_limits(settings: Callable[[], Settings]) -> Callable[[Principal], None]:
    """Return a function that counts a caller's request and raises TooManyRequests over the limit.

    `settings` is called at the first request of a key with a limit.
    """

    def admit(caller: Principal) -> None:
        throttle(settings().coordination_table).admit(caller)

    return admit


@cache
def throttle(coordination_table: str) -> Throttle:
    """Return this container's throttle, over the Coordination table."""
    # Imported here, because few keys have a limit, and the clients take most of a start's time.
    from zoom_common.aws import clients  # noqa: PLC0415
    from zoom_common.aws.table import COORDINATION, Table  # noqa: PLC0415
    from zoom_common.ratelimit.quotas import Throttle, ThrottleStore  # noqa: PLC0415

    table = Table(clients.impatient_dynamodb(), coordination_table, COORDINATION)
    return Throttle(ThrottleStore(table), clock=time.time)
