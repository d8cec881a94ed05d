"""`app_deauthorized`: no top-level `event_ts`, no `object`, and a payload whose `signature` is none.

https://developers.zoom.us/docs/api/marketplace/events/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zoom_simulator.model import Grant, Json

if TYPE_CHECKING:
    from zoom_simulator.simulator import Simulator


def announce(sim: Simulator, grant: Grant) -> None:
    """Deliver the notification to the subscriptions of the app."""
    sim.publisher.publish_bare("app_deauthorized", payload(sim, grant), client_id=grant.client_id)


def payload(sim: Simulator, grant: Grant) -> Json:
    """Who removed which app, and when."""
    now = sim.clock.now()
    moment = datetime.fromtimestamp(now, UTC)
    stamp: Any = int(now * 1000)
    if sim.behaviour.deauthorised_event_ts == "text":  # the example shows text, the schema a number
        stamp = moment.strftime("%Y-%m-%d %H:%M:%S")
    return {
        "account_id": grant.account_id,
        "user_id": grant.user_id,
        "signature": sim.ids.file_id().replace("-", "") + sim.ids.file_id().replace("-", ""),
        "deauthorization_time": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
        "client_id": grant.client_id,
        "event_ts": stamp,
    }
