"""The inbox under search: the webhook, its queue, and workers with the event log, the projections and the bus.

All decisions are the real ones. Connections and hosts are only read, so they are no part of what is searched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from botocore.exceptions import EndpointConnectionError

from tests.fakes import tables
from tests.fakes.event_stores import Hosts
from tests.fakes.events import APP, SECRET, StatusNotes, meeting, plenty, zoom_headers
from tests.fakes.processed import vault
from tests.search.clients import Direct, DynamoDB, name_writers
from tests.search.explore import Broken, Outcome, Rules, State
from tests.search.outside import START, Answer, Call, Message, Outside, World
from tests.search.replay import Line, Run
from zoom_common.aws.at_once import ReadAhead
from zoom_common.aws.items import from_item
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import Unavailable
from zoom_common.events.batch_reads import BatchReads
from zoom_common.events.bus import BusPublisher
from zoom_common.events.log.store import EventLog
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.webhook.message import Delivery
from zoom_common.events.webhook.receiver import MetricLines, Receiver
from zoom_common.events.webhook.secrets import CachedSecrets
from zoom_common.secret import Secret
from zoom_common.zoom.event_redaction import Redaction

HOST, ACCOUNT = "host-1", "acc-1"
EVENT = meeting("meeting.started", host=HOST, ts=int(START * 1000), start_time="2027-01-15T08:00:00Z")
JOINED = meeting(
    "meeting.participant_joined",
    host=HOST,
    ts=int(START * 1000) + 1000,
    participant={"user_id": "16778240", "user_name": "Jill", "join_time": "2027-01-15T08:00:01Z"},
)
# The platform ends a worker then. A message that was not acknowledged is hidden for longer.
ENDS_AFTER = 30.0
_RECEIVED = int(START * 1000)
_SECRETS = Secret(json.dumps({"apps": [{"app": APP, "secrets": [{"secret": SECRET}]}]}))
_CONNECTIONS, _HOSTS = vault(HOST, ACCOUNT), Hosts()
_REFUSED = "InternalFailure"

# What `make test` searches.
QUICK = ["twins", "twins+6s", "twins+61s", "delivery", "batch", "batch late"]


class _Bus:
    """The bus that can be away, and refuse an event."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def put_events(self, *, Entries: list[Any]) -> Any:  # noqa: N803 - boto3's name
        refused = []
        for entry in Entries:
            try:
                refused.append(self._line.ask("bus", "", entry["Detail"]))
            except Unavailable:
                raise EndpointConnectionError(endpoint_url="https://events.invalid") from None
        return {"FailedEntryCount": len(refused), "Entries": [{"ErrorCode": code} for code in refused]}


class _LateTable(ReadAhead):
    """A table whose requests arrive when their answers are waited for: of those under way at once, none is first."""

    def begin(self, operation: str, **request: Any) -> Callable[[], Any]:
        return partial(self._carried_out, operation, request)

    def _carried_out(self, operation: str, request: dict[str, Any]) -> Any:
        return super().begin(operation, **request)()


class _Ingest:
    """The webhook's queue."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def send(self, delivery: Delivery, deadline: Any) -> None:
        assert deadline
        self._line.ask("sqs", "send", (_packed(delivery), 0))


def _packed(delivery: Delivery) -> str:
    message = delivery.to_message()
    attributes = {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in message["MessageAttributes"].items()
    }
    return json.dumps({"body": message["MessageBody"], "messageAttributes": attributes})


def receive(line: Line) -> bool:
    """Zoom delivers the event, and once more where it gets no 200. Return whether it got one."""
    receiver = Receiver(
        secrets=CachedSecrets(lambda _: _SECRETS, clock=line.clock),
        queue=cast("Any", _Ingest(line)),
        metrics=MetricLines("webhook", "search", write=len, clock=line.clock),
        clock=line.clock,
        status_notes=StatusNotes(),
    )
    headers = zoom_headers(EVENT, at=START)
    tries = ({"headers": headers | {"x-zm-request-id": f"r-{at}"}, "body": EVENT.decode()} for at in range(2))
    return any(receiver.receive(each, plenty()).status == 200 for each in tries)


def handler(message: Message, name: str, *, late: bool = False) -> Callable[[Line], bool]:
    """Return the code of `event_processor` that handles a message, and returns whether it is acknowledged.

    The body may hold several messages, which come as one batch and count as one that is acknowledged or comes back.
    """

    def handle(line: Line) -> bool:
        name_writers(name)
        line.ask("person", "begins", lambda world: world)  # from now on its time passes
        events = (_LateTable if late else ReadAhead)(cast("Any", DynamoDB(line)), tables.EVENTS)
        connections = ReadAhead(_CONNECTIONS.dynamodb.client(), tables.CONNECTIONS)
        processor = EventProcessor(
            log=EventLog(events, clock=line.clock),
            connections=ConnectionStore(connections),
            hosts=_HOSTS,
            projections=ProjectionStore(events, pause=lambda _: None),
            publisher=BusPublisher("bus", cast("Any", _Bus(line)), pause=lambda _: None),
            redaction=Redaction(),
            count=lambda *_, **__: None,
            report=lambda *_, **__: None,
            reads=BatchReads(connections, events, _HOSTS),
        )
        found = json.loads(message.body)
        several = found if isinstance(found, list) else [found]
        records = [{"messageId": f"{name}.{at}", **each} for at, each in enumerate(several)]
        return processor.process(records, plenty()) == []

    return handle


def twins() -> list[Message]:
    """Return two deliveries of one event, as Zoom makes them when it gets no answer in time."""
    return [Message(_packed(Delivery(APP, EVENT, _RECEIVED + at, f"r-{at}")), START) for at in range(2)]


def batch() -> Message:
    """Return a batch with the first of the twins and another event of the same meeting."""
    bodies = [_packed(Delivery(APP, body, _RECEIVED, "r-0")) for body in (EVENT, JOINED)]
    return Message(f"[{','.join(bodies)}]", START)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One beginning. `events` is how many different ones are delivered."""

    name: str
    runs: tuple[Run, ...]
    deliveries: int = 0
    events: int = 1


