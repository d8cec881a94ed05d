"""The only function that uses refresh tokens: by schedule (sweep), from two queues, and by direct invocation.

The schedule sends `{"action": "sweep"}`. Direct calls have `tenant` and `connection_id` besides their action: `refresh`
(with `seen_version` and perhaps `wait`), `touch`, `refused` and `accepted` (with `version`), and an operator's
`try_again`. The action of a queue's message is `refresh`, `restore`, `revoke` or `link`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.aws import clients
from zoom_common.connections.access_tokens import ACCEPTED, REFUSED, TOUCH
from zoom_common.connections.disconnecting import EndedGrant, Revoked
from zoom_common.connections.model import State
from zoom_common.connections.placement import LinkedGrant
from zoom_common.connections.queues import LINK, REFRESH, RESTORE, REVOKE, from_message
from zoom_common.connections.refresh.algorithm import NotPersisted
from zoom_common.connections.refresh.effects import Result
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.connections.refresh.runner import sweep
from zoom_common.daily_counts import REFRESHES, DailyCounts
from zoom_common.deadline import Deadline
from zoom_common.errors import InternalError, Unavailable
from zoom_common.heartbeats import SWEEP, Heartbeats
from zoom_common.wiring import vault
from zoom_common.wiring.vault import TokenRefreshSettings

_MOST_WAIT = 25.0
_ONE_ATTEMPT = 25.0


@cache
def wiring() -> vault.Refreshing:
    """Return the vault, made once per container."""
    return vault.refreshing(TokenRefreshSettings.from_env(os.environ))


@cache
def heartbeats() -> Heartbeats:
    """Return the heartbeats, one of which is the sweep's."""
    return Heartbeats.from_env(os.environ, lambda: clients.client("dynamodb"), clock=time.time)


