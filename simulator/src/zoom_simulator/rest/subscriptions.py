"""An app's event subscriptions by API, for tokens of the app itself; and what became of its deliveries.

https://developers.zoom.us/docs/api/marketplace/
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from zoom_simulator.clock import iso
from zoom_simulator.errors import ZoomError
from zoom_simulator.model import Attempt, Delivery, Json, Subscription
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page

MOST = 20
MOST_USERS = 10
SCOPES = ("user", "account", "master_account")
SCOPE_OF_FAMILY = {
    "meeting": "meeting:read:",
    "webinar": "webinar:read:",
    "recording": "cloud_recording:read:",
    "user": "user:read:",
}
PATH = "/marketplace/app/event_subscription"
ONE = PATH + "/{eventSubscriptionId}"
HEADER_NAME = re.compile(r"[a-z0-9A-Z-]{1,256}")
LOG_PAGE_FIELDS = ("next_page_token", "page_size")
WEEK = 7 * 86_400
ALL, FAILED, SUCCESSFUL = 1, 2, 3
MOST_RETRIES = 3
REASONS = {"timeout": 1, "ConnectError": 2}
REMOTE_ERROR = 7


@operation("subscriptions.list", "GET", PATH, label="Medium", scope="marketplace:read:list_event_subscriptions",
           classic="")  # fmt: skip
def list_subscriptions(call: Call) -> Reply:
    """The app's subscriptions: of a scope, of a user."""
    scope, user = call.query.get("subscription_scope", ""), call.query.get("user_id", "")
    if scope and scope not in SCOPES:
        raise _invalid("The subscription scope is invalid.")
    if user:
        _check_users(call, [user])
    found = [
        each
        for each in _own(call)
        if scope in ("", each.scope) and (not user or each.scope != "user" or user in each.user_ids)
    ]
    chunk, about = page(call, found)
    shown = [_shown(call, each) for each in chunk]
    return Reply(200, {**{name: about[name] for name in LOG_PAGE_FIELDS}, "event_subscriptions": shown})


@operation("subscriptions.create", "POST", PATH, label="Heavy", scope="marketplace:write:event_subscription",
           classic="")  # fmt: skip
def create_subscription(call: Call) -> Reply:
    """Subscribe an endpoint to events of all users or of some; twenty an app, and only what its scopes cover."""
    body = call.body
    url, scope = body.get("event_webhook_url"), body.get("subscription_scope")
    if not body.get("events"):
        raise _invalid("The events list is empty.")
    if not url:
        raise _invalid("The event webhook url is empty.")
    if scope not in SCOPES:
        raise _invalid("The subscription scope is invalid.")
    _check_url(url)
    events, users = _events(call, body["events"]), _check_users(call, body.get("user_ids"))
    if len(_own(call)) >= MOST:
        raise _invalid("The maximum number of event subscriptions has been reached.")
    headers = _headers(body.get("custom_header") or {})
    name = str(body.get("event_subscription_name") or "by API")
    secret, client_id = call.sim.settings.webhook_secret, call.principal.app.client_id
    made = call.sim.subscribe(str(url), secret, events, client_id=client_id, name=name)
    made.scope, made.user_ids, made.source, made.headers = scope, users, "openapi", headers
    if call.sim.behaviour.challenge_on_save:
        call.sim.validator.begin(made)
    return Reply(201, {"event_subscription_id": made.id})


@operation("subscriptions.update", "PATCH", PATH, label="Medium", scope="marketplace:update:event_subscription",
           classic="")  # fmt: skip
def update_subscription(call: Call) -> Reply:
    """Change where events go, and which: `event_subscription_id` in the body, then what changes."""
    found = _one(call, str(call.body.get("event_subscription_id", "")))
    if "events" in call.body:
        found.events = _events(call, call.body["events"])
    if "event_webhook_url" in call.body:
        _check_url(call.body["event_webhook_url"])
        found.url, found.validated = str(call.body["event_webhook_url"]), False
        if call.sim.behaviour.challenge_on_save:
            call.sim.validator.begin(found)
    if "custom_header" in call.body:
        found.headers = _headers(call.body["custom_header"] or {})
    found.name = str(call.body.get("event_subscription_name") or found.name)
    return Reply(204)


@operation("subscriptions.unsubscribe", "DELETE", PATH, label="Medium",
           scope="marketplace:delete:event_subscription", classic="")  # fmt: skip
