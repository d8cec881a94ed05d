"""How calls of one Zoom account fare when more come than it may make: the limiter itself, over DynamoDB in memory.

All take their send slots from one item. DynamoDB takes a thousand writes a second of one item, refused ones included:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""

from __future__ import annotations

from collections import Counter

from benchmarks.figures import Table
from tests.fakes.gateway import NOW
from tests.fakes.hot_account import SECONDS, SETTLED, Storm

_RATES = (10, 30, 100, 300, 1000)


def table() -> Table:
    """Return what goes to Zoom, what is refused and what is written, by calls a second."""
    found = Table(
        "Calls a second of one Zoom account, simulated",
        ("calls a second", "go to Zoom", "429", "`Retry-After` in seconds", "writes to the item, at most"),
        note="A Pro account's light calls, thirty a second, with the limiter as it is. DynamoDB takes 1,000 writes a "
        "second to one item. A container that was refused a slot does not ask again for a quarter of a second, so that "
        "more calls are refused in order, and the item is asked far less than it takes.",
    )
    for rate in _RATES:
        storm = Storm()
        storm.run(rate)
        sent = Counter(int(moment - NOW) for moment in storm.sent)
        seconds = range(SETTLED, SECONDS)
        waits = f"{min(storm.retry_after):.0f} to {max(storm.retry_after):.0f}" if storm.retry_after else ""
        found.rows.append(
            (
                f"{rate:,}",
                f"{sum(sent[each] for each in seconds) / len(seconds):.0f}",
                f"{sum(storm.refused[each] for each in seconds) / len(seconds):.0f}",
                waits,
                str(max(storm.writes[each] for each in seconds)),
            )
        )
    return found
