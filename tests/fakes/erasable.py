"""Two tenants in three tables: items of every store, written by the stores themselves, by whom they are about."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import batched
from typing import Any

from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.aws_services import FakeSqs
from tests.fakes.connections import START, connection
from tests.fakes.events import logged
from zoom_common.access.bearers import Bearer, BearerStore
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential, issue
from zoom_common.access.principal import Principal
from zoom_common.archive.ledger import Ledger
from zoom_common.archive.model import ArchivedFile, ArchivedRecording, recording_id_of
from zoom_common.archive.policy import Policy, PolicyStore
from zoom_common.aws.items import from_item
from zoom_common.aws.table import Table
from zoom_common.connections.link_store import AuthorizationStore, LinkRequest
from zoom_common.connections.model import Kind, State, state_changed
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.queues import RevokeQueue
from zoom_common.connections.refresh.refusal_rate import AnswerCounts
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones, of_user
from zoom_common.daily_counts import DailyCounts
from zoom_common.erasure.records import ErasureRecords
from zoom_common.erasure.runner import Erasure
from zoom_common.erasure.stores import TableName
from zoom_common.erasure_target import StoredItem
from zoom_common.events.bus import CloudEvent
from zoom_common.events.log.entries import LogEntry, malformed, unrouted
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.record import Change
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.routing import HostStore
from zoom_common.events.subscriptions.delivery_store import Delivery, DeliveryStore, Waiting
from zoom_common.events.subscriptions.model import Attempt, Filters, Status, Subscription
from zoom_common.events.subscriptions.model import State as SubscriptionState
from zoom_common.events.subscriptions.store import SubscriptionStore
from zoom_common.events.webhook.status import WebhookStatusStore
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.host_calendar import HostCalendar
from zoom_common.gateway.idempotency_store import IdempotencyStore, StoredAnswer
from zoom_common.gateway.usage import KeptUsage, LiveUsage, Usage
from zoom_common.heartbeats import Heartbeats
from zoom_common.jobs.model import Job, Row
from zoom_common.jobs.store import JobStore
from zoom_common.ratelimit.quotas import DailyStore, ThrottleStore, user_counter
from zoom_common.ratelimit.slots import Bucket, SlotStore
from zoom_common.secret import Secret
from zoom_common.zoom.events import ZoomEvent

DAY = date(2027, 1, 15)
# A table, a pk and an sk.
type Place = tuple[TableName, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whom a tenant has connected by `app`."""

    tenant: str
    zoom_user_id: str
    email: str
    app: str = "zoom-app"

    @property
    def name(self) -> str:
        """A text without their id or address that is theirs alone."""
        return sha256(f"{self.tenant}/{self.zoom_user_id}".encode()).hexdigest()[:12]

    @property
    def connection_id(self) -> str:
        """The id of their connection."""
        return f"con_{self.name}"


class TwoVersions:
    """S3 is not among these tables: each stored file has two versions there."""

    def count(self, _: StoredItem) -> int:
        return 2

    def erase(self, _: StoredItem) -> int:
        return 2