@cache
def daily_counts() -> DailyCounts:
    """Return the counts of refreshes for operators."""
    return DailyCounts.from_env(os.environ, lambda: clients.client("dynamodb"), clock=time.time)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer one invocation. Messages of a batch fail one by one."""
    observability.begin_correlation(str(event.get("correlation_id", "")), getattr(context, "aws_request_id", ""))
    if "Records" in event:
        ends = _ends(context)
        failed = [record["messageId"] for record in event["Records"] if not _taken(record, ends)]
        daily_counts().write()
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
    action = _ACTIONS.get(event.get("action", ""))
    if action is None:
        raise ValueError("an event of no known action")
    answer = action(event, context)
    daily_counts().write()
    return answer


def _taken(record: Mapping[str, Any], ends: float) -> bool:
    """Return whether a message is done. An unreadable one goes to the dead-letter queue."""
    if time.time() + _ONE_ATTEMPT > ends:
        return False  # an attempt that is cut off is worse than one that comes later
    try:
        return _done(json.loads(record["body"]), ends)
    except InternalError as error:
        observability.fault(error, message_id=record["messageId"])
        return False
    except Unavailable as error:
        observability.logger().warning("message kept", reason=error.reason)
        return False
    except NotPersisted:
        _lost()
        return False
    except (KeyError, TypeError, ValueError):
        pass
    observability.logger().error("message unreadable", message_id=record["messageId"])
    observability.count("RefreshMessagesUnreadable")
    return False


def _done(message: Mapping[str, Any], ends: float) -> bool:
    if message["action"] == RESTORE:
        rested = wiring().refresher.restore(from_message(message))
        observability.count("PairsRestored", rest=str(rested))
        return True
    if message["action"] == REVOKE:
        outcome = wiring().revocation.revoke(EndedGrant.from_message(message))
        observability.count("RevokesRetried", outcome=str(outcome))
        return outcome is not Revoked.UNANSWERED
    if message["action"] == LINK:
        end = wiring().placement.follow_up(LinkedGrant.from_message(message))
        observability.count("LinksFollowedUp", outcome=str(end))
        return True
    if message["action"] != REFRESH:
        raise ValueError("a message of no known action")
    where = message["tenant"], message["connection_id"]
    result = wiring().refresher.when_due(*where, ends=ends)
    if result.state is State.DISCONNECTED and result.version:
        return _finished(*where)
    # Failures of Zoom and of the app are in the index of due times. Only what could not be read comes back.
    return not _noted(result).unread


def _finished(tenant: str, connection_id: str) -> bool:
    """Finish a disconnect that stopped half-way."""
    ended = wiring().connections.get(tenant, connection_id)
    if ended is not None and ended.state is State.DISCONNECTED:
        wiring().disconnection.finish(ended)
        observability.count("DisconnectsFinished")
    return True


def _on_demand(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    wait, ends = min(float(event.get("wait", 0.0)), _MOST_WAIT), _ends(context)
    seen = int(event["seen_version"])
    try:
        result = wiring().refresher.on_demand(
            event["tenant"], event["connection_id"], seen_version=seen, wait=wait, ends=ends, on_grant=_granted
        )
    except NotPersisted:
        _lost()
        raise
    _noted(result, granted=result.outcome is Outcome.REFRESHED)
    return {"outcome": str(result.outcome), "version": result.version}


def _granted() -> None:
    """Count a grant while its pair is written: whoever waits for the refresh does not wait for the count as well."""
    daily_counts().begin(REFRESHES, str(Outcome.REFRESHED))


def _try_again(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    try:
        result = wiring().refresher.try_again(event["tenant"], event["connection_id"], ends=_ends(context))
    except NotPersisted:
        _lost()
        raise
    _noted(result)
    return {"outcome": str(result.outcome), "state": str(result.state), "reason": result.reason}


def _ends(context: Any) -> float:
    return time.time() + float(context.get_remaining_time_in_millis()) / 1000


def _touch(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    return {"touched": wiring().refresher.touch(event["tenant"], event["connection_id"])}


def _refused(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    version = int(event["version"])
    return {"ended": wiring().refresher.refused(event["tenant"], event["connection_id"], version=version)}


def _accepted(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    version = int(event["version"])
    return {"cleared": wiring().refresher.accepted(event["tenant"], event["connection_id"], version=version)}


def _sweep(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    enqueued = sweep(wiring().index, wiring().workers, clock=time.time, deadline=deadline)
    observability.count("ConnectionsDue", enqueued)
    left_behind = wiring().outbox.sweep(deadline)
    observability.count("ConnectionChangesLeftBehind", left_behind)
    heartbeats().beat(SWEEP)
    return {"enqueued": enqueued}


def _noted(result: Result, *, granted: bool = False) -> Result:
    observability.count("Refreshes", outcome=str(result.outcome))
    if not granted and result.outcome not in {Outcome.CURRENT, Outcome.BUSY}:  # nothing was asked of Zoom
        daily_counts().add(REFRESHES, str(result.outcome))
    if result.app_at_fault:
        observability.count("AppFaults")  # one alarm for the app, none per connection
    if result.widely_refused:
        observability.count("GrantsWidelyRefused")
        observability.logger().error("Zoom refuses many grants at once; no connection is given up")
    if result.outcome in {Outcome.UNAVAILABLE, Outcome.REFRESH_FAILING, Outcome.REAUTHORIZATION_REQUIRED}:
        observability.logger().warning("not refreshed", outcome=str(result.outcome), reason=result.reason)
    return result


def _lost() -> None:
    observability.logger().critical("a pair could not be written nor put in escrow")
    observability.count("PairsUnplaced")


_ACTIONS = {
    "sweep": _sweep,
    "refresh": _on_demand,
    "try_again": _try_again,
    TOUCH: _touch,
    REFUSED: _refused,
    ACCEPTED: _accepted,
}


# With the parameter SnapStart, Lambda takes its snapshot after this line: it holds modules, and nothing that was made.
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from zoom_common.edge import snapshot

    snapshot.prepare("zoom_common.connections")
