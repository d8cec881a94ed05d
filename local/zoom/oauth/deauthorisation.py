"""`app_deauthorized`: no top-level `event_ts`, no `object`, and a payload whose `signature` is none.

https://developers.zoom.us/docs/api/marketplace/events/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.zoom.model import Grant

if TYPE_CHECKING:
    from local.zoom.simulator import Simulator


def announce(sim: Simulator, grant: Grant) -> None:
    """Deliver the notification to the subscriptions of the app."""
    now = sim.clock.now()
    moment = datetime.fromtimestamp(now, UTC)
    stamp: Any = int(now * 1000)
    if sim.behaviour.deauthorised_event_ts == "text":  # the example shows text, the schema a number
        stamp = moment.strftime("%Y-%m-%d %H:%M:%S")
    payload = {
        "account_id": grant.account_id,
        "user_id": grant.user_id,
        "signature": sim.ids.file_id().replace("-", "") + sim.ids.file_id().replace("-", ""),
        "deauthorization_time": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
        "client_id": grant.client_id,
        "event_ts": stamp,
    }
    for subscription in list(sim.state.subscriptions.values()):
        if subscription.client_id == grant.client_id and subscription.enabled:
            sim.publisher.publish_raw(
                subscription, "app_deauthorized", {"event": "app_deauthorized", "payload": payload}
            )