def scenarios() -> Iterator[Scenario]:
    """Yield every beginning: two workers with a delivery each, or a delivery and whoever handles it."""
    for seconds in (0.0, 6.0, 61.0):
        time, word = ((), "")
        if seconds:
            pass_by: Callable[[Line], Any] = lambda line, seconds=seconds: line.ask("sleep", "", seconds)  # type: ignore[misc]  # noqa: E731
            time, word = (Run("time", pass_by, START),), f"+{seconds:g}s"  # type: ignore[assignment]
        workers = [
            Run(f"worker-{at}", handler(message, f"worker-{at}"), START, message=message)
            for at, message in enumerate(twins())
        ]
        yield Scenario(f"twins{word}", (*workers, *time))
        yield Scenario(f"delivery{word}", (Run("zoom", receive, START), *time), deliveries=2)
    both, twin = batch(), twins()[1]
    for late, word in ((False, ""), (True, " late")):
        pair = Run("worker-0", handler(both, "worker-0", late=late), START, message=both)
        other = Run("worker-1", handler(twin, "worker-1"), START, message=twin)
        yield Scenario(f"batch{word}", (pair, other), events=2)


@dataclass(slots=True)
class InboxRules(Rules):
    """Acknowledged is published, under one id and with one content, and projected once."""

    outside: Outside
    events: int = 1
    _projected: list[Any] = field(default_factory=list)

    def handler(self, message: Message) -> Callable[..., Any]:
        return handler(message, f"late-{message.name}")

    def outcomes(self, state: State, run: Run, call: Call) -> Iterator[Outcome]:  # noqa: ARG002
        """The bus answers that it has no room for the event."""
        if call.service == "bus":
            yield Outcome("refused", state.world, Answer(state.world.now, _REFUSED))

    def has_ended(self, state: State, run: Run) -> bool:
        """Return whether the platform has ended a worker."""
        begun = run.answers[0].now if run.answers else state.world.now
        return run.message is not None and state.world.now > begun + ENDS_AFTER

    def reported(self, run: Run) -> Any:
        """Return whether a message was acknowledged, or Zoom got its answer."""
        return run.error is None and bool(run.result)

    def at(self, state: State) -> None:
        acknowledged = any(run.message is not None and run.ended and self.reported(run) for run in state.runs)
        if acknowledged and not state.world.published:
            raise Broken("acknowledged, and not published")
        whole = any(run.message is not None and _is_batch(run.message) and self.reported(run) for run in state.runs)
        if whole and len(_ids(state.world)) < self.events:
            raise Broken("a batch acknowledged, and not all of it published")
        if len(set(state.world.published)) > len(_ids(state.world)):
            raise Broken("published with two contents")

    def in_the_end(self, state: State) -> None:
        accepted = any(run.message is None and run.name == "zoom" and self.reported(run) for run in state.runs)
        world = self.rest(state.world)
        if not world.published:
            if accepted or any(run.message is not None for run in state.runs):
                raise Broken("in the end, nothing is published")
            return
        if len(set(world.published)) > len(_ids(world)):
            raise Broken("in the end, published with two contents")
        if len(_ids(world)) != self.events:
            raise Broken("in the end, not every event is published")
        items = [from_item(item) for item in world.items()]
        entries = [item for item in items if item["sk"] == "event"]
        lines = [item for item in items if item["pk"].split("#")[1] == "recorded"]
        if len(entries) != self.events or not all("done_at" in line for line in lines):
            raise Broken(f"in the end, the log has {len(entries)} entries, or not all of them are finished")
        by_arrival = [item["pk"] for item in items if item["pk"].split("#")[1] == "events"]  # of those recorded late
        if len(lines) != self.events or len(by_arrival) > self.events:
            raise Broken(f"in the end, the log has {len(lines)} lines of one event, and {len(by_arrival)} by arrival")
        if _projections(items) != self._expected():
            raise Broken("in the end, the projections differ from those of one delivery")

    def rest(self, world: World) -> World:
        """Let time pass without faults until the queue is empty."""
        for _ in range(8):
            for message in world.queue:
                if message.visible_at <= world.now:
                    world = self._handled(world, message)
            if not world.queue:
                return world
            world = replace(world, now=max(world.now, min(message.visible_at for message in world.queue)))
        raise Broken("in the end, messages are left")

    def _handled(self, world: World, message: Message) -> World:
        rest = list(world.queue)
        rest.remove(message)
        line = Direct(self.outside, replace(world, queue=tuple(rest)))
        done = handler(message, f"rest-{world.now}-{message.name}")(line)
        back = () if done else (replace(message, visible_at=world.now + 180),)
        return replace(line.world, queue=(*line.world.queue, *back))

    def _expected(self) -> Any:
        if not self._projected:
            message = twins()[0] if self.events == 1 else batch()
            world = self._handled(replace(self.outside.empty(None), queue=(message,)), message)
            self._projected.append(_projections([from_item(item) for item in world.items()]))
        return self._projected[0]


def _is_batch(message: Message) -> bool:
    return message.body.startswith("[")


def _ids(world: World) -> set[str]:
    return {json.loads(detail)["id"] for detail in world.published}


def _projections(items: list[Any]) -> Any:
    return {(item["pk"], item["sk"]): bytes(item["record"]) for item in items if "record" in item}
