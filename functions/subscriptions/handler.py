"""`/subscriptions`: tenants subscribe to events, look at their deliveries, and have them sent again."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from zoom_common.access.principal import Principal
from zoom_common.connections.selection import EVERY_OWNER, owner_filter
from zoom_common.edge.http import Router
from zoom_common.edge.own_requests import body_of, log_query_of, log_tokens
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.edge.response import Response, json_response
from zoom_common.edge.subscription_requests import delivery_shown, recent, shown, subscription_fields
from zoom_common.errors import Conflict, DependencyFailed, FieldError, Forbidden, InvalidRequest, NotFound
from zoom_common.events.subscriptions.addresses import endpoint_of
from zoom_common.events.subscriptions.model import (
    SUBSCRIPTION_ID,
    Filters,
    State,
    Status,
    Subscription,
    new_subscription_id,
)
from zoom_common.events.subscriptions.sending import new_secret, new_test_event
from zoom_common.events.subscriptions.settling import (
    begins_after,
    missed_since,
    missed_until,
    waiting_of,
)
from zoom_common.events.subscriptions.store import MOST_PER_TENANT
from zoom_common.events.subscriptions.target_client import NoAnswer
from zoom_common.observability import logger
from zoom_common.wiring.subscriptions import Subscriptions, SubscriptionSettings
from zoom_common.wiring.throttle import key_limits

_RECENT = 100
_STATUS = re.compile("|".join(Status))
_PLACE = re.compile(r"[0-9]{13}#evt_[0-9a-f]{32}")
_EVENT_ID = re.compile(r"evt_[0-9a-f]{32}")
_SPAN = ("from", "to", "type", "meeting", "page_size", "next_page_token")
_DEFAULT_OVERLAP, _LONGEST_OVERLAP = 24, 168
# The caller must have the secret before its target receives the first request.
_FIRST_VERIFICATIONS = (1, 7)
# Failures are reset when a subscription starts again.
_AFRESH: Mapping[str, Any] = {
    "reason": None,
    "announce": None,
    "failures": None,
    "failing_since": None,
    "retry_at": None,
    "rounds": None,
    "slow_at": None,
}


@cache
def settings() -> SubscriptionSettings:
    """Return this container's settings."""
    return SubscriptionSettings.from_env(os.environ)


@cache
def subscriptions() -> Subscriptions:
    """Return the collaborators, made once per container."""
    return Subscriptions(settings())


router = Router(key_limits(settings))
handler = router.handle


@router.route("POST", "/subscriptions", scope="subscriptions:write")
def create(request: Request, principal: Principal) -> Response:
    """Make a subscription. It is pending until its target has confirmed that it wants events.

    The secret is shown once.
    """
    _admit(principal)
    fields = subscription_fields(body_of(request), new=True, local=settings().local)
    fields = _bound(principal, {"filters": Filters(), **fields})
    paused = fields.pop("state", State.ACTIVE) is State.PAUSED
    if paused:
        raise InvalidRequest([FieldError("state", "A new subscription begins as pending. Pause it when it is active.")])
    _check_url(fields)
    if len(subscriptions().store.list(principal.tenant)) >= MOST_PER_TENANT:
        raise Conflict(f"A tenant has at most {MOST_PER_TENANT} subscriptions.", reason="too_many_subscriptions")
    now, name, secret = time.time(), new_subscription_id(secrets.token_bytes(16)), new_secret()
    made = Subscription(
        missed_after=begins_after(now) if fields.get("ordered") else None,
        tenant=principal.tenant,
        subscription_id=name,
        state=State.PENDING,
        created_at=now,
        state_changed_at=now,
        secret=subscriptions().secrets.seal(principal.tenant, name, secret),
        challenge=secrets.token_urlsafe(24),
        due_at=now,
        **fields,
    )
    subscriptions().store.create(made)
    _wake(made, *_FIRST_VERIFICATIONS)
    answer = {**shown(made), "secret": secret.reveal()}
    return json_response(201, answer, {"location": f"/subscriptions/{name}"})