def unsubscribe(call: Call) -> Reply:
    """Leave some users out from now on (`user_ids`), or everybody."""
    found = _one(call, call.query.get("event_subscription_id", ""))
    given = call.query.get("user_ids", "")
    users = _check_users(call, given.split(",") if given else None)
    found.user_ids = [each for each in found.user_ids if users and each not in users]
    if not users:
        found.enabled, found.disabled_reason = False, "unsubscribed"
    return Reply(204)


@operation("subscriptions.subscribe", "PATCH", ONE, label="Medium", scope="marketplace:update:event_subscription",
           classic="")  # fmt: skip
def subscribe(call: Call) -> Reply:
    """Take in more users, or everybody again."""
    found = _one(call, call.params["eventSubscriptionId"])
    for each in _check_users(call, call.body.get("user_ids")):
        if each not in found.user_ids:
            found.user_ids.append(each)
    found.enabled, found.disabled_reason = True, ""
    return Reply(204)


@operation("subscriptions.delete", "DELETE", ONE, label="Medium", scope="marketplace:delete:event_subscription",
           classic="")  # fmt: skip
def delete_subscription(call: Call) -> Reply:
    """Delete it."""
    del call.sim.state.subscriptions[_one(call, call.params["eventSubscriptionId"]).id]
    return Reply(204)


@operation("subscriptions.logs", "GET", "/marketplace/apps/{appId}/webhook_logs", label="Medium",
           scope="marketplace:read:webhook_logs", classic="marketplace_app:read")  # fmt: skip
def webhook_logs(call: Call) -> Reply:
    """Every attempt at a delivery, the newest first; only the failed ones unless `type` says 1 (all) or 3."""
    if call.params["appId"] != call.principal.app.client_id:
        raise ZoomError(404, 1401, "APP ID does not exist: {}.", call.params["appId"])
    wanted = Logged.read(call)
    own = {each.id: each for each in _own(call)}
    found: list[tuple[Delivery, int]] = [
        (delivery, number)
        for delivery in call.sim.state.deliveries.values()
        if delivery.subscription_id in own
        for number in range(len(delivery.attempts))
        if wanted.fits(delivery, number)
    ]
    found.sort(key=lambda pair: pair[0].attempts[pair[1]].at, reverse=True)
    chunk, about = page(call, found)
    shown = [row(delivery, number, own[delivery.subscription_id]) for delivery, number in chunk]
    return Reply(200, {**{name: about[name] for name in LOG_PAGE_FIELDS}, "webhook_logs": shown})


def _own(call: Call) -> list[Subscription]:
    client_id = call.principal.app.client_id
    return [each for each in call.sim.state.subscriptions.values() if each.client_id == client_id]


def _one(call: Call, reference: str) -> Subscription:
    """A subscription made by API; those of the build flow cannot be touched."""
    for each in _own(call):
        if each.id == reference and each.source == "openapi":
            return each
    raise ZoomError(404, 1601, "App event subscription is invalid: {}", reference)


def _events(call: Call, events: object) -> list[str]:
    if not isinstance(events, list) or not events:
        raise _invalid("The events list is empty.")
    scopes = (*call.principal.app.scopes, *call.principal.app.account_scopes)
    for event in events:
        prefix = SCOPE_OF_FAMILY.get(str(event).partition(".")[0])
        if prefix is not None and not any(scope.startswith(prefix) for scope in scopes):
            raise ZoomError(400, 1602, "The event is not allowed for the app: {}", event)
    return [str(event) for event in events]


def _check_users(call: Call, users: object) -> list[str]:
    if users is None:
        return []
    if not isinstance(users, list) or len(users) > MOST_USERS:
        raise _invalid("The user list is invalid.")
    for each in users:
        user = call.sim.state.users.get(str(each))
        if user is None or user.account_id != call.account_id:
            raise ZoomError(404, 1001, "User does not exist or does not belong to this account: {}.", each)
        if not call.sim.grants.living(user.id, call.principal.app.client_id) and call.principal.grant.level == "app":
            raise ZoomError(400, 1300, "The user don't authorize the app: {}.", each)
    return [str(each) for each in users]


def _check_url(url: object) -> None:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise ZoomError(404, 1701, "The event webhook url validate failed: {}.", url)