@dataclass(slots=True, kw_only=True, repr=False)
class Held:
    """The tables. `owned` are a person's items under their tenant, `unrouted` those of no tenant that name them."""

    dynamodb: DynamoDBClient
    tables: dict[TableName, str]
    sqs: FakeSqs = field(default_factory=FakeSqs)
    published: list[Any] = field(default_factory=list)
    owned: dict[Person, set[Place]] = field(default_factory=dict)
    unrouted: dict[Person, set[Place]] = field(default_factory=dict)
    of_tenant: dict[str, set[Place]] = field(default_factory=dict)
    kept: dict[TableName, list[Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Short, for reports of failures."""
        return "Held(...)"

    def erasure(self, dynamodb: DynamoDBClient | None = None, *, clock: Callable[[], float] = lambda: START) -> Erasure:
        """An erasure over the tables, perhaps by another client."""
        return Erasure(
            dynamodb=dynamodb or self.dynamodb,
            connections_table=self.tables[TableName.CONNECTIONS],
            events_table=self.tables[TableName.EVENTS],
            coordination_table=self.tables[TableName.COORDINATION],
            publish=self.published.append,
            revokes=RevokeQueue(self.sqs.client(), "escrow"),
            clock=clock,
            copies=TwoVersions(),
        )

    def table(self, name: TableName) -> Table:
        """One table."""
        return Table(self.dynamodb, self.tables[name])

    def items(self) -> dict[Place, dict[str, Any]]:
        """Everything, by where it is."""
        found = {}
        for name, table in self.tables.items():
            for page in self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
                for item in map(from_item, page["Items"]):
                    found[name, item["pk"], item["sk"]] = item
        return found

    def places(self) -> set[Place]:
        """Where anything is, but tombstones, records of erasures, and marks and counts that name nobody."""
        stay = ("erased#", "placed#", "refreshes#")
        return {each for each in self.items() if not (each[1].startswith(stay) or each[1].endswith("#erasures"))}

    def text(self) -> str:
        """Everything but tombstones and records, as text."""
        left = self.places()
        return "\n".join(str(item) for place, item in self.items().items() if place in left)

    def keep(self) -> None:
        """Remember everything as it is now, for `restore`."""
        self.kept = {
            name: [
                item for page in self.dynamodb.get_paginator("scan").paginate(TableName=table) for item in page["Items"]
            ]
            for name, table in self.tables.items()
        }

    def restore(self) -> None:
        """Put everything back as it was kept."""
        there = list(self.items())
        for name, table in self.tables.items():
            wanted = {(item["pk"]["S"], item["sk"]["S"]): item for item in self.kept[name]}
            surplus = [key for where, *key in there if where is name and tuple(key) not in wanted]
            writes: list[Any] = [{"PutRequest": {"Item": item}} for item in wanted.values()]
            writes += [{"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in surplus]
            for batch in batched(writes, 25, strict=False):
                self.dynamodb.batch_write_item(RequestItems={table: list(batch)})

    def fill(self, *people: Person) -> None:
        """Write what every store keeps about these people, their tenants, and nobody."""
        self.tell_of_nobody()
        for tenant in sorted({each.tenant for each in people}):
            self.of_tenant[tenant] = self._new(partial(self.tell_of_tenant, tenant))
        for person in people:
            self.owned[person] = self._new(partial(self.tell_of, person))
            self.unrouted[person] = self._new(partial(self.receive_unrouted, person))

    def _new(self, write: Callable[[], None]) -> set[Place]:
        before = self.places()
        write()
        return self.places() - before

    def tell_of(self, person: Person) -> None:
        """Write what the tenant's stores keep about one person."""
        self.connect(person)
        self.link(person)
        self.call(person)
        self.hear(person)
        self.subscribe(person.tenant, person.name, host=(person.zoom_user_id,), email=person.email)

    def subscribe(self, tenant: str, name: str, *, host: tuple[str, ...] = (), email: str = "") -> None:
        """Ask for events: of one host alone, or of all. What waits and what was answered names the person."""
        made = Subscription(
            tenant=tenant,
            subscription_id=f"sub_{sha256(name.encode()).hexdigest()[:32]}",
            state=SubscriptionState.ACTIVE,
            types=("*",),
            created_at=START,
            secret=b"sealed",
            url="https://hooks.example.com/",
            filters=Filters(host=host),
            challenge="c",
        )
        SubscriptionStore(self.table(TableName.CONNECTIONS)).create(made)
        deliveries = DeliveryStore(self.table(TableName.EVENTS))
        about = {"event_id": f"evt_{name}", "time_ms": int(START * 1000), "type": "connection.connected"}
        body = json.dumps({"email": email, "hosts": host}).encode()
        deliveries.add(made, Waiting(**about, due_at=START, body=body), now=START)  # type: ignore[arg-type] # ids and times
        attempt = Attempt(at=START, duration_ms=1, status=200, answer=json.dumps({"hosts": host, "email": email}))
        done = Delivery(**about, status=Status.DELIVERED, attempts=(attempt,))  # type: ignore[arg-type] # as above
        deliveries.record(made, done, now=START)

    def connect(self, person: Person) -> None:
        """Connect them, with a claim, and a key that is bound to the connection."""
        store, code = self._authorizations(), Secret(f"code-{person.name}")
        whose = {"tenant": person.tenant, "connection_id": person.connection_id, "zoom_user_id": person.zoom_user_id}
        about = {
            **whose,
            "client_id": person.app,
            "sealed_refresh": b"r",
            "zoom_account_id": f"{person.tenant}-account",
        }
        pending = connection(**about, state=State.PENDING)
        user = (pending.client_id, str(pending.zoom_user_id))
        latest = ConnectionStore(self.table(TableName.CONNECTIONS)).latest_link
        store.put_pending(pending, code, self._link(person), expires_at=int(START) + 900, latest=latest(*user))
        only: Any = {"replaced": None, "claim": None, "superseded": None, "latest": latest(*user)}
        store.redeem(code, pending=pending, connected=connection(**about), now=START, **only)
        waiting = connection(**about | {"connection_id": f"con_w{person.name}"}, state=State.PENDING)
        late = Secret(f"late-{person.name}")
        store.put_pending(waiting, late, self._link(person), expires_at=int(START) + 900, latest=latest(*user))
        table = self.table(TableName.CONNECTIONS)
        outbox = Outbox(table, lambda _: None, clock=lambda: START)
        table.transact([outbox.entry(state_changed(pending, State.CONNECTED, None, at=START))])
        name = f"key of {person.name}"
        connection_id = person.connection_id
        key = issue(
            Credential.generate(), tenant=person.tenant, name=name, scopes=["*"], connection=connection_id, now=START
        )
        ApiKeyStore(self.table(TableName.CONNECTIONS)).add(key)
        bearer = Bearer(sha256(key.key_id.encode()).digest(), key.key_id, b"o", START + 3600, connection_id)
        BearerStore(self._coordination()).put(bearer)
        ThrottleStore(self._coordination()).take(f"key:{key.key_id}", period=1, limit=5, most=1)

    def link(self, person: Person) -> None:
        """Ask for links: a ticket, and a state made of another one."""
        store, link, end = self._authorizations(), self._link(person), int(START) + 900
        store.put_ticket(Secret(f"ticket-{person.name}"), link, expires_at=end)
        store.put_ticket(Secret(f"used-{person.name}"), link, expires_at=end)
        state, cookie = Secret(f"state-{person.name}"), Secret("cookie")
        store.start(Secret(f"used-{person.name}"), state, cookie, now=START, expires_at=end)

    def call(self, person: Person) -> None:
        """Create something with an Idempotency-Key, and count calls."""
        store, key = IdempotencyStore(self._coordination()), f"key#{sha256(person.name.encode()).hexdigest()}"
        whose = f"{person.tenant}#{person.connection_id}"
        store.begin(key, "print", whose=whose, owner="o", now=START, lease_until=START + 9)
        answer = StoredAnswer(201, "application/json", json.dumps({"host_email": person.email}).encode())
        store.done(key, answer, owner="o", made=None, now=START)
        usage = Usage(DAY, person.tenant, person.connection_id, "meetings.get", 1, 1, 0)
        LiveUsage(self._coordination()).begin(usage)()
        KeptUsage(self.table(TableName.EVENTS), retention_days=30).keep(usage)
        number = int(person.name[:5], 16)
        row = Row(number=number, values={"email": person.email.upper(), "host": person.zoom_user_id})
        JobStore(self.table(TableName.EVENTS)).put_rows(_job(person.tenant), [row])
        self.record(person)

    def record(self, person: Person) -> None:
        """Keep a recording that they hosted, under a policy of their connection."""
        host: dict[str, Any] = {"host_id": person.zoom_user_id, "host_email": person.email.upper()}
        name = recording_id_of(person.tenant, person.name)
        ledger = Ledger(self.table(TableName.EVENTS))
        ledger.add(ArchivedRecording(tenant=person.tenant, recording_id=name, uuid=person.name, begun_ms=1, **host))
        file = ArchivedFile(
            tenant=person.tenant, recording_id=name, file_id="f", key="k", storage_class="STANDARD", **host
        )
        ledger.add_file(file)
        policies = PolicyStore(self.table(TableName.EVENTS))
        policies.put(person.tenant, Policy(), connection=person.connection_id, now=START)

    def hear(self, person: Person) -> None:
        """Log and project events: that they exist, that they took part, and a large one that a person hosts."""
        user = {"id": person.zoom_user_id, "email": person.email.upper(), "first_name": "F"}
        self.receive(person, "user.updated", {"object": user})
        participant = {"user_id": "16778240", "id": person.zoom_user_id, "email": person.email, "user_name": "P"}
        joined = {"id": f"9{person.name}", "uuid": f"u-{person.name}", "host_id": person.zoom_user_id}
        self.receive(person, "meeting.participant_joined", {"object": joined | {"participant": participant}})
        hosted = {"id": f"8{person.name}", "uuid": f"v-{person.name}", "host_id": person.zoom_user_id, "topic": "t"}
        noise = [sha256(f"{person.name}{number}".encode()).hexdigest() for number in range(200)]
        self.receive(person, "meeting.started", {"object": hosted, "noise": noise})
        change = Change(f"connection#{person.connection_id}", "refused#webinars", {"at_ms": 1})
        self._projections().apply(person.tenant, [change], (1, ""))

    def receive(self, person: Person, name: str, payload: dict[str, Any]) -> None:
        """Log and project one event of the person's tenant, by no connection."""
        event = ZoomEvent(name, {"event": name, "event_ts": int(START * 1000), "payload": payload})
        made = f"evt_{sha256(f'{name}{person.name}'.encode()).hexdigest()[:32]}"
        published = CloudEvent(
            id=made, source="/zoom/app", type=f"zoom.{name}", time="t", tenant=person.tenant, data=event.body
        )
        self.admit(person.tenant, made, event, published.to_json().encode())
        self._projections().apply(person.tenant, changes(event), (1, made))

    def receive_unrouted(self, person: Person) -> None:
        """Write what names the person and belongs to no tenant."""
        body = {"event": "user.deleted", "payload": {"object": {"id": person.zoom_user_id, "email": person.email}}}
        event = ZoomEvent("user.deleted", body)
        self.admit(unrouted(person.app), f"evt_u{person.name}", event, json.dumps(body).encode())
        text = b"[" + json.dumps(body).encode() + b", \xff"
        self.admit(malformed(person.app), f"evt_m{person.name}", event, text)
        hosted = {"object": {"id": f"8{person.name}", "host_id": person.zoom_user_id}}
        HostStore(self.table(TableName.EVENTS), clock=lambda: START).learn(
            person.app, ZoomEvent("meeting.started", {"event": "meeting.started", "payload": hosted})
        )
        counter = user_counter(f"{person.tenant}-account", person.zoom_user_id)
        DailyStore(self._coordination()).take(counter, period=20_000, limit=100, most=5)

    def tell_of_tenant(self, tenant: str) -> None:
        """Write what is the tenant's and about nobody in particular."""
        account = connection(
            tenant=tenant,
            connection_id=f"con_of-{tenant}",
            kind=Kind.ACCOUNT,
            zoom_user_id=None,
            client_id=f"app-of-{tenant}",
            zoom_account_id=f"{tenant}-account",
        )
        ConnectionStore(self.table(TableName.CONNECTIONS)).add_account(account)
        self.subscribe(tenant, f"all of {tenant}")
        key = issue(Credential.generate(), tenant=tenant, name="k", scopes=["*"], now=START)
        ApiKeyStore(self.table(TableName.CONNECTIONS)).add(key)
        bearer = Bearer(sha256(tenant.encode()).digest(), key.key_id, b"o", START + 3600)
        BearerStore(self._coordination()).put(bearer)
        started = {"event": "meeting.started", "payload": {"object": {"id": 5, "uuid": "m", "host_id": "N" * 22}}}
        event = ZoomEvent("meeting.started", started)
        self.admit(tenant, f"evt_{sha256(tenant.encode()).hexdigest()[:32]}", event, json.dumps(started).encode())
        self._projections().apply(tenant, changes(event), (1, ""))
        JobStore(self.table(TableName.EVENTS)).create(_job(tenant), [Row(number=1, values={"email": "n@x.example"})])
        PolicyStore(self.table(TableName.EVENTS)).put(tenant, Policy(), connection=None, now=START)
        Ledger(self.table(TableName.EVENTS)).plan_walk(tenant, at=START)

    def tell_of_nobody(self) -> None:
        """Write what is the gateway's own, or shared by those who call one Zoom account."""
        shared = self._coordination()
        SlotStore(shared).take("shared-account", "Light", Bucket("everybody", 1000), now=2_000_000, latest=9_000_000)
        DailyStore(shared).take("shared-account#heavy", period=20_000, limit=100, most=5)
        changed = {"event": "meeting.updated", "payload": {"account_id": "a", "object": {"id": 1, "host_id": "N" * 22}}}
        ChangeStore(shared, clock=lambda: START).on_event(ZoomEvent("meeting.updated", changed))
        HostCalendar(shared, clock=lambda: START).book("shared-account", "N" * 22, "1234567", [(1, 2)])
        WebhookStatusStore(shared, lambda: START).remember_secrets("zoom-app", {"f": START})
        Heartbeats(table=shared, clock=lambda: START).beat("sweep")
        counts = DailyCounts(table=shared, clock=lambda: START)
        counts.add("calls", "users.get")
        counts.write()
        answers = RefreshStore(self.table(TableName.CONNECTIONS))
        answers.count_answers(6_000_000, AnswerCounts(granted=1, refused=0), expires_at=START + 600)
        store, key = IdempotencyStore(shared), "key#of-nobody"
        store.begin(key, "print", whose="gamma#con_x", owner="o", now=START, lease_until=START + 9)
        store.done(key, StoredAnswer(201, "text/plain", b""), owner="o", made="made#of-nobody", now=START)
        connections = self.table(TableName.CONNECTIONS)
        Tombstones(connections).put([of_user("app", "user")], now=START)
        ErasureRecords(connections).begin("gamma", "era_former", about="person", now=START)

    def admit(self, owner: str, event_id: str, event: ZoomEvent, content: bytes) -> None:
        """Log one event."""
        entry = LogEntry(
            owner=owner,
            event_id=event_id,
            key=event_id,
            app="zoom-app",
            type=f"zoom.{event.name}",
            received_at_ms=int(START * 1000),
            subject=event.subject,
            content=content,
        )
        logged(EventLog(self.table(TableName.EVENTS), clock=lambda: START), entry)

    def _authorizations(self) -> AuthorizationStore:
        return AuthorizationStore(self._coordination(), self.table(TableName.CONNECTIONS))

    def _coordination(self) -> Table:
        return self.table(TableName.COORDINATION)

    def _projections(self) -> ProjectionStore:
        return ProjectionStore(self.table(TableName.EVENTS))

    def _link(self, person: Person) -> LinkRequest:
        return LinkRequest(tenant=person.tenant, subject="key:k", owner="key:k", connection_id=person.connection_id)


def _job(tenant: str) -> Job:
    return Job(
        tenant=tenant,
        job_id="job_1",
        principal=Principal(tenant, "key:k", frozenset({"*"})),
        operation="meetings.registrants.add",
        request={"connection": f"con_of-{tenant}"},
        fingerprint="f",
        created_at=START,
        rows=1,
    )
