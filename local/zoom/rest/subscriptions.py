"""An app's event subscriptions by API, for tokens of `client_credentials`; and what became of its deliveries.

https://developers.zoom.us/docs/api/webhooks/
"""

from __future__ import annotations

from local.zoom.check import Field, check
from local.zoom.clock import iso
from local.zoom.failures import ZoomError
from local.zoom.model import Json, Subscription
from local.zoom.paging import page
from local.zoom.rest.call import Call, Reply
from local.zoom.rest.operations import operation

MOST = 20
SCOPE_OF_FAMILY = {
    "meeting": "meeting:read:",
    "webinar": "webinar:read:",
    "recording": "cloud_recording:read:",
    "user": "user:read:",
}
FIELDS = {
    "event_webhook_url": Field("string", required=True),
    "event_subscription_name": Field("string"),
    "events": Field("array", required=True),
}
PATH = "/marketplace/app/event_subscription"


@operation("subscriptions.list", "GET", PATH, label="Medium", scope="marketplace:read:event_subscription",
           classic="")  # fmt: skip
def list_subscriptions(call: Call) -> Reply:
    """The app's subscriptions."""
    chunk, about = page(call, _own(call))
    return Reply(200, {**about, "event_subscriptions": [_shown(each) for each in chunk]})


@operation("subscriptions.create", "POST", PATH, label="Light", scope="marketplace:write:event_subscription",
           classic="")  # fmt: skip
def create_subscription(call: Call) -> Reply:
    """Subscribe an endpoint; twenty an app at most, and only to events that the app's scopes cover."""
    check(call.body, FIELDS)
    if len(_own(call)) >= MOST:
        raise ZoomError(400, 300, "The maximum number of event subscriptions has been reached.")
    _check_events(call, call.body["events"])
    subscription = call.sim.subscribe(
        call.body["event_webhook_url"],
        call.sim.settings.webhook_secret,
        [str(event) for event in call.body["events"]],
        client_id=call.principal.app.client_id,
        name=call.body.get("event_subscription_name") or "by API",
    )
    if call.sim.behaviour.challenge_on_save:
        call.sim.validator.begin(subscription)
    return Reply(201, {"event_subscription_id": subscription.id})


@operation("subscriptions.update", "PATCH", PATH + "/{eventSubscriptionId}", label="Light",
           scope="marketplace:write:event_subscription", classic="")  # fmt: skip
def update_subscription(call: Call) -> Reply:
    """Change where events go, and which."""
    subscription = _one(call)
    check(call.body, {name: Field(field.form) for name, field in FIELDS.items()})
    if "events" in call.body:
        _check_events(call, call.body["events"])
        subscription.events = [str(event) for event in call.body["events"]]
    subscription.url = call.body.get("event_webhook_url", subscription.url)
    subscription.name = call.body.get("event_subscription_name", subscription.name)
    return Reply(204)


@operation("subscriptions.delete", "DELETE", PATH + "/{eventSubscriptionId}", label="Light",
           scope="marketplace:write:event_subscription", classic="")  # fmt: skip
def delete_subscription(call: Call) -> Reply:
    """Unsubscribe."""
    del call.sim.state.subscriptions[_one(call).id]
    return Reply(204)


@operation("subscriptions.logs", "GET", "/marketplace/apps/{appId}/webhook_logs", label="Medium",
           scope="marketplace:read:event_subscription", classic="")  # fmt: skip
def webhook_logs(call: Call) -> Reply:
    """Every attempt at a delivery, the newest first."""
    own = {each.id for each in _own(call)}
    rows = [
        {
            "event": delivery.event,
            "date_time": iso(attempt.at),
            "http_status": attempt.status or -1,
            "retry_num": number,
            "trace_id": delivery.id,
            "url": call.sim.state.subscriptions[delivery.subscription_id].url,
        }
        for delivery in reversed(call.sim.state.deliveries.values())
        if delivery.subscription_id in own
        for number, attempt in enumerate(delivery.attempts)
    ]
    chunk, about = page(call, rows)
    return Reply(200, {**about, "webhook_logs": chunk})


def _own(call: Call) -> list[Subscription]:
    client_id = call.principal.app.client_id
    return [each for each in call.sim.state.subscriptions.values() if each.client_id == client_id]


def _one(call: Call) -> Subscription:
    for each in _own(call):
        if each.id == call.params["eventSubscriptionId"]:
            return each
    raise ZoomError(404, 300, "The event subscription does not exist.")


def _check_events(call: Call, events: list[object]) -> None:
    scopes = (*call.principal.app.scopes, *call.principal.app.account_scopes)
    for event in events:
        prefix = SCOPE_OF_FAMILY.get(str(event).partition(".")[0])
        if prefix is not None and not any(scope.startswith(prefix) for scope in scopes):
            raise ZoomError(400, 300, "The event is not allowed for the app.")


def _shown(each: Subscription) -> Json:
    return {
        "event_subscription_id": each.id,
        "event_subscription_name": each.name,
        "event_webhook_url": each.url,
        "events": each.events,
    }
