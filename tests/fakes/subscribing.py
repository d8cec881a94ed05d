"""Subscriptions in process: the real stores and workers, endpoints and queues in memory, and a clock that tests turn.

Workers are killed before or after any request to DynamoDB and any POST. SQS brings what was not acknowledged again, and
sometimes twice. Endpoints check signatures by code of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import EndpointConnectionError
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes import tables
from tests.fakes.aws_services import FakeKms
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.event_stores import Crash
from tests.fakes.events import logged
from zoom_common.aws.table import Table
from zoom_common.connections.cipher import Cipher, SealKind
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed
from zoom_common.events.bus import CloudEvent, event_id, rfc3339, sequence_of
from zoom_common.events.log.entries import LogEntry
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.store import EventLog
from zoom_common.events.subscriptions.addresses import Endpoint
from zoom_common.events.subscriptions.delivery_store import DeliveryStore
from zoom_common.events.subscriptions.drain import Drain
from zoom_common.events.subscriptions.fanout import FanOut
from zoom_common.events.subscriptions.model import State, Subscription, event_time_ms
from zoom_common.events.subscriptions.sending import Sender, SigningSecrets, new_secret
from zoom_common.events.subscriptions.settling import Settlement, begins_after, missed_since, missed_until
from zoom_common.events.subscriptions.store import SubscriptionStore
from zoom_common.events.subscriptions.target_client import Answer, NoAnswer
from zoom_common.secret import Secret

START = 1_790_000_000.0
TENANT = "acme"
_VISIBILITY = 180.0
_SWEEP = 60.0
_MOST_IN_BATCH = 10

type Behaviour = Callable[[float], int | str]
"""An endpoint's answer at a moment: a status, or the word for why there is none."""


def _healthy(_: float) -> int | str:
    return 200


@dataclass(slots=True)
class Received:
    """A POST that arrived."""

    event_id: str
    at: float
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.body))


@dataclass(slots=True)
class Message:
    """A message of a queue."""

    message_id: str
    body: str
    sent_at: float
    visible_at: float
    receives: int = 0


class FaultyDynamoDB:
    """A client that is the memory's until `fault` says otherwise: None, `before`, `after`, `crash` or `crash_after`."""

    def __init__(self, memory: MemoryDynamoDB, fault: Callable[[str], str | None]) -> None:
        self._memory = memory
        self._fault = fault
        self.exceptions = memory.exceptions

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._memory, name)

        def call(**request: Any) -> Any:
            fault = self._fault(name)
            if fault == "crash":
                raise Crash
            if fault == "before":
                raise EndpointConnectionError(endpoint_url="dynamodb")
            answer = real(**request)
            if fault == "crash_after":
                raise Crash
            if fault == "after":
                raise EndpointConnectionError(endpoint_url="dynamodb")
            return answer

        return call


