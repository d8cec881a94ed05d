"""Nothing lost, nothing twice: deliveries through the receiver, a queue that repeats, and workers that are killed.

`make proof` does the same to the deployed stack.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tests.fakes.event_stores import Connection, Connections, Crash, Hosts, Log, Projections
from tests.fakes.events import (
    APP,
    NOW,
    SECRET,
    Bus,
    Clock,
    Counts,
    Queue,
    StatusNotes,
    meeting,
    plenty,
    record,
    zoom_headers,
)
from tests.fakes.soak import times
from zoom_common.events.bus import event_id, source_of
from zoom_common.events.processor import EventProcessor
from zoom_common.events.webhook.receiver import MetricLines, Receiver
from zoom_common.events.webhook.secrets import CachedSecrets
from zoom_common.secret import Secret
from zoom_common.zoom.event_keys import dedupe_key
from zoom_common.zoom.event_redaction import Redaction
from zoom_common.zoom.events import parse

OTHER = "other-app-secret"
NAMES = ("meeting.updated", "meeting.started", "recording.completed", "user.deactivated", "meeting.invented")


@dataclass
class Pipeline:
    """Everything from Zoom's request to the bus; one clock for all."""

    chance: Random
    clock: Clock = field(default_factory=Clock)
    bus: Bus = field(default_factory=Bus)
    queue: Queue = field(default_factory=Queue)
    statuses: dict[int, int] = field(default_factory=dict)
    kills: int = 0

    def __post_init__(self) -> None:
        document = {
            "apps": [{"app": APP, "secrets": [{"secret": SECRET}]}, {"app": "B", "secrets": [{"secret": OTHER}]}]
        }
        self.receiver = Receiver(
            secrets=CachedSecrets(lambda _: Secret(json.dumps(document)), clock=self.clock),
            queue=self.queue,
            metrics=MetricLines("webhook", "ZoomGateway/prod", write=lambda _: None, clock=self.clock),
            clock=self.clock,
            status_notes=StatusNotes(),
        )
        self.log = Log(self.clock)
        connections = {(APP, "host-1"): Connection("acme", "con_a"), ("B", "host-b"): Connection("globex", "con_b")}
        self.processor = EventProcessor(
            log=self.log,
            connections=Connections(users=connections),
            hosts=Hosts(),
            projections=Projections(),
            publisher=self.bus,
            redaction=Redaction(),
            count=Counts().count,
            report=Counts().report,
        )

    def post(self, body: bytes, *, secret: str = SECRET, age: float = 0) -> None:
        """As Zoom does: a 5xx comes again."""
        headers = zoom_headers(body, secret=secret, at=self.clock() - age)
        for _ in range(20):
            self.queue.down = self.chance.random() < 0.1
            event = {"headers": headers, "body": body.decode(), "isBase64Encoded": False}
            status = self.receiver.receive(event, plenty()).status
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status < 500:
                return

    def drain(self) -> None:
        """SQS: at least once, in any order, again after a failure; workers die between any two steps."""
        waiting: list[dict[str, Any]] = [
            record(each.body, message=f"m-{at}", app=each.app) for at, each in enumerate(self.queue.deliveries)
        ]
        while waiting:
            self.chance.shuffle(waiting)
            batch, waiting = waiting[:10], waiting[10:]
            self.bus.crash, self.log.crash_on_finish = self.chance.random() < 0.15, self.chance.random() < 0.15
            try:
                failed = set(self.processor.process(batch, plenty()))
            except Crash:
                self.kills += 1
                failed = {each["messageId"] for each in batch}
            waiting += [each for each in batch if each["messageId"] in failed or self.chance.random() < 0.05]
            self.clock.now += self.chance.uniform(1, 60)


def body(run: str, at: int, host: str = "host-1") -> bytes:
    """The `at`th event: names in turn, each event once."""
    name = NAMES[at % len(NAMES)]
    files = {"recording_files": [{"id": f"{run}-{at}"}]} if name == "recording.completed" else {}
    user = {"id": host} if name == "user.deactivated" else {}
    return meeting(name, host=host, uuid=f"{run}/{at}==", ts=int(NOW * 1000) - at, **files, **user)


@pytest.mark.parametrize("seed", range(times(2)))
def test_what_comes_out_is_what_is_genuine_exactly(seed: int) -> None:
    """1,000 deliveries: twins, forgeries, stale ones, another app's, in any order, with workers killed."""
    chance = Random(seed)  # noqa: S311 - a test's dice
    pipeline = Pipeline(chance)
    events = [body("real", at) for at in range(600)]
    twins = [json.dumps({**json.loads(chance.choice(events)), "download_token": str(at)}).encode() for at in range(200)]
    posts: list[tuple[bytes, str, float]] = [(each, SECRET, 0) for each in events + twins]
    posts += [(body("forged", at), "guessed", 0) for at in range(80)]
    posts += [(body("stale", at), SECRET, 6_000) for at in range(60)]
    posts += [(body("foreign", at), OTHER, 0) for at in range(60)]  # a real app's secret, and another app's host
    chance.shuffle(posts)
    for content, secret, age in posts:
        pipeline.post(content, secret=secret, age=age)
    pipeline.drain()
    genuine = {event_id(source_of(APP), "acme", dedupe_key(parse(each))) for each in events}
    assert len(genuine) == 600
    assert {event.id for event in pipeline.bus.events} == genuine
    assert {event.tenant for event in pipeline.bus.events} == {"acme"}
    assert pipeline.kills > 20
    assert pipeline.statuses[401] >= 140
    contents = {(event.id, event.to_json()) for event in pipeline.bus.events}
    assert len(contents) == 600  # what was published again was the same


def test_nobody_reaches_a_tenant_by_what_the_body_says() -> None:
    """Another app's secret, a foreign account, a foreign host, an operator of another app, an account-wide claim."""
    pipeline = Pipeline(Random(1))  # noqa: S311 - a test's dice
    attack = json.loads(body("attack", 0))
    for payload in (
        {"account_id": "acc-1", "object": {"host_id": "host-1", "id": 1}},
        {"account_id": "acc-1", "operator_id": "host-1", "object": {"id": 1}},
        {"account_id": "acc-1", "user_id": "host-1", "object": {"id": "host-1"}, "client_id": APP, "tenant": "acme"},
        {"account_id": "acc-1", "object": {"participant": {"id": "host-1"}, "id": 1, "host_id": "stranger"}},
    ):
        for name in ("meeting.started", "user.updated", "app_deauthorized", "recording.completed"):
            pipeline.post(json.dumps({**attack, "event": name, "payload": payload}).encode(), secret=OTHER)
    pipeline.drain()
    assert pipeline.bus.events == []
    assert {owner for owner, _ in pipeline.log.entries} == {"unrouted.B"}
