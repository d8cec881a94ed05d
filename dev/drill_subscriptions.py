"""Directors of the procedures about subscriptions, with an endpoint on this machine."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from standardwebhooks import Webhook, WebhookVerificationError

from dev.answering import answering
from dev.demo import Story
from dev.drilling import Director, Drill, expect
from dev.waiting import wait_until
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.events.subscriptions.delivery_store import DeliveryStore
from zoom_common.events.subscriptions.model import State, Status
from zoom_common.events.subscriptions.settling import missed_since
from zoom_common.events.subscriptions.store import SubscriptionStore

_SECONDS = 30


@dataclass
class Endpoint:
    """An endpoint that checks signatures, answers verifications, and counts each event."""

    url: str = ""
    secrets: list[str] = field(default_factory=list)
    """The secrets that it accepts. Until it has one, it answers 503."""
    got: Counter[str] = field(default_factory=Counter)
    signatures: int = 0

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """Answer one POST."""
        for secret in self.secrets:
            try:
                event = Webhook(secret).verify(body, dict(headers))
            except WebhookVerificationError:
                continue
            if event["type"] == "subscription.verification":
                return 200, {"challenge": event["data"]["challenge"]}
            self.signatures = len(headers["webhook-signature"].split(" "))
            self.got[event["id"]] += 1
            return 200, {}
        return 401 if self.secrets else 503, {}


@contextmanager
def listening() -> Iterator[Endpoint]:
    """Yield an endpoint on a port of its own."""
    found = Endpoint()
    with answering(lambda asked: found.answer(asked.headers, asked.body)) as address:
        found.url = f"{address}/drill"
        yield found


class Subscribed:
    """A subscription of the drill, to an endpoint of its own."""

    def __init__(self, drill: Drill, endpoint: Endpoint) -> None:
        self._drill = drill
        self.endpoint = endpoint
        made = self.call("POST", "", {"url": endpoint.url, "types": ["meeting.created"]})
        endpoint.secrets.append(made["secret"])
        self.name: str = made["id"]
        dynamodb, resource = drill.client("dynamodb"), drill.stack.resource
        self._store = SubscriptionStore(Table(dynamodb, resource("ConnectionsTable"), CONNECTIONS))
        self._deliveries = DeliveryStore(Table(dynamodb, resource("EventsTable"), EVENTS))
        self.wait_until("the subscription to be active", lambda: self.shown["state"] == "active")

    @property
    def shown(self) -> dict[str, Any]:
        """Return the subscription as the API shows it."""
        return self.call("GET", f"/{self.name}")

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the API of subscriptions."""
        headers = {"Authorization": f"Bearer {self._drill.facts['api_key']}"}
        url = f"{self._drill.facts['api_url']}/subscriptions{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=_SECONDS)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def wait_until(self, what: str, look: Any) -> None:
        """Wait for something that happens at the next sweep at the latest."""
        wait_until(what, look, patience=180.0)

    def event(self, story: Story, connection: str) -> None:
        """Make a meeting, and wait until Zoom's event about it has arrived."""
        headers = {"X-Zoom-Connection": connection}
        made = story.program.post("/v2/users/me/meetings", json={"topic": "Drill"}, headers=headers)
        made.raise_for_status()
        about = {"meeting": str(made.json()["id"]), "type": "meeting.created"}
        self.wait_until("the event", lambda: story.program.get("/events", params=about).json()["events"])

    def arrived(self, number: int) -> str:
        """Wait until this number of events has arrived, and return the id of the last."""
        self.wait_until(f"{number} events", lambda: len(self.endpoint.got) >= number)
        return list(self.endpoint.got)[-1]

    def fail(self, event_id: str) -> None:
        """Store a delivery as after its last attempt."""
        seen = self._store.get(self._drill.facts["tenant"], self.name)
        assert seen
        self.wait_until("the delivery's record", lambda: self._deliveries.page(seen, limit=50)[0])
        found, _ = self._deliveries.page(seen, limit=50)
        (delivery,) = [each for each in found if each.event_id == event_id]
        self._deliveries.record(seen, replace(delivery, status=Status.FAILED), now=time.time())

    def disable(self) -> None:
        """Store the subscription as after five days of failures."""
        seen, now = self._store.get(self._drill.facts["tenant"], self.name), time.time()
        assert seen
        missed = missed_since(seen, now)
        self._store.change(
            seen, state=State.DISABLED, state_changed_at=now, reason="failed_for_five_days", missed_after=missed
        )


@contextmanager
def subscribed(drill: Drill) -> Iterator[Subscribed]:
    """Yield a subscription that is deleted at the end."""
    with listening() as endpoint:
        found = Subscribed(drill, endpoint)
        try:
            yield found
        finally:
            found.call("DELETE", f"/{found.name}")


def disabled(drill: Drill) -> Director:
    """Check that a disabled subscription gets on resume what it missed, and by request what had failed before."""
    with Story(drill.facts) as story, subscribed(drill) as subscription:
        connection = story.connect()
        subscription.event(story, connection)
        failed = subscription.arrived(1)
        subscription.fail(failed)
        subscription.disable()
        subscription.event(story, connection)
        printed = yield {"SUBSCRIPTION": subscription.name}
        expect('"disabled"' in printed and failed in printed, printed)
        expect(len(subscription.endpoint.got) == 1, "a disabled subscription got an event")
        printed = yield {"SUBSCRIPTION": subscription.name}
        expect('"active"' in printed, printed)
        subscription.arrived(2)
        before = subscription.endpoint.got[failed]
        printed = yield {"SUBSCRIPTION": subscription.name}
        expect('"redelivered": 1' in printed or '"redelivered":1' in printed, printed)
        subscription.wait_until("the failed event", lambda: subscription.endpoint.got[failed] > before)


def missing(drill: Drill) -> Director:
    """Check that a delivery is listed with its attempt, and that one event is sent again with the same id."""
    with Story(drill.facts) as story, subscribed(drill) as subscription:
        subscription.event(story, story.connect())
        event = subscription.arrived(1)
        variables = {"SUBSCRIPTION": subscription.name, "EVENT": event}
        subscription.wait_until(
            "the delivery's record", lambda: subscription.call("GET", f"/{subscription.name}/deliveries")["deliveries"]
        )
        printed = yield variables
        expect(event in printed and '"delivered"' in printed, printed)
        yield variables
        subscription.wait_until("the event again", lambda: subscription.endpoint.got[event] > 1)


def secret_is_known(drill: Drill) -> Director:
    """Check that after a rotation without overlap only the new secret signs, and with an overlap both."""
    with Story(drill.facts) as story, subscribed(drill) as subscription:
        connection = story.connect()
        for number, signatures in ((1, 2), (2, 1)):
            printed = yield {"SUBSCRIPTION": subscription.name}
            subscription.endpoint.secrets = [json.loads(printed)["secret"]]
            subscription.event(story, connection)
            subscription.arrived(number)
            expect(subscription.endpoint.signatures == signatures, f"{subscription.endpoint.signatures} signatures")