@router.route("GET", "/subscriptions", scope="subscriptions:read")
def list_all(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """List the tenant's subscriptions, oldest first. There are few, so all are on one page."""
    _admit(principal)
    found = [each for each in subscriptions().store.list(principal.tenant) if _reaches(principal, each)]
    found.sort(key=lambda each: (each.created_at, each.subscription_id))
    return json_response(200, {"subscriptions": [shown(each) for each in found], "next_page_token": ""})


@router.route("GET", "/subscriptions/{subscription_id}", scope="subscriptions:read")
def show(request: Request, principal: Principal, subscription_id: str) -> Response:  # noqa: ARG001
    """Show one subscription, with the health of its target from the latest deliveries."""
    found = _one(principal, subscription_id)
    latest, _ = subscriptions().deliveries.page(found, limit=_RECENT)
    answer = shown(found)
    return json_response(200, {**answer, "health": {**answer["health"], "recent": recent(latest)}})


@router.route("PATCH", "/subscriptions/{subscription_id}", scope="subscriptions:write")
def change(request: Request, principal: Principal, subscription_id: str) -> Response:
    """Change a subscription. A new target must be verified first; events that arrive before are sent afterwards."""
    seen = _one(principal, subscription_id)
    fields = _bound(principal, subscription_fields(body_of(request), new=False, local=settings().local))
    state = fields.pop("state", None)
    changes = {**fields, **_order(seen, fields), **_target(seen, fields)}
    if changes:
        seen = _changed(seen, **changes)
    if "challenge" in changes:
        _wake(seen, *_FIRST_VERIFICATIONS)
    elif state is not None:
        seen = _set_state(seen, state)
    return json_response(200, shown(seen))


@router.route("DELETE", "/subscriptions/{subscription_id}", scope="subscriptions:write")
def delete(request: Request, principal: Principal, subscription_id: str) -> Response:  # noqa: ARG001
    """Delete a subscription. Only deliveries under way are still made."""
    found = _one(principal, subscription_id)
    subscriptions().store.delete(principal.tenant, found.subscription_id)
    return Response(204)


@router.route("POST", "/subscriptions/{subscription_id}/pause", scope="subscriptions:write")
def pause(request: Request, principal: Principal, subscription_id: str) -> Response:  # noqa: ARG001
    """Send nothing until the subscription is resumed."""
    return json_response(200, shown(_set_state(_one(principal, subscription_id), State.PAUSED)))


@router.route("POST", "/subscriptions/{subscription_id}/resume", scope="subscriptions:write")
def resume(request: Request, principal: Principal, subscription_id: str) -> Response:  # noqa: ARG001
    """Send events again, beginning with the oldest of those that were missed."""
    return json_response(200, shown(_set_state(_one(principal, subscription_id), State.ACTIVE)))


@router.route("POST", "/subscriptions/{subscription_id}/verify", scope="subscriptions:write")
def verify(request: Request, principal: Principal, subscription_id: str) -> Response:  # noqa: ARG001
    """Send another challenge to the target of a pending subscription."""
    seen = _one(principal, subscription_id)
    if seen.state is not State.PENDING:
        raise Conflict("This subscription is verified.", reason="not_pending", details={"state": str(seen.state)})
    seen = _changed(seen, retry_at=None, rounds=None, due_at=time.time())
    _wake(seen, 0)
    return json_response(202, shown(seen))


@router.route("POST", "/subscriptions/{subscription_id}/rotate", scope="subscriptions:write")
def rotate(request: Request, principal: Principal, subscription_id: str) -> Response:
    """Make a new secret. For `overlap_hours` (24), deliveries are signed with the former one as well."""
    seen, overlap = _one(principal, subscription_id), body_of(request).get("overlap_hours", _DEFAULT_OVERLAP)
    if isinstance(overlap, bool) or not isinstance(overlap, int) or not 0 <= overlap <= _LONGEST_OVERLAP:
        raise InvalidRequest([FieldError("overlap_hours", f"A whole number from 0 to {_LONGEST_OVERLAP}.")])
    secret = new_secret()
    sealed = subscriptions().secrets.seal(seen.tenant, seen.subscription_id, secret)
    until = time.time() + overlap * 3600
    seen = _changed(seen, secret=sealed, previous_secret=seen.secret, previous_until=until)
    return json_response(200, {**shown(seen), "secret": secret.reveal()})


@router.route("POST", "/subscriptions/{subscription_id}/test", scope="subscriptions:write")
def test(request: Request, principal: Principal, subscription_id: str) -> Response:  # noqa: ARG001
    """Send an event of the type `subscription.test`, whatever the types and filters are."""
    seen, now = _sending(principal, subscription_id), time.time()
    event = new_test_event(seen, at=now, name=secrets.token_hex(8))
    subscriptions().deliveries.add(seen, waiting_of(event, seen, now=now, forced=True), now=now)
    _send_now(seen)
    return json_response(202, {"event_id": event.id})


@router.route("GET", "/subscriptions/{subscription_id}/deliveries", scope="subscriptions:read")
def deliveries(request: Request, principal: Principal, subscription_id: str) -> Response:
    """List deliveries with all attempts, newest event first. With `status`, a page may be short."""
    seen, fields = _one(principal, subscription_id), Fields(request.query)
    fields.only(("status", "page_size", "next_page_token"))
    status = fields.matching("status", _STATUS, "delivered, retrying or failed.")
    tokens = _tokens(seen)
    size, after = fields.page_size(), fields.after(tokens)
    fields.check()
    found, last = subscriptions().deliveries.page(
        seen, limit=size, after=after, status=Status(status) if status else None
    )
    token = tokens.encode(last)
    return json_response(
        200, {"deliveries": [delivery_shown(each) for each in found], "page_size": size, "next_page_token": token}
    )


@router.route("POST", "/subscriptions/{subscription_id}/redeliver", scope="subscriptions:write")
def redeliver(request: Request, principal: Principal, subscription_id: str) -> Response:
    """Send again: one event (`id`), all that failed (`failed`), or those of a period (`from`, `to`)."""
    seen, body = _sending(principal, subscription_id), body_of(request)
    if body.get("id") is not None:
        sent, token = _one_again(seen, body["id"]), ""
    elif body.get("failed") is True:
        sent, token = _failed_again(seen, body)
    else:
        sent, token = _span_again(seen, body)
    _send_now(seen)
    return json_response(202, {"redelivered": sent, "next_page_token": token})


def _one_again(seen: Subscription, name: object) -> int:
    known = name if isinstance(name, str) and _EVENT_ID.fullmatch(name) else None
    if known is None or not subscriptions().redelivery.one(seen, known):
        raise NotFound("There is no such event for this subscription.", reason="unknown_event")
    return 1


def _failed_again(seen: Subscription, body: Mapping[str, Any]) -> tuple[int, str]:
    tokens, fields = _tokens(seen), Fields({"next_page_token": str(body.get("next_page_token") or "")})
    after = fields.after(tokens)
    fields.check()
    sent, last = subscriptions().redelivery.failed(seen, after=after)
    return sent, tokens.encode(last)


def _span_again(seen: Subscription, body: Mapping[str, Any]) -> tuple[int, str]:
    given = {name: str(value) for name, value in body.items() if name in _SPAN and isinstance(value, str | int)}
    wrong = [FieldError(name, "Unknown field.") for name in sorted(body.keys() - given.keys())[:20]]
    if not given.get("from"):
        wrong.append(FieldError("id", "Give an id, `failed`: true, or a span with `from` and `to`."))
    if wrong:
        raise InvalidRequest(wrong)
    tokens = log_tokens(seen.tenant)
    query = log_query_of(Fields(given), now=time.time(), retention_days=settings().retention_days, tokens=tokens)
    sent, last = subscriptions().redelivery.span(seen, query)
    return sent, tokens.encode(last)


def _set_state(seen: Subscription, state: State) -> Subscription:
    """Pause or resume a subscription. One that is in that state already stays as it is."""
    now = time.time()
    if seen.state is state:
        return seen
    match seen.state, state:
        case State.ACTIVE, State.PAUSED:
            return _changed(seen, state=state, state_changed_at=now, missed_after=missed_since(seen, now), reason=None)
        case ((State.PAUSED | State.DISABLED | State.UNSUBSCRIBED), State.ACTIVE):
            until = missed_until(now) if seen.missed_after else None
            resumed = _changed(seen, **_AFRESH, state=state, state_changed_at=now, missed_until=until, due_at=now)
            _wake(resumed, 0)
            return resumed
        case _:
            raise Conflict(
                f"A subscription that is {seen.state} cannot become {state}.",
                reason="wrong_state",
                details={"state": str(seen.state)},
            )


def _order(seen: Subscription, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else changes with the order: an ordered subscription reads the log, from a place on."""
    now = time.time()
    if "ordered" not in fields or fields["ordered"] == seen.ordered:
        return {}
    if fields["ordered"]:
        return {"missed_after": missed_since(seen, now), "missed_until": None}
    return {"missed_until": missed_until(now)}


def _target(seen: Subscription, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else changes with the target: it is pending, and what it misses is sent once it is verified."""
    named = [name for name in ("url", "queue") if name in fields]
    if not named or fields[named[0]] == getattr(seen, named[0]):
        return {}
    other = "queue" if named == ["url"] else "url"
    _check_url(fields)
    now = time.time()
    return {
        **_AFRESH,
        other: None,
        "state": State.PENDING,
        "state_changed_at": now,
        "challenge": secrets.token_urlsafe(24),
        "last_attempt": None,
        "missed_after": missed_since(seen, now) if seen.state is State.ACTIVE else seen.missed_after,
        "due_at": now,
    }


def _check_url(fields: Mapping[str, Any]) -> None:
    """Look up the host of a URL. Raises InvalidRequest when it has no address, or one that is not public."""
    if fields.get("url") is None:
        return
    try:
        subscriptions().endpoints.addresses(endpoint_of(fields["url"], local=settings().local))
    except NoAnswer as refused:
        text = str(refused)
        raise InvalidRequest([FieldError("url", f"{text[0].upper()}{text[1:]}.")]) from None


def _bound(principal: Principal, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields. For a key that is bound to a connection, that connection is added as a filter."""
    if principal.connection is None or "filters" not in fields:
        return fields
    filters: Filters = fields["filters"]
    if set(filters.connection) - {principal.connection}:
        raise InvalidRequest([FieldError("filters", "This key is bound to one connection, and sees no other.")])
    only = Filters(filters.meeting, filters.host, (principal.connection,), filters.kind)
    return {**fields, "filters": only}


def _admit(principal: Principal) -> None:
    """Raise NotFound where subscriptions are off, and Forbidden for a person who may use only some connections."""
    if not settings().enabled:
        raise NotFound("This stack has no subscriptions: deploy it with Subscriptions=on.", reason="not_served_here")
    if owner_filter(principal) is not None:
        raise Forbidden([EVERY_OWNER])


def _reaches(principal: Principal, subscription: Subscription) -> bool:
    """Return whether the caller may see a subscription: a bound key sees those of its connection only."""
    return principal.connection is None or subscription.filters.connection == (principal.connection,)


def _one(principal: Principal, name: str) -> Subscription:
    _admit(principal)
    found = subscriptions().store.get(principal.tenant, name) if SUBSCRIPTION_ID.fullmatch(name) else None
    if found is None or not _reaches(principal, found):
        raise NotFound("There is no such subscription.", reason="unknown_subscription")
    return found


def _sending(principal: Principal, name: str) -> Subscription:
    """Return a subscription that sends, or will send when it is resumed. Raises Conflict for others."""
    found = _one(principal, name)
    if found.state not in {State.ACTIVE, State.PAUSED}:
        raise Conflict(
            "This subscription gets no events. Verify or resume it first.",
            reason="wrong_state",
            details={"state": str(found.state)},
        )
    return found


def _changed(seen: Subscription, **changes: Any) -> Subscription:
    found = subscriptions().store.change(seen, **changes)
    if found is None:
        raise Conflict("The subscription has changed meanwhile. Look at it again.", reason="changed_meanwhile")
    return found


def _send_now(seen: Subscription) -> None:
    subscriptions().store.wake(seen, at=time.time())
    _wake(seen, 0)


def _wake(seen: Subscription, *delays: float) -> None:
    """Wake a worker. If that fails, the next sweep does so within a minute."""
    for delay in delays:
        try:
            subscriptions().wakes.send([(seen.tenant, seen.subscription_id)], delay=delay)
        except DependencyFailed as error:
            logger().warning("worker not woken", reason=error.reason)


def _tokens(seen: Subscription) -> PageTokens:
    return PageTokens(f"deliveries.{seen.subscription_id}", seen.tenant, _PLACE)
