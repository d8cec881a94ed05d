"""Creates with an Idempotency-Key: sent once, answered again, and looked up before they are sent a second time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any

from zoom_common.errors import (
    Conflict,
    DependencyFailed,
    FieldError,
    GatewayError,
    IdempotencyKeyReused,
    InvalidRequest,
    OutcomeUnknown,
)
from zoom_common.gateway.context import Call
from zoom_common.gateway.create_lookup import HARMLESS_TWICE, LookupInconclusive, can_be_found, candidates, made_by
from zoom_common.gateway.http_client import ZoomApiClient
from zoom_common.gateway.idempotency_store import IdempotencyStore, MadeForAnotherKey, StoredAnswer
from zoom_common.zoom.api import multipart_boundary
from zoom_common.zoom.http import HttpResponse

HEADER = "idempotency-key"
# In seconds. Zoom may still carry out a request without an answer. For this long, "not found" does not prove that it
# was not made.
SETTLED_AFTER = 60.0
_LONGEST_WAIT = 10.0
_LEASE_MARGIN = 5.0
_TIME_TO_LOOK = 4.0
_POLL = 0.25
# A refusal of the token or for the rate, and a redirect that asks for the same request elsewhere.
_NOTHING_MADE = frozenset({401, 429, 307, 308})
_KEY = re.compile(r"[!-~]{1,255}")
# Everybody who opens this link is the host.
_NEVER_STORED = "start_url"
_AGAIN = "Send it again with the same Idempotency-Key: the gateway first looks for what may have been made."
_NOT_FOUND = "The gateway cannot look for what this makes. Check at Zoom, then use a new Idempotency-Key."


@dataclass(frozen=True, slots=True)
class Keyed:
    """The outcome of a create with a key. `how` is made, replayed or adopted."""

    response: HttpResponse
    how: str


@dataclass(slots=True)
class _Held:
    """A leased record. Something may have been made since `since`; an earlier call was last sent at `before`."""

    key: str
    owner: str
    since: float | None = None
    before: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """Guards creates.

    `clock` gives epoch seconds, `sleep` takes seconds, `random` gives 0 up to 1, `new_id` new ids.
    """

    store: IdempotencyStore
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    new_id: Callable[[], str]

    def once(self, call: Call, key: str, client: ZoomApiClient) -> Keyed:
        """Return Zoom's answer to the one create under `key`: new, stored, or found at Zoom.

        Raises IdempotencyKeyReused for another body, Conflict while another call works on it or its outcome is open,
        OutcomeUnknown when it cannot be decided, and what `ZoomApiClient.send` raises when nothing was made.
        """
        if not _KEY.fullmatch(key):
            raise InvalidRequest([FieldError("Idempotency-Key", "Use 1 to 255 visible ASCII characters.")])
        held = self._hold(call, _name(call, key))
        if isinstance(held, StoredAnswer):
            return Keyed(_replayed(held), "replayed")
        if held.since is not None:
            found = self._found(call, held, client)
            if found is not None:
                return found
        return self._make(call, held, client)

    def _hold(self, call: Call, key: str) -> _Held | StoredAnswer:
        owner, fingerprint = self.new_id(), _fingerprint(call)
        whose = f"{call.connection.tenant}#{call.connection.connection_id}"  # the stored key is a digest
        until = self.clock() + min(_LONGEST_WAIT, call.deadline.remaining() - _TIME_TO_LOOK)
        while True:
            now = self.clock()
            lease = now + call.deadline.remaining() + _LEASE_MARGIN
            entry = self.store.begin(key, fingerprint, whose=whose, owner=owner, now=now, lease_until=lease)
            if entry is None:
                return _Held(key, owner)
            if entry.fingerprint != fingerprint:
                raise IdempotencyKeyReused
            if entry.answer is not None:
                return entry.answer
            if entry.lease_until <= now and self.store.take_over(key, entry, owner=owner, lease_until=lease):
                return _Held(key, owner, entry.first_sent, entry.last_sent)
            if now >= until:
                raise _later(1, "Another request with this Idempotency-Key is under way.", "idempotency_in_progress")
            self._pause(call)

    def _pause(self, call: Call) -> None:
        wait = _POLL * (1 + self.random())
        call.stats.waited += wait
        self.sleep(wait)

    def _make(self, call: Call, held: _Held, client: ZoomApiClient) -> Keyed:
        try:
            response = client.send(call, before_sending=lambda: self._mark_sent(held))
        except OutcomeUnknown:
            return self._after_silence(call, held, client)
        except GatewayError:
            self._nothing_was_made(held)
            raise
        if response.status >= 500:  # noqa: PLR2004 - a 5xx does not say that nothing was made
            self._leave_unknown(held)
        elif response.status in _NOTHING_MADE:
            self._nothing_was_made(held)
        else:
            self._keep(call, held, response)
        return Keyed(response, "made")

    def _mark_sent(self, held: _Held) -> None:
        now = self.clock()
        if not self.store.sent(held.key, owner=held.owner, now=now):
            raise _later(1, "Another request with this Idempotency-Key is under way.", "idempotency_in_progress")
        held.since = held.since or now

    def _found(self, call: Call, held: _Held, client: ZoomApiClient) -> Keyed | None:
        """Return what an earlier call made, or None when it made nothing, or nothing that could be doubled."""
        if call.operation.name in HARMLESS_TWICE:
            return None
        try:
            adopted = self._look(call, held, client)
        except LookupInconclusive:
            self._leave_unknown(held)
            raise OutcomeUnknown(hint=_how_to_go_on(call)) from None
        settled = (held.before or 0.0) + SETTLED_AFTER
        if adopted is None and self.clock() < settled:
            self._leave_unknown(held)
            wait = ceil(settled - self.clock())
            raise _later(wait, "Zoom may still carry out the first request.", "idempotency_unsettled")
        return adopted

    def _look(self, call: Call, held: _Held, client: ZoomApiClient) -> Keyed | None:
        since = held.since if held.since is not None else self.clock()
        free = []
        for made, response in candidates(client, call, since=since):
            bound = None if made is None else _bound(call, made)
            if bound is None or self.store.bound_to(bound) in {None, held.key}:
                free.append((bound, response))
        if not free:
            return None
        if len(free) > 1:
            raise LookupInconclusive
        ((bound, response),) = free
        answer = HttpResponse(call.operation.success, response.headers, response.body)
        try:
            kept = self.store.done(held.key, _stored(answer), owner=held.owner, made=bound, now=self.clock())
        except MadeForAnotherKey:  # it was faster
            kept = False
        if not kept:
            raise LookupInconclusive
        return Keyed(answer, "adopted")

    def _after_silence(self, call: Call, held: _Held, client: ZoomApiClient) -> Keyed:
        """Look for what was made after the answer was lost, if there is time. Never send again in the same call."""
        if call.deadline.allows(_TIME_TO_LOOK):
            try:
                adopted = self._look(call, held, client)
            except (LookupInconclusive, DependencyFailed):
                adopted = None
            if adopted is not None:
                return adopted
        self._leave_unknown(held)
        raise OutcomeUnknown(hint=_how_to_go_on(call)) from None

    def _keep(self, call: Call, held: _Held, response: HttpResponse) -> None:
        made = made_by(call, response)
        bound = _bound(call, made) if made is not None else None
        # A record that cannot be finished stays `sent`, and the next call with this key finds what was made.
        with suppress(DependencyFailed):
            try:
                self.store.done(held.key, _stored(response), owner=held.owner, made=bound, now=self.clock())
            except MadeForAnotherKey:
                # A call with another key and the same body got no answer, looked, and was given what this call made.
                # What that call may have made itself is found by the next call with this key, or else made then.
                self._leave_unknown(held)
                message = "A request with the same body and another Idempotency-Key was given what this one made."
                raise _later(ceil(SETTLED_AFTER), message, "idempotency_unsettled") from None

    def _nothing_was_made(self, held: _Held) -> None:
        if held.before is not None:
            self._leave_unknown(held)  # this call made nothing, an earlier one may have
            return
        with suppress(DependencyFailed):
            self.store.forget(held.key, owner=held.owner)

    def _leave_unknown(self, held: _Held) -> None:
        with suppress(DependencyFailed):
            self.store.unknown(held.key, owner=held.owner)


def _name(call: Call, key: str) -> str:
    about = call.connection
    return "key#" + _digest([about.tenant, about.connection_id, call.operation.name, key])


def _bound(call: Call, made: str) -> str:
    return "made#" + _digest([call.connection.zoom_account_id, call.operation.name, made])


def _fingerprint(call: Call) -> str:
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        # A program that repeats an upload uses another boundary.
        boundary = multipart_boundary(call.content_type)
        body = (call.body if boundary is None else call.body.replace(boundary, b"")).hex()
    return _digest([dict(call.ids), call.query_string, body])


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _stored(response: HttpResponse) -> StoredAnswer:
    body = response.body
    if _NEVER_STORED.encode() in body and (members := _parsed(body)) is not None:
        body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    return StoredAnswer(response.status, response.headers.get("content-type", "application/json"), body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, object_hook=_without)
    except (ValueError, RecursionError):  # an answer of the pass-through may have any content
        return None


def _without(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name != _NEVER_STORED}


def _replayed(answer: StoredAnswer) -> HttpResponse:
    return HttpResponse(answer.status, {"content-type": answer.content_type}, answer.body)


def _how_to_go_on(call: Call) -> str:
    return _AGAIN if call.operation.name in HARMLESS_TWICE or can_be_found(call) else _NOT_FOUND


def _later(seconds: int, message: str, reason: str) -> Conflict:
    conflict = Conflict(message, reason=reason)
    conflict.headers["retry-after"] = str(seconds)
    return conflict
