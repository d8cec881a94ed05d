"""The bodies of requests for subscriptions, and how callers see subscriptions and deliveries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from zoom_common.access.principal import CONNECTION_ID
from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.events.bus import rfc3339
from zoom_common.events.subscriptions.addresses import AddressRefused, endpoint_of
from zoom_common.events.subscriptions.delivery_store import Delivery
from zoom_common.events.subscriptions.model import Attempt, Filters, Payload, State, Status, Subscription
from zoom_common.events.subscriptions.target_client import queue_region

_MOST = 50
_MOST_NAMED = 20
_LONGEST_DESCRIPTION = 500
_MOST_PER_SECOND = 1_000
_TYPE = re.compile(r"(?:zoom\.)?([a-z0-9_]+(?:\.[a-z0-9_]+)*(?:\.?\*)?|\*)")
_LONGEST_TYPE = 120
_FILTERS = {
    "meeting": (re.compile(r"[0-9]{1,20}"), "The number of a meeting or webinar, or a list of them."),
    "host": (re.compile(r"[A-Za-z0-9_-]{1,64}"), "The id of a Zoom user, or a list of them."),
    "connection": (CONNECTION_ID, "The id of a connection, or a list of them."),
}
_KINDS = ("meeting", "webinar")

type Read = Callable[[Any], Any]


class _Wrong(Exception):
    """A value that is not accepted. The message names what is."""


def subscription_fields(body: Mapping[str, Any], *, new: bool, local: bool) -> dict[str, Any]:
    """Return the checked fields of a body, by the names of `Subscription`. Raises InvalidRequest.

    A `new` subscription needs `types` and either `url` or `queue`. A change has only the changed fields. `local`
    accepts endpoints on this machine, for a stack that runs there.
    """
    readers: Mapping[str, Read] = {"url": partial(_url, local=local), "queue": partial(_queue, local=local), **_READ}
    wrong = [FieldError(name, "Unknown field.") for name in sorted(body.keys() - readers.keys())[:_MOST_NAMED]]
    found: dict[str, Any] = {}
    for name, value in body.items():
        if name in readers and not (new and value is None):
            try:
                found[name] = readers[name](value)
            except _Wrong as refused:
                wrong.append(FieldError(name, str(refused)))
    targets = [name for name in ("url", "queue") if body.get(name) is not None]
    if len(targets) > 1:
        wrong.append(FieldError("queue", "A url or a queue, not both."))
    if new and not targets:
        wrong.append(FieldError("url", "Required: where events are sent, an https URL. Or name a queue."))
    if new and body.get("types") is None:
        wrong.append(FieldError("types", 'Required: a list of event types, such as ["meeting.*"].'))
    if wrong:
        raise InvalidRequest(wrong)
    return found


def _url(value: Any, *, local: bool) -> str:
    if not isinstance(value, str):
        raise _Wrong("An https URL.")
    try:
        endpoint_of(value, local=local)
    except AddressRefused as refused:
        raise _Wrong(refused.reason) from None
    return value


def _queue(value: Any, *, local: bool) -> str:
    if not isinstance(value, str) or queue_region(value, local=local) is None:
        raise _Wrong("The URL of a standard SQS queue, as GetQueueUrl answers it.")
    return value


def _types(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not 0 < len(texts) <= _MOST:
        raise _Wrong(f"A list of 1 to {_MOST} event types.")
    found = []
    for text in texts:
        matched = _TYPE.fullmatch(text) if isinstance(text, str) and len(text) <= _LONGEST_TYPE else None
        if not matched:
            raise _Wrong('Zoom\'s names of events, such as "meeting.started"; a star at the end stands for any rest.')
        found.append(matched[1])
    return tuple(dict.fromkeys(found))


def _filters(value: Any) -> Filters:
    if not isinstance(value, dict):
        raise _Wrong("An object with meeting, host, connection and kind, or some of them.")
    unknown = value.keys() - _FILTERS.keys() - {"kind"}
    if unknown:
        raise _Wrong("Only meeting, host, connection and kind.")
    kind = value.get("kind")
    if kind not in {None, *_KINDS}:
        raise _Wrong("kind is meeting or webinar.")
    return Filters(**{name: _filter(value.get(name), *_FILTERS[name]) for name in _FILTERS}, kind=kind)


def _filter(value: Any, pattern: re.Pattern[str], message: str) -> tuple[str, ...]:
    values = [] if value is None else value if isinstance(value, list) else [value]
    texts = [str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in values]
    if len(texts) > _MOST or not all(isinstance(each, str) and pattern.fullmatch(each) for each in texts):
        raise _Wrong(message)
    return tuple(dict.fromkeys(texts))


def _payload(value: Any) -> Payload:
    try:
        return Payload(value)
    except ValueError:
        raise _Wrong("full or thin.") from None


def _rate(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST_PER_SECOND:
        raise _Wrong(f"The most deliveries per second, from 1 to {_MOST_PER_SECOND}, or null.")
    return value


def _ordered(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("true or false.")
    return value


def _description(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_DESCRIPTION or not value.isprintable():
        raise _Wrong(f"One line of at most {_LONGEST_DESCRIPTION} characters.")
    return value


def _state(value: Any) -> State:
    if value not in {State.ACTIVE, State.PAUSED}:
        raise _Wrong("active or paused.")
    return State(value)


_READ: Mapping[str, Read] = {
    "types": _types,
    "filters": _filters,
    "payload": _payload,
    "rate": _rate,
    "ordered": _ordered,
    "description": _description,
    "state": _state,
}


def shown(subscription: Subscription) -> dict[str, Any]:
    """Return a subscription as callers see it, without its secret."""
    target = {"queue": subscription.queue} if subscription.url is None else {"url": subscription.url}
    found: dict[str, Any] = {
        "id": subscription.subscription_id,
        "state": str(subscription.state),
        **target,
        "types": list(subscription.types),
        "filters": subscription.filters.shown(),
        "payload": str(subscription.payload),
        "rate": subscription.rate,
        "ordered": subscription.ordered,
        "description": subscription.description,
        "created_at": _moment(subscription.created_at),
        "state_changed_at": _moment(subscription.state_changed_at),
        "reason": subscription.reason,
        "health": _health(subscription),
    }
    if subscription.previous_until is not None:
        found["previous_secret_until"] = _moment(subscription.previous_until)
    if subscription.last_attempt is not None:
        (attempt,) = json.loads(subscription.last_attempt)
        found["verification"] = Attempt(**attempt).shown()
    return found


def _health(subscription: Subscription) -> dict[str, Any]:
    return {
        "failures": subscription.failures,
        "failing_since": _moment(subscription.failing_since),
        "retry_at": _moment(subscription.retry_at),
        "slow": subscription.slow_at is not None,
    }


def recent(deliveries: Sequence[Delivery]) -> dict[str, Any]:
    """Return what the latest deliveries say about the target's health."""
    attempts = [each.attempts[-1] for each in deliveries if each.attempts]
    arrived = [each for each in deliveries if each.status is Status.DELIVERED]
    durations = sorted(each.duration_ms for each in attempts)
    return {
        "deliveries": len(deliveries),
        **{str(status): sum(each.status is status for each in deliveries) for status in Status},
        "median_ms": durations[len(durations) // 2] if durations else None,
        "last_delivered_at": _moment(max((each.attempts[-1].at for each in arrived), default=None)),
    }


def delivery_shown(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as callers see it."""
    return {
        "event_id": delivery.event_id,
        "type": delivery.type,
        "time": rfc3339(delivery.time_ms),
        "status": str(delivery.status),
        "next_attempt_at": _moment(delivery.next_at),
        "attempts": [each.shown() for each in delivery.attempts],
        "dataref": f"/events/{delivery.event_id}",
    }


def _moment(at: float | None) -> str | None:
    return None if at is None else rfc3339(round(at * 1000))