def _headers(wanted: Json) -> dict[str, str]:
    """The header that every delivery carries: none (0), Basic (1), or one of the app's own (3)."""
    kind = wanted.get("custom_header_type", 0)
    if kind == 0:
        return {}
    if kind == 1:
        _require(wanted, "username", "password")
        proof = base64.b64encode(f"{wanted['username']}:{wanted['password']}".encode()).decode()
        return {"authorization": f"Basic {proof}"}
    if kind == 3:  # noqa: PLR2004 - a header of one's own
        _require(wanted, "custom_header_key", "custom_header_value")
        if not HEADER_NAME.fullmatch(wanted["custom_header_key"]):
            raise _invalid("The custom header key can only contain letters, numbers, and -.")
        return {wanted["custom_header_key"]: wanted["custom_header_value"]}
    raise ZoomError(404, 1801, "The custom header type validate failed: {}.", kind)


def _require(wanted: Json, *names: str) -> None:
    for name in names:
        value = wanted.get(name)
        if not isinstance(value, str) or not value:
            raise _invalid(f"The {name.replace('_', ' ')} is required.")
        if "\n" in value or "\r" in value:
            raise _invalid("The input value can't contain line feed.")


def _invalid(text: str) -> ZoomError:
    return ZoomError(400, 1500, text)


def _shown(call: Call, each: Subscription) -> Json:
    return {
        "event_subscription_id": each.id,
        "events": each.events,
        "event_subscription_name": each.name,
        "event_webhook_url": each.url,
        "subscription_scope": each.scope,
        "created_source": each.source,
        "subscriber_id": call.account_id,
    }


@dataclass(frozen=True)
class Logged:
    """Which attempts are asked for."""

    begin: float
    end: float
    event: str
    kind: int
    retry: int | None

    @classmethod
    def read(cls, call: Call) -> Logged:
        """Read a request. ZoomError when it is not valid."""
        begin, end = _moment(call, "from", call.now - WEEK), _moment(call, "to", call.now)
        if begin > end:
            raise ZoomError(404, 1501, "The 'to' date must be after the 'from' date.")
        if begin < call.now - WEEK - 1:
            raise ZoomError(404, 1502, "The date range must be within the last seven days.")
        retry = call.query.get("retry_num", "")
        if retry and (not retry.isdecimal() or int(retry) > MOST_RETRIES):
            raise ZoomError(400, 1506, "The 'retry_num' value must be an integer within the range of 0 to 3.")
        kind = call.number("type", FAILED, ALL, SUCCESSFUL)
        return cls(begin, end, call.query.get("event", ""), kind, int(retry) if retry else None)

    def fits(self, delivery: Delivery, number: int) -> bool:
        """Whether the attempt of this number is one of them."""
        attempt = delivery.attempts[number]
        good = attempt.status is not None and attempt.status < 300  # noqa: PLR2004 - a success
        return (
            self.event in ("", delivery.event)
            and self.begin <= attempt.at <= self.end
            and self.retry in (None, number)
            and (self.kind == ALL or good == (self.kind == SUCCESSFUL))
        )


def row(delivery: Delivery, number: int, subscription: Subscription) -> Json:
    """One attempt."""
    attempt = delivery.attempts[number]
    shown: Json = {
        "event": delivery.event,
        "status": -1 if attempt.status is None else attempt.status,
        "user_id": "",
        "endpoint": subscription.url,
        "subscription_id": subscription.id,
        "request_headers": json.dumps({"x-zm-request-timestamp": attempt.stamp}),
        "request_body": delivery.body,
        "response_headers": "",
        "response_body": attempt.answer or _problem(attempt),
        "date_time": iso(attempt.at),
        "trace_id": delivery.tracking_id.rpartition("rid=")[2],
        "request_id": delivery.id.split("#")[0],
        "retry_num": number,
    }
    if attempt.status is None:
        shown["failed_reason_type"] = REASONS.get(attempt.error, REMOTE_ERROR)
    return shown


def _problem(attempt: Attempt) -> str:
    return "Timeout connecting to server." if attempt.error == "timeout" else attempt.error


def _moment(call: Call, name: str, default: float) -> float:
    text = call.query.get(name)
    if not text:
        return default
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        text = "The dates must follow the format: `yyyy-MM-dd'T'HH:mm:ss'Z'`."
        raise ZoomError(404, 1503, text) from None