@dataclass
class World:
    """One stack. `faults` is how often something goes wrong: a share of all requests."""

    seed: int = 0
    faults: float = 0.0
    now: float = START
    endpoints: dict[str, Behaviour] = field(default_factory=dict)
    received: dict[str, list[Received]] = field(default_factory=lambda: defaultdict(list))
    attempts: Counter[str] = field(default_factory=Counter)
    forged: list[str] = field(default_factory=list)
    published: list[CloudEvent] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    messages: list[Message] = field(default_factory=list)
    wakes: list[tuple[float, str, str]] = field(default_factory=list)
    secrets_shown: dict[str, list[Secret]] = field(default_factory=lambda: defaultdict(list))
    failing: set[str] = field(default_factory=set)
    """Instances whose events every endpoint answers with 500."""
    challenged: bool = True

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - a seeded story
        self.memory = tables.in_memory()
        self._swept_at = self.now
        self._made = 0
        client = cast("DynamoDBClient", FaultyDynamoDB(self.memory, self._fault))
        calm = self.memory.client()
        self.working = False
        clock = lambda: self.now  # noqa: E731 - a clock
        self.signing = SigningSecrets(Cipher(FakeKms().client(), {SealKind.SUBSCRIPTION: "data-key"}))
        self._events = Table(calm, tables.EVENTS)
        self.log = EventLog(self._events, clock=clock)
        self.subscriptions = SubscriptionStore(Table(calm, tables.CONNECTIONS))
        self.deliveries = DeliveryStore(self._events)
        subscriptions = SubscriptionStore(Table(client, tables.CONNECTIONS, sleep=lambda _: None))
        deliveries = DeliveryStore(Table(client, tables.EVENTS, sleep=lambda _: None))
        sender = Sender(posts=self, queues=self, secrets=self.signing, clock=clock, timer=clock)
        settlement = Settlement(
            subscriptions=subscriptions,
            deliveries=deliveries,
            count=self._count,
            clock=clock,
            random=self.random.random,
        )
        self.fan_out = FanOut(
            subscriptions=subscriptions,
            deliveries=deliveries,
            sender=sender,
            settlement=settlement,
            wakes=_Wakes(self),
            run_all=self._run_all,
            count=self._count,
            report=lambda *_, **__: None,
            clock=clock,
        )
        self.drain = Drain(
            subscriptions=subscriptions,
            deliveries=deliveries,
            log=EventLog(Table(client, tables.EVENTS), clock=clock),
            lines=LogIndex(Table(client, tables.EVENTS)),
            sender=sender,
            settlement=settlement,
            publish=self._publish,
            run_all=self._run_all,
            count=self._count,
            clock=clock,
            sleep=self._sleep,
            random=self.random.random,
            owner=lambda: f"worker{self.random.random()}",
        )

    # What owners do.

    def subscribe(self, host: str, types: Sequence[str] = ("meeting.*",), **more: Any) -> Subscription:
        """Make a subscription with a verified target."""
        name = f"sub_{self._made:032x}"
        self._made += 1
        secret = new_secret(self.random.randbytes)
        self.secrets_shown[name] = [secret]
        if more.get("ordered"):
            more = {"missed_after": begins_after(self.now), **more}
        made = Subscription(
            **{
                "tenant": TENANT,
                "subscription_id": name,
                "state": State.ACTIVE,
                "types": tuple(types),
                "created_at": self.now,
                "state_changed_at": self.now,
                "secret": self.signing.seal(TENANT, name, secret),
                "url": f"https://{host}/hook?s={name}",
                "challenge": f"challenge-{name}",
                **more,
            }
        )
        self.subscriptions.create(made)
        return made

    def subscription(self, made: Subscription) -> Subscription:
        found = self.subscriptions.get(made.tenant, made.subscription_id)
        assert found is not None
        return found

    def pause(self, made: Subscription) -> None:
        seen = self.subscription(made)
        self.subscriptions.change(
            seen, state=State.PAUSED, state_changed_at=self.now, missed_after=missed_since(seen, self.now)
        )

    def resume(self, made: Subscription) -> None:
        seen = self.subscription(made)
        self.subscriptions.change(
            seen,
            state=State.ACTIVE,
            state_changed_at=self.now,
            missed_until=missed_until(self.now),
            failures=None,
            failing_since=None,
            retry_at=None,
            rounds=None,
            due_at=self.now,
        )

    def rotate(self, made: Subscription) -> None:
        seen = self.subscription(made)
        secret = new_secret(self.random.randbytes)
        self.secrets_shown[made.subscription_id].append(secret)
        sealed = self.signing.seal(made.tenant, made.subscription_id, secret)
        self.subscriptions.note(seen, secret=sealed, previous_secret=seen.secret, previous_until=self.now + 86_400.0)

    # What happens.

    def event(
        self, name: str = "meeting.started", *, meeting: str = "1", uuid: str | None = None, **more: Any
    ) -> CloudEvent:
        """Put a new event into the log and on the bus."""
        made = self.logged(name, meeting=meeting, uuid=uuid, **more)
        self.publish(made)
        return made

    def logged(
        self, name: str, *, meeting: str = "1", uuid: str | None = None, host: str = "h", lag: float = 0.0
    ) -> CloudEvent:
        """Put a new event into the log."""
        made = self.happened(name, meeting=meeting, uuid=uuid, host=host)
        self.show(made, received_at=self.now, lag=lag)
        return made

    def happened(self, name: str, *, meeting: str = "1", uuid: str | None = None, host: str = "h") -> CloudEvent:
        """Return an event that happens now, and that nobody has told the gateway yet."""
        self._made += 1
        known_as = event_id("/zoom/app", TENANT, str(self._made))
        data = {"event": name, "payload": {"object": {"id": meeting, "host_id": host}}}
        return CloudEvent(
            id=known_as,
            source="/zoom/app",
            type=f"zoom.{name}",
            time=rfc3339(int(self.now * 1000)),
            tenant=TENANT,
            subject=f"meetings/{meeting}",
            connection_id="con_1",
            uuid=uuid,
            sequence=sequence_of(int(self.now * 1000) + self._made, known_as),
            data=data,
        )

    def show(self, event: CloudEvent, *, received_at: float, lag: float = 0.0) -> None:
        """Make an event visible in the log. The clock of the container that writes it is `lag` seconds behind."""
        entry = LogEntry(
            owner=TENANT,
            event_id=event.id,
            key=event.id,
            app="app",
            type=event.type,
            received_at_ms=int(received_at * 1000),
            occurred_at_ms=event_time_ms(event),
            subject=event.subject,
            connection_id=event.connection_id,
            uuid=event.uuid,
            content=event.to_json().encode(),
        )
        logged(EventLog(self._events, clock=lambda: self.now - lag), entry)

    def publish(self, event: CloudEvent) -> None:
        """Put an event on the bus, which puts it into the queue of deliveries."""
        self._made += 1
        self.messages.append(Message(f"m{self._made}", event.to_json(), self.now, self.now))

    def pass_time(self, seconds: float) -> None:
        """Let time pass, second by second where something is due, with all workers at work."""
        until = self.now + seconds
        while True:
            self.work()
            upcoming = [each.visible_at for each in self.messages] + [at for at, _, _ in self.wakes]
            following = min([*(at for at in upcoming if at > self.now), self._swept_at + _SWEEP, until])
            if following >= until:
                self.now = max(self.now, until)  # a worker that kept a rate may have taken longer
                self.work()
                return
            self.now = max(self.now, following)

    def work(self) -> None:
        """Run what is visible now: batches of deliveries, wakes, and the sweep each minute."""
        for _ in range(10_000):
            if not (self._deliver_batch() or self._wake_one() or self._sweep()):
                return
        raise AssertionError("the workers never rest")

    def _deliver_batch(self) -> bool:
        visible = [each for each in self.messages if each.visible_at <= self.now]
        batch = visible[:_MOST_IN_BATCH]
        if not batch:
            return False
        for each in batch:
            each.receives += 1
            each.visible_at = self.now + _VISIBILITY
        records = [
            {
                "messageId": each.message_id,
                "body": each.body,
                "attributes": {
                    "SentTimestamp": str(int(each.sent_at * 1000)),
                    "ApproximateReceiveCount": str(each.receives),
                },
            }
            for each in batch
        ]
        try:
            self.working = True
            failed = self.fan_out.process(records)
        except Crash:
            return True
        finally:
            self.working = False
        done = {each.message_id for each in batch} - set(failed)
        if self.random.random() < self.faults:  # SQS delivers again what was deleted
            done = set(sorted(done)[1:])
        self.messages = [each for each in self.messages if each.message_id not in done]
        return True

    def _wake_one(self) -> bool:
        ready = [each for each in self.wakes if each[0] <= self.now]
        if not ready:
            return False
        self.wakes.remove(ready[0])
        _, tenant, name = ready[0]
        try:
            self.working = True
            more_after = self.drain.drain(tenant, name, Deadline(1e9, clock=lambda: 0.0))
        except (Crash, DependencyFailed):
            return True
        finally:
            self.working = False
        if more_after is not None:  # the message comes again, after whole seconds
            self.wakes.append((self.now + math.ceil(more_after), tenant, name))
        return True

    def _sweep(self) -> bool:
        if self.now - self._swept_at < _SWEEP:
            return False
        self._swept_at = self.now
        if any("due_at" in item for item in self.memory.tables[tables.CONNECTIONS].items()):
            self.fan_out.sweep()
        return True

    # What the workers use.

    def post(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, *, most: int = 1024, **_: bool
    ) -> Answer:
        if self._fault("post") == "crash":
            raise Crash
        name = endpoint.path.partition("?s=")[2]
        self.attempts[endpoint.host] += 1
        said = self.endpoints.get(endpoint.host, _healthy)(self.now)
        if isinstance(said, str):
            raise NoAnswer(said)
        if not self._is_signed(name, headers, body):
            self.forged.append(headers["webhook-id"])
        event = json.loads(body)
        if event.get("uuid") in self.failing:
            return Answer(500)
        if event["type"] == "subscription.verification":
            challenge = event["data"]["challenge"] if self.challenged else "another"
            return Answer(said, {}, json.dumps({"challenge": challenge}).encode())
        if 200 <= said < 300:
            self.received[name].append(Received(headers["webhook-id"], self.now, dict(headers), body))
        if self._fault("post_after") == "crash_after":
            raise Crash
        return Answer(said, {}, b"thanks"[:most])

    def put(self, url: str, message_id: str, body: bytes) -> str | None:
        self.received[url].append(Received(message_id, self.now, {}, body))
        return None

    def _is_signed(self, name: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Check as the specification says, with each secret that the owner was shown lately."""
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        for secret in self.secrets_shown[name][-2:]:
            key = base64.b64decode(secret.reveal().removeprefix("whsec_"))
            wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            if wanted in headers["webhook-signature"].split(" "):
                return abs(int(headers["webhook-timestamp"]) - self.now) < 300
        return False

    def _publish(self, events: Sequence[CloudEvent]) -> None:
        self.published += events
        for event in events:
            self.publish(event)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _count(self, name: str, value: int = 1, **dimensions: str) -> None:
        self.counted["/".join([name, *dimensions.values()])] += value

    def _run_all(self, tasks: Sequence[Callable[[], None]], late: Callable[[int], None]) -> None:  # noqa: ARG002
        order = list(tasks)
        if self.faults:
            self.random.shuffle(order)
        for task in order:
            task()

    def _fault(self, where: str) -> str | None:
        if not self.working or self.random.random() >= self.faults:
            return None
        kinds = ("crash", "crash_after") if where.startswith("post") else ("before", "after", "crash", "crash_after")
        return self.random.choice(kinds)


class _Wakes:
    """The queue that wakes workers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, subscriptions: Sequence[tuple[str, str]], *, delay: float = 0) -> None:
        self._world.wakes += [(self._world.now + delay, *each) for each in subscriptions]
