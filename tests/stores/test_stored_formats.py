"""What outlives a release, byte for byte: keys and attributes of every item, seals, names made by digest.

A table keeps what an older release wrote. Whoever changes one of these literals has to read the old form as well.
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, cast

import pytest

from tests.fakes import tables
from tests.fakes.connection_stores import Memory
from tests.fakes.connections import START, connection
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.events import logged
from tests.stores import factories
from tests.stores.connection_items import LINK, pair, settlement
from zoom_common.access.bearers import Bearer
from zoom_common.access.keys import Credential, issue
from zoom_common.access.principal import Principal
from zoom_common.archive.model import ArchivedFile, ArchivedRecording, FileState
from zoom_common.archive.policy import Policy
from zoom_common.aws.json_client import AwsJsonClient
from zoom_common.aws.table import Table
from zoom_common.connections.cipher import SealContext, SealKind, seal, unseal
from zoom_common.connections.model import Connection, Kind, Spare, State, connection_id, digest, state_changed
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.refresh.policy import RejectionStreak
from zoom_common.connections.refresh.refusal_rate import AnswerCounts
from zoom_common.connections.tombstones import of_account, of_person, of_tenant, of_user
from zoom_common.daily_counts import REFRESHES
from zoom_common.deadline import Deadline
from zoom_common.erasure.records import erasure_id
from zoom_common.events.bus import event_id, source_of
from zoom_common.events.log.entries import LogEntry, malformed, unrouted
from zoom_common.events.projections.record import Change
from zoom_common.events.subscriptions.delivery_store import Delivery, Waiting
from zoom_common.events.subscriptions.model import Attempt, Filters, Payload, Subscription
from zoom_common.events.subscriptions.model import State as SubscriptionState
from zoom_common.events.subscriptions.model import Status as DeliveryStatus
from zoom_common.events.webhook.client import CHALLENGED, ENDPOINT, StatusWriter, app_status_key, rejected_at
from zoom_common.events.webhook.status import fingerprint
from zoom_common.gateway import idempotency
from zoom_common.gateway.idempotency_store import StoredAnswer
from zoom_common.gateway.usage import Usage
from zoom_common.heartbeats import SWEEP
from zoom_common.jobs.model import Job, Row, RowState
from zoom_common.jobs.model import State as JobState
from zoom_common.ratelimit.limiter import Cost, RateLimiter, RateLimitRules
from zoom_common.ratelimit.quotas import DailyCalls
from zoom_common.secret import Secret
from zoom_common.zoom.events import parse
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Plan

NOW = 1_800_000_000.25
KEY = Credential("abcdefghijkl", Secret("s" * 43))

type Item = dict[str, Any]
type Writer = Callable[[MemoryDynamoDB], object]


def whole() -> Connection:
    """A connection with every attribute that it can have."""
    return connection(
        sealed_access=b"A",
        sealed_refresh=b"R",
        previous_refresh=b"P",
        spares={"a9": Spare(b"S", START + 0.5)},
        intents={"a8": START},
        lease_owner="a8",
        lease_expires_at=START + 60,
        reason="zoom_error",
        written_by="a7",
        api_url="https://api-eu.zoom.us",
        last_webhook_at=START,
        expires_at=START,
        own_email=b"E",
        label="Ada (a•••@example.com)",
    )


def refreshed(dynamodb: MemoryDynamoDB) -> None:
    """Every conditional write of a refresh, on one connection."""
    memory, refreshes = Memory(dynamodb), factories.refreshes(dynamodb.client())
    seen = memory.put(connection(sealed_access=b"A", sealed_refresh=b"R"))
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    refreshes.note_refusal(seen, RejectionStreak(2, START))
    refreshes.settle(seen, settlement(outcome_known=False))
    refreshes.keep_spare(pair(attempt="a2", sealed_refresh=b"S"))
    refreshes.write(pair(attempt="a3", sealed_access=b"B", sealed_refresh=b"Q", used_refresh=b"R"), release=False)
    refreshes.count_answers(6_000_000, AnswerCounts(granted=20, refused=1), expires_at=START + 600)


def linked(dynamodb: MemoryDynamoDB) -> None:
    """A ticket, a state and a code as they wait."""
    links = factories.authorizations(dynamodb.client())
    links.put_ticket(Secret("first"), LINK, expires_at=900)
    links.start(Secret("first"), Secret("state"), Secret("cookie"), now=0, expires_at=600)
    links.put_ticket(Secret("ticket"), LINK, expires_at=900)
    links.put_pending(connection(state=State.PENDING, due_at=None), Secret("code"), LINK, expires_at=600)
    dynamodb.tables[tables.CONNECTIONS].partitions.clear()


def claimed(dynamodb: MemoryDynamoDB) -> None:
    """The claim on a Zoom user and the link to a Zoom account."""
    links, pending = factories.authorizations(dynamodb.client()), connection(state=State.PENDING, due_at=None)
    links.put_pending(pending, Secret("code"), LINK, expires_at=600)
    only: Any = {"replaced": None, "claim": None, "superseded": None}
    latest = factories.connections(dynamodb.client()).latest_link(pending.client_id, "zoom-user")
    links.redeem(Secret("code"), pending=pending, connected=pending, now=0, latest=latest, **only)
    outbox = Outbox(Table(dynamodb.client(), tables.CONNECTIONS), print, clock=lambda: NOW)
    change = state_changed(pending, State.CONNECTED, None, at=NOW)
    Table(dynamodb.client(), tables.CONNECTIONS).transact([outbox.entry(change)])
    later = replace(pending, connection_id="con_3", expires_at=900)
    links.put_pending(later, Secret("code"), LINK, expires_at=600)
    dynamodb.tables[tables.COORDINATION].partitions.clear()
    account = connection(connection_id="con_2", kind=Kind.ACCOUNT, zoom_user_id=None)
    factories.connections(dynamodb.client()).add_account(account)
    del dynamodb.tables[tables.CONNECTIONS].partitions["acme#connections"]


def api_key(dynamodb: MemoryDynamoDB) -> None:
    """A key that was rotated, limited and revoked."""
    keys = factories.api_keys(dynamodb.client())
    more: Any = {"connection": "con_1", "valid_until": NOW + 90}
    keys.add(issue(KEY, tenant="acme", name="reports", scopes=["meetings:read", "*"], now=NOW, **more))
    keys.rotate(KEY.key_id, Credential(KEY.key_id, Secret("t" * 43)), now=NOW, overlap=60)
    keys.limit(KEY.key_id, 60)
    keys.revoke(KEY.key_id, now=NOW + 1)


def erased(dynamodb: MemoryDynamoDB) -> None:
    """The record of an erasure under way, and a tombstone."""
    records = factories.erasure_records(dynamodb.client())
    record = records.begin("acme", erasure_id("acme", "ada"), about="person", now=NOW)
    record = records.found(record, connection_ids={"con_1"}, key_ids={"k1"})
    records.count(record, Counter(events=3))
    factories.tombstones(dynamodb.client()).put([of_tenant("acme")], now=NOW)


def budgeted(dynamodb: MemoryDynamoDB) -> None:
    """A light and a heavy call of two lanes, a user's create, and a lane that Zoom closed."""
    slots, daily = factories.slots(dynamodb.client()), factories.daily(dynamodb.client())
    rules = RateLimitRules(plan=Plan.PRO, share=1.0, reserve=0.2)
    limiter = RateLimiter(slots=slots, daily=DailyCalls(daily), rules=rules, clock=lambda: NOW)
    far = Deadline(1000.0, clock=lambda: 0.0)
    limiter.reserve(Cost(account="acc-1", label=RateLabel.LIGHT, user="Ada@Example.com"), far)
    for _ in range(2):
        limiter.reserve(Cost(account="acc-1", label=RateLabel.HEAVY, interactive=True), far)
    everybody = limiter._split(Cost(account="acc-1", label=RateLabel.MEDIUM), RateLabel.MEDIUM).everybody
    until, probe_at = int(NOW + 60) * 1_000_000, int(NOW + 30) * 1_000_000
    slots.close("acc-1", "Medium", everybody, until=until, reason="zoom_asked_to_wait", probe_at=probe_at)
    daily.exhaust("acc-1#user#b", period=20833, limit=100)
    daily.probe("acc-1#user#b", period=20833, now=NOW)


def keyed(dynamodb: MemoryDynamoDB) -> None:
    """An idempotency key under way, and one that is done with what was made."""
    keys = factories.idempotency(dynamodb.client())
    for key in ("key#1", "key#2"):
        keys.begin(key, "print", whose="acme#con_1", owner="call-1", now=NOW, lease_until=NOW + 30)
        keys.sent(key, owner="call-1", now=NOW)
    answer = StoredAnswer(201, "application/json", b"{}")
    keys.done("key#2", answer, owner="call-1", made="made#1", now=NOW)


def used(dynamodb: MemoryDynamoDB) -> None:
    """Usage of a day that lasts and of one that is over, a key's minute, a change, and a host's calendar."""
    usage = Usage(date(2026, 11, 23), "acme", "con_1", "meetings.get", 1, 2, 0)
    factories.live_usage(dynamodb.client()).begin(usage)()
    factories.kept_usage(dynamodb.client(), retention_days=400).keep(usage)
    factories.throttle(dynamodb.client()).take("key:k1", period=7, limit=10, most=4)
    body = b'{"event":"meeting.updated","event_ts":1,"payload":{"account_id":"acc-1","object":{"id":85746065}}}'
    factories.changes(dynamodb.client(), clock=lambda: NOW).on_event(parse(body))
    calendar = factories.calendar(dynamodb.client(), clock=lambda: NOW)
    calendar.book("acc-1", "host-1", "85746065", [(1_800_000_000, 1_800_003_600), (1_800_086_400, 1_800_090_000)])


def delivered(dynamodb: MemoryDynamoDB) -> None:
    """An event's entry and its line, whose meeting it is, and what it adds up to."""
    entry = LogEntry(
        owner="acme",
        event_id="evt_1",
        key="natural:1",
        app="App",
        type="zoom.meeting.started",
        received_at_ms=1_790_000_000_123,
        occurred_at_ms=1_790_000_000_000,
        subject="meetings/1",
        connection_id="con_1",
        uuid="/u+1==",
        request_id="r",
        content=b"{}",
    )
    logged(factories.event_log(dynamodb.client(), clock=lambda: NOW), entry)
    body = b'{"event":"meeting.started","payload":{"object":{"id":"85746065","uuid":"/u+1==","host_id":"host-1"}}}'
    factories.hosts(dynamodb.client(), clock=lambda: NOW).learn("App", parse(body))
    change = Change("meeting#1", "definition", {"topic": "T"}, {"kind": "meeting"}, frozenset({("joined", 5)}))
    factories.projections(dynamodb.client()).apply("acme", [change], (7, "evt_1"), "con_1")


def seen_alive(dynamodb: MemoryDynamoDB) -> None:
    """A heartbeat, a count of a day, a bearer, and the webhook status of an app and of the endpoint."""
    client = dynamodb.client()
    factories.heartbeats(client, clock=lambda: NOW).beat(SWEEP)
    counts = factories.daily_counts(client, clock=lambda: NOW)
    counts.add(REFRESHES, "refreshed", 2)
    counts.write()
    factories.bearers(client).put(Bearer(b"d" * 32, "abcdefghijkl", b"m" * 32, NOW + 3600, "con_1"))
    webhook_status = factories.webhook_status(client, clock=lambda: NOW)
    webhook_status.verified("App", NOW)
    webhook_status.remember_secrets("App", {"abc": NOW})
    writer = StatusWriter(tables.COORDINATION, cast("AwsJsonClient", Through(dynamodb)), clock=lambda: NOW)
    writer.note(app_status_key("App"), CHALLENGED, Deadline.after(5))
    writer.note(ENDPOINT, rejected_at("wrong_signature"), Deadline.after(5))


def subscribed(dynamodb: MemoryDynamoDB) -> None:
    """A subscription with what its owner set and its worker found out, a delivery, and what waits."""
    store, deliveries = factories.subscriptions(dynamodb.client()), factories.deliveries(dynamodb.client())
    made = Subscription(
        tenant="acme",
        subscription_id="sub_1",
        state=SubscriptionState.ACTIVE,
        types=("meeting.*", "recording.completed"),
        created_at=NOW,
        state_changed_at=NOW,
        secret=b"S",
        previous_secret=b"P",
        previous_until=NOW + 60,
        url="https://hooks.example.com/",
        filters=Filters(meeting=("1",), host=("ada",), connection=("con_1",), kind="meeting"),
        payload=Payload.THIN,
        rate=20,
        ordered=True,
        description="D",
        challenge="C",
        missed_after="1790000000123#evt_1",
        due_at=NOW,
    )
    store.create(made)
    store.failed(made, now=NOW)
    store.note(made, retry_at=NOW + 5, rounds=1, slow_at=NOW, missed_until=NOW + 60, announce="subscription.disabled")
    store.lease("acme", "sub_1", "w1", now=NOW, until=NOW + 60)
    store.wake(made, at=NOW)
    attempt = Attempt(at=NOW, duration_ms=12, status=500, answer="no")
    about: Any = {"event_id": "evt_1", "time_ms": 1_790_000_000_123, "type": "zoom.meeting.started"}
    retrying = Delivery(**about, status=DeliveryStatus.RETRYING, attempts=(attempt,), next_at=NOW + 5)
    deliveries.record(made, retrying, now=NOW)
    deliveries.add(made, Waiting(**about, due_at=NOW, attempts=(attempt,), tries=1), now=NOW)
    deliveries.add(made, Waiting(**about, due_at=NOW, lane="a", place="b", body=b"{}", forced=True), now=NOW)


class Through:
    """The webhook's client, with DynamoDB in memory for a wire."""

    def __init__(self, dynamodb: MemoryDynamoDB) -> None:
        self.dynamodb = dynamodb

    def call(self, target: str, payload: Item, deadline: Deadline) -> Item:
        assert (target, bool(deadline)) == ("DynamoDB_20120810.UpdateItem", True)
        return self.dynamodb.update_item(**payload)


def written(writer: Writer) -> dict[str, Item]:
    """What a writer leaves in all tables, by `table pk sk`. Records are inflated: zlib may choose other bytes.

    The random `writer` of conditional writes is left out.
    """
    dynamodb = tables.in_memory()
    writer(dynamodb)
    return {
        f"{name} {item['pk']['S']} {item['sk']['S']}": {
            word: {"B": zlib.decompress(item[word]["B"])} if word == "record" else item[word]
            for word in sorted(item)
            if word not in {"pk", "sk", "writer"}
        }
        for name, table in dynamodb.tables.items()
        for item in table.items()
    }


def worked(dynamodb: MemoryDynamoDB) -> None:
    """A job that was paused after one row of two."""
    store = factories.jobs(dynamodb.client())
    principal = Principal("acme", "key:k1", frozenset({"meetings:write"}))
    job = Job(
        tenant="acme",
        job_id="job_1",
        principal=principal,
        operation="meetings.create",
        request={"connection": "con_1"},
        fingerprint="f",
        created_at=NOW,
        rows=2,
        wake_at=NOW,
    )
    store.create(job, [Row(number=1, values={"topic": "A"}), Row(number=2, values={"topic": "B"}, line=3)])
    begun = store.begin_slice(job, run=1, owner="o", now=NOW, until=NOW + 90, wake_at=NOW + 99)
    assert begun is not None
    for row in store.rows(begun):
        claimed = store.claim(begun, row, now=NOW)
        assert claimed is not None
        if row.number == 1:
            done = replace(claimed, state=RowState.SUCCEEDED, status=201, ids={"id": "8"})
            store.finish(begun, done)
            begun = replace(begun, cursor=2, before=begun.before.counting(done), seen=begun.seen.counting(done))
        else:
            store.put_off(begun, claimed, until=NOW + 60, sent=True)
    begun = replace(begun, pace=2.5, busiest=1, host_left=99, closed={"h": NOW + 60})
    store.end_slice(
        begun, owner="o", state=JobState.PAUSED, now=NOW, wake_at=NOW, reason="connection_lost", not_before=NOW + 60
    )


def archived(dynamodb: MemoryDynamoDB) -> None:
    """A recording with a film that is on its way and a chat that is doubtful, a policy, and a list to walk."""
    ledger, policies = factories.ledger(dynamodb.client()), factories.policies(dynamodb.client())
    recording = ArchivedRecording(
        tenant="acme",
        recording_id="rec_0a1b",
        uuid="u==",
        meeting_id="85123456789",
        topic="Weekly",
        host_id="h",
        host_email="jill@zoom.example",
        type="2",
        timezone="UTC",
        duration=30,
        begun_ms=1_790_000_000_123,
        connections=frozenset({"con_1"}),
        due_at=NOW,
        found_at=NOW,
    )
    ledger.add(recording)
    film = ArchivedFile(
        tenant="acme",
        recording_id="rec_0a1b",
        file_id="f-1",
        file_type="MP4",
        recording_type="gallery_view",
        kind="video",
        extension="MP4",
        key="acme/f-1.mp4",
        storage_class="STANDARD",
        cold_after_days=30,
        declared=100,
        begins="2026-09-21T14:13:20Z",
        ends="2026-09-21T14:43:20Z",
        host_id="h",
        host_email="jill@zoom.example",
        found_at=NOW,
    )
    chat = replace(film, file_id="f-2", file_type="CHAT", kind="chat", key="acme/f-2.txt", cold_after_days=None)
    ledger.add_file(film)
    ledger.add_file(chat)
    moving = ledger.lease(film, owner="o", now=NOW, until=NOW + 330)
    moving = ledger.note(moving, total=100, part_size=60, etag="e", upload_id="up", tries=1)
    ledger.note(moving, moved=60, progress_at=NOW, checked=8)
    ended = ledger.note(ledger.lease(chat, owner="p", now=NOW, until=NOW + 330), total=7, crc=5)
    ledger.release(ended, state=FileState.DOUBTFUL, reason="declared_size", finished_at=NOW)
    ledger.change(recording, replace(recording, state=FileState.MOVING, file_count=2, bytes=7, announced="d"))
    ledger.plan_walk("acme", at=NOW, after="0000000000000#rec_0a1b")
    policy = Policy.of_request({"retention_days": 400, "at_zoom": {"trash_after_days": 30, "delete_after_days": 7}})
    policies.put("acme", policy, connection=None, now=NOW)
    policies.put("acme", Policy(enabled=False), connection="con_1", now=NOW)


WRITERS: dict[str, Writer] = {
    "a whole connection": lambda dynamodb: Memory(dynamodb).put(whole()),
    "a connection after its refreshes": refreshed,
    "links under way": linked,
    "claims and accounts": claimed,
    "an API key": api_key,
    "an erasure": erased,
    "the rate limiter": budgeted,
    "idempotency keys": keyed,
    "usage, throttle and changes": used,
    "events": delivered,
    "signs of life": seen_alive,
    "subscriptions": subscribed,
    "jobs": worked,
    "the archive": archived,
}

ATTEMPTS = '[{"at":1800000000.25,"duration_ms":12,"status":500,"answer":"no"}]'
STORED: dict[str, dict[str, Item]] = {
    "a whole connection": {
        "connections acme#connections con_1": {
            "access_expires_at": {"N": "1799999999"},
            "api_url": {"S": "https://api-eu.zoom.us"},
            "authorized_at": {"N": "1799996400"},
            "client_id": {"S": "zoom-app"},
            "connection_id": {"S": "con_1"},
            "cool_until": {"N": "0"},
            "created_at": {"N": "1799996400"},
            "due_at": {"N": "1799999400"},
            "due_shard": {"S": "14"},
            "expires_at": {"N": "1800000000"},
            "failures": {"N": "0"},
            "grant_id": {"S": "grant_1"},
            "intents": {"M": {"a8": {"N": "1800000000"}}},
            "kind": {"S": "user"},
            "label": {"S": "Ada (a•••@example.com)"},
            "last_used_at": {"N": "1799999940"},
            "last_webhook_at": {"N": "1800000000"},
            "lease_expires_at": {"N": "1800000060"},
            "lease_owner": {"S": "a8"},
            "own_email": {"B": b"E"},
            "owner": {"S": "key:k1"},
            "previous_refresh": {"B": b"P"},
            "reason": {"S": "zoom_error"},
            "refresh_issued_at": {"N": "1799996400"},
            "refusals": {"N": "0"},
            "refused_since": {"N": "0"},
            "refused_version": {"N": "0"},
            "scopes": {"SS": ["meeting:read:meeting"]},
            "sealed_access": {"B": b"A"},
            "sealed_refresh": {"B": b"R"},
            "spares": {"M": {"a9": {"M": {"sealed": {"B": b"S"}, "issued_at": {"N": "1800000000.5"}}}}},
            "state": {"S": "connected"},
            "state_changed_at": {"N": "1799996400"},
            "tenant": {"S": "acme"},
            "version": {"N": "1"},
            "written_by": {"S": "a7"},
            "zoom_account_id": {"S": "zoom-account"},
            "zoom_user_id": {"S": "zoom-user"},
        }
    },
    "a connection after its refreshes": {
        "connections refreshes#6000000 answers": {
            "expires_at": {"N": "1800000600"},
            "granted": {"N": "20"},
            "refused": {"N": "1"},
        },
        "connections acme#connections con_1": {
            "access_expires_at": {"N": "1800003600"},
            "authorized_at": {"N": "1799996400"},
            "client_id": {"S": "zoom-app"},
            "connection_id": {"S": "con_1"},
            "cool_until": {"N": "0"},
            "created_at": {"N": "1799996400"},
            "due_at": {"N": "1800002700"},
            "due_shard": {"S": "14"},
            "failures": {"N": "0"},
            "grant_id": {"S": "grant_1"},
            "intents": {"M": {"a1": {"N": "1800000000"}}},
            "kind": {"S": "user"},
            "last_used_at": {"N": "1799999940"},
            "owner": {"S": "key:k1"},
            "previous_refresh": {"B": b"R"},
            "refresh_issued_at": {"N": "1800000000"},
            "refusals": {"N": "2"},
            "refused_since": {"N": "1800000000"},
            "refused_version": {"N": "1"},
            "scopes": {"SS": ["user:read:user"]},
            "sealed_access": {"B": b"B"},
            "sealed_refresh": {"B": b"Q"},
            "spares": {"M": {"a2": {"M": {"sealed": {"B": b"S"}, "issued_at": {"N": "1800000000"}}}}},
            "state": {"S": "connected"},
            "state_changed_at": {"N": "1800000000"},
            "tenant": {"S": "acme"},
            "version": {"N": "2"},
            "written_by": {"S": "a3"},
            "zoom_account_id": {"S": "zoom-account"},
            "zoom_user_id": {"S": "zoom-user"},
        },
    },
    "links under way": {
        "coordination state#4ba69735ca53765ed6a709edb56c6ea236b7193a3b29a6b390c346f0f4340e4e state": {
            "cookie": {"S": "d7e83e28a04b537e64424546b14caf9b67bad2f28dabce68116e0d372319fa00"},
            "expires_at": {"N": "600"},
            "owner": {"S": "ada"},
            "return_url": {"S": "https://app.example/done"},
            "subject": {"S": "key:k1"},
            "tenant": {"S": "acme"},
        },
        "coordination ticket#14069429150abcbf244c4c2fb2c4c46a49c93ca9457263ecd9ebb176de3a58bb ticket": {
            "expires_at": {"N": "900"},
            "owner": {"S": "ada"},
            "return_url": {"S": "https://app.example/done"},
            "subject": {"S": "key:k1"},
            "tenant": {"S": "acme"},
        },
        "coordination code#5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b code": {
            "expires_at": {"N": "600"},
            "owner": {"S": "ada"},
            "return_url": {"S": "https://app.example/done"},
            "subject": {"S": "key:k1"},
            "tenant": {"S": "acme"},
        },
    },
    "claims and accounts": {
        "connections claim#zoom-app#zoom-user claim": {"connection_id": {"S": "con_1"}, "tenant": {"S": "acme"}},
        "connections claim#zoom-app#zoom-user link": {
            "authorized_at": {"N": "1799996400"},
            "connection_id": {"S": "con_3"},
            "expires_at": {"N": "1800082800"},
            "tenant": {"S": "acme"},
        },
        "connections placed#f59febe4c4d645f42e5f395421f205e7d7d524ad93c05409f98cb13a81df90b1 placed": {
            "code": {"S": "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b"},
            "expires_at": {"N": "1801378800"},
        },
        "connections placed#4c5ef495d15ee281c0e0f144df60f216dbae8de9ce54e6185cd2ae42c725fd73 placed": {
            "code": {"S": "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b"},
            "expires_at": {"N": "1801378800"},
        },
        "connections outbox 01800000000250#acme#con_1#connected": {
            "change": {
                "S": '{"type": "connection.connected", "tenant": "acme", "connection_id": "con_1", "owner": "key:k1", '
                '"client_id": "zoom-app", "zoom_user_id": "zoom-user", "zoom_account_id": "zoom-account", '
                '"state": "connected", "previous_state": "pending", "reason": null, "at": 1800000000.25}'
            },
            "tenant": {"S": "acme"},
        },
        "connections folded#zoom-app#zoom-user zoom-user": {"connection_id": {"S": "con_1"}, "tenant": {"S": "acme"}},
        "connections account#zoom-app#zoom-account acme#con_2": {
            "connection_id": {"S": "con_2"},
            "tenant": {"S": "acme"},
        },
    },
    "an API key": {
        "connections apikey#abcdefghijkl apikey": {
            "connection": {"S": "con_1"},
            "created_at": {"N": "1800000000.25"},
            "digest": {
                "B": b'\x808?\x97O"\x96O\xd6\xb7\xae\x85\x1bl\xcc\x91\x80\xedNo\xcb.A[\xaf\xca\xb6\xd8"\x13\x928'
            },
            "key_id": {"S": "abcdefghijkl"},
            "name": {"S": "reports"},
            "previous_digest": {
                "B": b"\xd6K\x93\xc9\xf1\xb6\x0e\xb3"
                b"8\xe5\xcbA]j6\xbd"
                b"\x92\x0e\xdd\x0e\x9b6\xf7\xea"
                b"\\s\r\x0e\x10\xff\x14\x7f"
            },
            "previous_until": {"N": "1800000060.25"},
            "requests_per_minute": {"N": "60"},
            "revoked_at": {"N": "1800000001.25"},
            "scopes": {"SS": ["*", "meetings:read"]},
            "tenant": {"S": "acme"},
            "valid_until": {"N": "1800000090.25"},
        },
        "connections acme#apikeys abcdefghijkl": {},
    },
    "an erasure": {
        "connections acme#erasures era_378ee62804d0f493ce25a9a8c4d875b6": {
            "about": {"S": "person"},
            "connection_ids": {"SS": ["con_1"]},
            "deleted": {
                "M": {
                    "connections": {"N": "0"},
                    "revokes_queued": {"N": "0"},
                    "api_keys": {"N": "0"},
                    "events": {"N": "3"},
                    "event_parts": {"N": "0"},
                    "log_lines": {"N": "0"},
                    "projections": {"N": "0"},
                    "usage": {"N": "0"},
                    "subscriptions": {"N": "0"},
                    "deliveries": {"N": "0"},
                    "waiting_deliveries": {"N": "0"},
                    "jobs": {"N": "0"},
                    "job_rows": {"N": "0"},
                    "job_places": {"N": "0"},
                    "jobs_active": {"N": "0"},
                    "job_files": {"N": "0"},
                    "archive_recordings": {"N": "0"},
                    "archive_files": {"N": "0"},
                    "archive_objects": {"N": "0"},
                    "archive_list": {"N": "0"},
                    "archive_agenda": {"N": "0"},
                    "archive_policies": {"N": "0"},
                    "coordination": {"N": "0"},
                    "others": {"N": "0"},
                }
            },
            "erased_at": {"N": "1800000000.25"},
            "key_ids": {"SS": ["k1"]},
            "run": {"N": "1"},
            "state": {"S": "running"},
        },
        "connections erased#d2e79529ba2c46b2b8496511585b5ed5f3eeba66465b92ce45a2c72344c13bab erased": {
            "erased_at": {"N": "1800000000.25"},
            "expires_at": {"N": "1803888000"},
        },
    },
    "the rate limiter": {
        "coordination daily#acc-1#user#b5fc85e55755f9e0d030a10ab4429b6b 20833": {
            "expires_at": {"N": "1800144000"},
            "used": {"N": "5"},
        },
        "coordination budget#acc-1 light#all": {"expires_at": {"N": "1800003600"}, "next": {"N": "1800000000292955"}},
        "coordination budget#acc-1 heavy#all": {"expires_at": {"N": "1800003600"}, "next": {"N": "1800000000378866"}},
        "coordination budget#acc-1 heavy#interactive": {
            "expires_at": {"N": "1800003600"},
            "next": {"N": "1800000000765464"},
        },
        "coordination budget#acc-1 medium#all": {
            "closed": {"N": "1800000060000000"},
            "closed_by": {"S": "zoom_asked_to_wait"},
            "expires_at": {"N": "1800003660"},
            "probe_at": {"N": "1800000030000000"},
        },
        "coordination daily#acc-1#user#b 20833": {
            "expires_at": {"N": "1800144000"},
            "probe_at": {"N": "1800000060"},
            "used": {"N": "100"},
        },
        "coordination daily#acc-1#costly 20833": {"expires_at": {"N": "1800144000"}, "used": {"N": "50"}},
    },
    "idempotency keys": {
        "coordination key#1 idempotency": {
            "expires_at": {"N": "1800086400"},
            "fingerprint": {"S": "print"},
            "first_sent": {"N": "1800000000.25"},
            "last_sent": {"N": "1800000000.25"},
            "lease_until": {"N": "1800000030.25"},
            "owner": {"S": "call-1"},
            "step": {"S": "sent"},
            "whose": {"S": "acme#con_1"},
        },
        "coordination key#2 idempotency": {
            "body": {"B": b"{}"},
            "content_type": {"S": "application/json"},
            "expires_at": {"N": "1800086400"},
            "fingerprint": {"S": "print"},
            "first_sent": {"N": "1800000000.25"},
            "last_sent": {"N": "1800000000.25"},
            "lease_until": {"N": "1800000030.25"},
            "owner": {"S": "call-1"},
            "status": {"N": "201"},
            "step": {"S": "done"},
            "whose": {"S": "acme#con_1"},
        },
        "coordination made#1 idempotency": {"expires_at": {"N": "1800086400"}, "key": {"S": "key#2"}},
    },
    "usage, throttle and changes": {
        "events acme#usage 2026-11-23#con_1#meetings.get": {
            "calls": {"N": "1"},
            "expires_at": {"N": "1830038400"},
            "refused": {"N": "0"},
            "requests": {"N": "2"},
        },
        "coordination usage#2026-11-23 acme#con_1#meetings.get": {
            "calls": {"N": "1"},
            "expires_at": {"N": "1796342400"},
            "refused": {"N": "0"},
            "requests": {"N": "2"},
            "tenant": {"S": "acme"},
        },
        "coordination throttle#key:k1 7": {"expires_at": {"N": "540"}, "used": {"N": "4"}},
        "coordination change#acc-1#meetings/85746065 change": {
            "at": {"N": "1800000000.25"},
            "expires_at": {"N": "1800000600"},
        },
        "coordination calendar#acc-1#host-1 calendar": {
            "expires_at": {"N": "1807776000"},
            "m85746065": {"S": "1800000000-1800003600,1800086400-1800090000"},
        },
    },
    "events": {
        "events acme#event#evt_1 event": {
            "app": {"S": "App"},
            "body": {"B": b"{}"},
            "claimed_until": {"N": "1800000060"},
            "connection_id": {"S": "con_1"},
            "deflated": {"BOOL": False},
            "expires_at": {"N": "1792592000"},
            "key": {"S": "natural:1"},
            "occurred_at_ms": {"N": "1790000000000"},
            "received_at_ms": {"N": "1790000000123"},
            "recorded_at_ms": {"N": "1800000000250"},
            "request_id": {"S": "r"},
            "subject": {"S": "meetings/1"},
            "type": {"S": "zoom.meeting.started"},
            "uuid": {"S": "/u+1=="},
        },
        "events acme#events#2026-09-21 1790000000123#evt_1": {
            "connection_id": {"S": "con_1"},
            "expires_at": {"N": "1792592000"},
            "occurred_at_ms": {"N": "1790000000000"},
            "subject": {"S": "meetings/1"},
            "type": {"S": "zoom.meeting.started"},
            "uuid": {"S": "/u+1=="},
        },
        "events acme#recorded#2027-01-15 1800000000250#evt_1": {
            "connection_id": {"S": "con_1"},
            "done_at": {"N": "1800000000"},
            "expires_at": {"N": "1792592000"},
            "occurred_at_ms": {"N": "1790000000000"},
            "received_at_ms": {"N": "1790000000123"},
            "subject": {"S": "meetings/1"},
            "type": {"S": "zoom.meeting.started"},
            "uuid": {"S": "/u+1=="},
        },
        "events hosts.App#/u+1== host": {"expires_at": {"N": "1802592000"}, "host": {"S": "host-1"}},
        "events hosts.App#85746065 host": {"expires_at": {"N": "1802592000"}, "host": {"S": "host-1"}},
        "events acme#meeting#1 definition": {
            "expires_at": {"N": "34560000"},
            "record": {
                "B": b'{"connections":["con_1"],"earliest":{"kind":[[7,"evt_1"],"meeting"]},'
                b'"latest":{"topic":[[7,"evt_1"],"T"]},"marks":[["joined",5]]}'
            },
            "version": {"N": "1"},
        },
    },
    "signs of life": {
        "coordination counts#2027-01-15 refreshes#refreshed": {
            "expires_at": {"N": "1803024000"},
            "number": {"N": "2"},
        },
        "coordination heartbeat#sweep heartbeat": {"at": {"N": "1800000000.25"}, "expires_at": {"N": "1805184000"}},
        "coordination bearer#6464646464646464646464646464646464646464646464646464646464646464 bearer": {
            "connection": {"S": "con_1"},
            "expires_at": {"N": "1800003601"},
            "key_id": {"S": "abcdefghijkl"},
            "opened_by": {"B": b"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"},
            "until": {"N": "1800003600.25"},
        },
        "coordination heartbeat#webhook app#App": {
            "challenged_at": {"N": "1800000000"},
            "expires_at": {"N": "1810368000"},
            "secrets_since": {"M": {"abc": {"N": "1800000000.25"}}},
            "verified_at": {"N": "1800000000.25"},
        },
        "coordination heartbeat#webhook endpoint": {
            "expires_at": {"N": "1810368000"},
            "rejected_wrong_signature_at": {"N": "1800000000"},
        },
    },
    "subscriptions": {
        "connections acme#subscriptions sub_1": {
            "announce": {"S": "subscription.disabled"},
            "challenge": {"S": "C"},
            "created_at": {"N": "1800000000.25"},
            "description": {"S": "D"},
            "due_at": {"N": "1800000000.25"},
            "due_shard": {"S": "sub#03"},
            "failing_since": {"N": "1800000000.25"},
            "failures": {"N": "1"},
            "filters": {"S": '{"connection": ["con_1"], "host": ["ada"], "kind": "meeting", "meeting": ["1"]}'},
            "lease_owner": {"S": "w1"},
            "lease_until": {"N": "1800000060.25"},
            "missed_after": {"S": "1790000000123#evt_1"},
            "missed_until": {"N": "1800000060.25"},
            "ordered": {"BOOL": True},
            "payload": {"S": "thin"},
            "previous_secret": {"B": b"P"},
            "previous_until": {"N": "1800000060.25"},
            "rate": {"N": "20"},
            "retry_at": {"N": "1800000005.25"},
            "rounds": {"N": "1"},
            "secret": {"B": b"S"},
            "slow_at": {"N": "1800000000.25"},
            "state": {"S": "active"},
            "state_changed_at": {"N": "1800000000.25"},
            "types": {"S": "meeting.*,recording.completed"},
            "url": {"S": "https://hooks.example.com/"},
            "wakes": {"N": "1"},
        },
        "events acme#deliveries#sub_1 1790000000123#evt_1": {
            "attempts": {"S": ATTEMPTS},
            "expires_at": {"N": "1802592000"},
            "next_at": {"N": "1800000005.25"},
            "status": {"S": "retrying"},
            "type": {"S": "zoom.meeting.started"},
        },
        "events acme#waiting#sub_1 1800000000250#evt_1": {
            "attempts": {"S": ATTEMPTS},
            "due": {"N": "1800000000.25"},
            "event_id": {"S": "evt_1"},
            "expires_at": {"N": "1802592000"},
            "time_ms": {"N": "1790000000123"},
            "tries": {"N": "1"},
            "type": {"S": "zoom.meeting.started"},
        },
        "events acme#waiting#sub_1 lane#a#b#evt_1": {
            "body": {"B": b"{}"},
            "due": {"N": "1800000000.25"},
            "event_id": {"S": "evt_1"},
            "expires_at": {"N": "1802592000"},
            "forced": {"BOOL": True},
            "time_ms": {"N": "1790000000123"},
            "type": {"S": "zoom.meeting.started"},
        },
    },
    "jobs": {
        "events acme#job#job_1 job": {
            "before": {"M": {"errors": {"M": {}}, "failed": {"N": "0"}, "succeeded": {"N": "1"}}},
            "busiest": {"N": "1"},
            "closed": {"M": {"h": {"N": "1800000060.25"}}},
            "created_at": {"N": "1800000000.25"},
            "cursor": {"N": "2"},
            "expires_at": {"N": "1802592000"},
            "fingerprint": {"S": "f"},
            "host_left": {"N": "99"},
            "job": {"S": "job_1"},
            "lease_owner": {"S": "o"},
            "lease_until": {"N": "0"},
            "not_before": {"N": "1800000060.25"},
            "notes": {"B": b"{}"},
            "operation": {"S": "meetings.create"},
            "pace": {"N": "2.5"},
            "principal": {"S": '{"tenant":"acme","subject":"key:k1","scopes":["meetings:write"]}'},
            "reason": {"S": "connection_lost"},
            "request": {"B": b'{"connection":"con_1"}'},
            "rows": {"N": "2"},
            "run": {"N": "1"},
            "seen": {"M": {"errors": {"M": {}}, "failed": {"N": "0"}, "succeeded": {"N": "1"}}},
            "slices": {"N": "1"},
            "started_at": {"N": "1800000000.25"},
            "state": {"S": "paused"},
            "tenant": {"S": "acme"},
            "wake_at": {"N": "1800000000.25"},
        },
        "events acme#job#job_1 row#0000001": {
            "expires_at": {"N": "1802592000"},
            "first_sent": {"N": "1800000000.25"},
            "ids": {"B": b'{"id":"8"}'},
            "state": {"S": "succeeded"},
            "status": {"N": "201"},
            "tries": {"N": "1"},
            "values": {"B": b'{"topic":"A"}'},
        },
        "events acme#job#job_1 row#0000002": {
            "due": {"N": "1800000060.25"},
            "expires_at": {"N": "1802592000"},
            "first_sent": {"N": "1800000000.25"},
            "line": {"N": "3"},
            "state": {"S": "sent"},
            "tries": {"N": "1"},
            "values": {"B": b'{"topic":"B"}'},
        },
        "events acme#jobs 8199999999750#job_1": {"expires_at": {"N": "1802592000"}, "job": {"S": "job_1"}},
        "events jobs.active acme#job_1": {
            "expires_at": {"N": "1802592000"},
            "job": {"S": "job_1"},
            "tenant": {"S": "acme"},
        },
    },
    "the archive": {
        "events acme#archive#rec_0a1b file#f-1": {
            "begins": {"S": "2026-09-21T14:13:20Z"},
            "checked": {"N": "8"},
            "cold_after_days": {"N": "30"},
            "declared": {"N": "100"},
            "ends": {"S": "2026-09-21T14:43:20Z"},
            "etag": {"S": "e"},
            "extension": {"S": "MP4"},
            "file_id": {"S": "f-1"},
            "file_type": {"S": "MP4"},
            "found_at": {"N": "1800000000.25"},
            "host_email": {"S": "jill@zoom.example"},
            "host_id": {"S": "h"},
            "key": {"S": "acme/f-1.mp4"},
            "kind": {"S": "video"},
            "lease_owner": {"S": "o"},
            "lease_until": {"N": "1800000330.25"},
            "moved": {"N": "60"},
            "part_size": {"N": "60"},
            "progress_at": {"N": "1800000000.25"},
            "recording_id": {"S": "rec_0a1b"},
            "recording_type": {"S": "gallery_view"},
            "state": {"S": "moving"},
            "storage_class": {"S": "STANDARD"},
            "tenant": {"S": "acme"},
            "total": {"N": "100"},
            "tries": {"N": "1"},
            "upload_id": {"S": "up"},
        },
        "events acme#archive#rec_0a1b file#f-2": {
            "begins": {"S": "2026-09-21T14:13:20Z"},
            "crc": {"N": "5"},
            "declared": {"N": "100"},
            "ends": {"S": "2026-09-21T14:43:20Z"},
            "extension": {"S": "MP4"},
            "file_id": {"S": "f-2"},
            "file_type": {"S": "CHAT"},
            "finished_at": {"N": "1800000000.25"},
            "found_at": {"N": "1800000000.25"},
            "host_email": {"S": "jill@zoom.example"},
            "host_id": {"S": "h"},
            "key": {"S": "acme/f-2.txt"},
            "kind": {"S": "chat"},
            "reason": {"S": "declared_size"},
            "recording_id": {"S": "rec_0a1b"},
            "recording_type": {"S": "gallery_view"},
            "state": {"S": "doubtful"},
            "storage_class": {"S": "STANDARD"},
            "tenant": {"S": "acme"},
            "total": {"N": "7"},
        },
        "events acme#archive#rec_0a1b recording": {
            "announced": {"S": "d"},
            "begun_ms": {"N": "1790000000123"},
            "bytes": {"N": "7"},
            "connections": {"SS": ["con_1"]},
            "due_at": {"N": "1800000000.25"},
            "duration": {"N": "30"},
            "file_count": {"N": "2"},
            "found_at": {"N": "1800000000.25"},
            "host_email": {"S": "jill@zoom.example"},
            "host_id": {"S": "h"},
            "meeting_id": {"S": "85123456789"},
            "recording_id": {"S": "rec_0a1b"},
            "state": {"S": "moving"},
            "tenant": {"S": "acme"},
            "timezone": {"S": "UTC"},
            "topic": {"S": "Weekly"},
            "type": {"S": "2"},
            "uuid": {"S": "u=="},
            "version": {"N": "1"},
        },
        "events acme#archive-list 1790000000123#rec_0a1b": {
            "begun_ms": {"N": "1790000000123"},
            "bytes": {"N": "7"},
            "connections": {"SS": ["con_1"]},
            "file_count": {"N": "2"},
            "host_email": {"S": "jill@zoom.example"},
            "host_id": {"S": "h"},
            "meeting_id": {"S": "85123456789"},
            "recording_id": {"S": "rec_0a1b"},
            "state": {"S": "moving"},
            "tenant": {"S": "acme"},
            "topic": {"S": "Weekly"},
            "uuid": {"S": "u=="},
        },
        "events acme#archive-policy connection#con_1": {
            "changed_at": {"N": "1800000000.25"},
            "enabled": {"BOOL": False},
            "key_template": {"S": "{year}/{month}/{day}/{topic} {meeting_id} {time}/{type} {id}.{extension}"},
            "kinds": {"S": "video,audio,transcript,captions,chat,timeline,summary,other"},
            "storage_class": {"S": "INTELLIGENT_TIERING"},
        },
        "events acme#archive-policy policy": {
            "changed_at": {"N": "1800000000.25"},
            "delete_after_days": {"N": "7"},
            "enabled": {"BOOL": True},
            "key_template": {"S": "{year}/{month}/{day}/{topic} {meeting_id} {time}/{type} {id}.{extension}"},
            "kinds": {"S": "video,audio,transcript,captions,chat,timeline,summary,other"},
            "retention_days": {"N": "400"},
            "storage_class": {"S": "INTELLIGENT_TIERING"},
            "trash_after_days": {"N": "30"},
        },
        "events archive-agenda 1800000000#acme#rec_0a1b": {"recording_id": {"S": "rec_0a1b"}, "tenant": {"S": "acme"}},
        "events archive-agenda 1800000000#acme#walk": {
            "after": {"S": "0000000000000#rec_0a1b"},
            "recording_id": {"S": "walk"},
            "tenant": {"S": "acme"},
        },
    },
}


@pytest.mark.parametrize("kind", WRITERS)
def test_items_are_stored_as_they_always_were(kind: str) -> None:
    """Table, keys, attribute names, types and values."""
    assert written(WRITERS[kind]) == STORED[kind]


BODY = "eJyrVkpUsjKsrR6lRqlRapQapehDAQDrCZZQ"
RECORD = (
    "eJxdjTEKgDAQBP+ydRoLEXyHXQgS4iGn5iLxsBH/rlEry50Z2AMhiVBQTrKhtWX2FZwB+bwwbYr2wMwy3NI2N9719Z"
    "FIWUa402Dx+pWaVg7/tHui6PNcLiymxEIDTO3ceQHrDyow"
)
SEAL = b"\x01\x00\x07wrapped" + b"n" * 12 + bytes.fromhex("ec53829d65dbeebc227c9a1c0bb89c1e103c84e99cc666c342")
CONTEXT = SealContext("acme", "con_1", SealKind.REFRESH)


def test_a_seal_has_the_bytes_it_always_had() -> None:
    """Version, length and wrapped data key, nonce, ciphertext and tag; and it still opens."""
    made = seal(Secret("the-token"), key=b"k" * 32, wrapped_key=b"wrapped", context=CONTEXT, nonce=b"n" * 12)
    assert made == SEAL
    assert unseal(SEAL, key=b"k" * 32, context=CONTEXT).reveal() == "the-token"


@pytest.mark.parametrize("kind", SealKind)
def test_a_seals_context_has_the_bytes_it_always_had(kind: SealKind) -> None:
    """For KMS and for the token: another byte, and no token of before opens."""
    context = SealContext("acme", "con_1", kind)
    words = {
        SealKind.ACCESS: "access_token",
        SealKind.REFRESH: "refresh_token",
        SealKind.SUBSCRIPTION: "subscription_secret",
    }
    assert context.to_kms() == {"tenant": "acme", "connection": "con_1", "kind": words[kind]}
    assert context.to_bytes() == b'[1,"acme","con_1","%s"]' % words[kind].encode()


NAMES = {
    "an erased person": (of_person("acme", "ada"), "69bc176287286116196514652ebfd75005727790298871f01b35e05c9864bd06"),
    "an erased user": (of_user("App", "ada"), "c5dc3954b84e81497eabce60c7c86e63c918f96e7bd3e0586f9f961ee1c6543f"),
    "an erased tenant": (of_tenant("acme"), "d2e79529ba2c46b2b8496511585b5ed5f3eeba66465b92ce45a2c72344c13bab"),
    "an erased account": (
        of_account("App", "acc-1"),
        "0e3021ef0ad32ca8e573fe80af2c5ce9e911d70087b4ac1d440791df6f0731b0",
    ),
    "a one-time secret": (digest(Secret("ticket")), "14069429150abcbf244c4c2fb2c4c46a49c93ca9457263ecd9ebb176de3a58bb"),
    "a person's erasure": (erasure_id("acme", "ada"), "era_378ee62804d0f493ce25a9a8c4d875b6"),
    "a tenant's erasure": (erasure_id("acme", None), "era_42186f1d6f692520f1eb5fbe25e8d283"),
    "a connection": (connection_id(1_800_000_000.123, 5**30), "con_01mcc5rm3v00s7sckk84cx7dx9"),
    "a key of a create": (
        "key#" + idempotency._digest(["acme", "con_1", "meetings.create", "k"]),
        "key#7af4d952a14f35250db3fcbc3a8a00614db86cc74bc9c54a814541d6b9829f65",
    ),
    "a signing secret": (fingerprint(Secret("hush")), "50e3f516205f"),
    "an event": (event_id(source_of("App"), "acme", "natural:1"), "evt_0d6c028fa68ad509e5a898fc1e6fc187"),
    "events of nobody": (unrouted("App"), "unrouted.App"),
    "what nobody can read": (malformed("App"), "malformed.App"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_are_made_as_they_always_were(kind: str) -> None:
    """Ids and digests by which an older release's items are found."""
    made, stored = NAMES[kind]
    assert made == stored


def test_what_was_deflated_is_read_back() -> None:
    """An entry and a record as they lie in a table, with the bytes of the zlib of then."""
    dynamodb = tables.in_memory()
    entry = STORED["events"]["events acme#event#evt_1 event"]
    deflated = {"deflated": {"BOOL": True}, "body": {"B": b64decode(BODY)}}
    key: Item = {"pk": {"S": "acme#event#evt_1"}, "sk": {"S": "event"}}
    dynamodb.put_item(TableName=tables.EVENTS, Item=key | entry | deflated)
    found = factories.event_log(dynamodb.client(), clock=lambda: NOW).get("acme", "evt_1")
    assert found is not None
    assert (found.content, found.connection_id) == (b'{"a":1}' * 200, "con_1")
    key = {"pk": {"S": "acme#meeting#1"}, "sk": {"S": "definition"}}
    dynamodb.put_item(TableName=tables.EVENTS, Item=key | {"record": {"B": b64decode(RECORD)}, "version": {"N": "1"}})
    (record,) = factories.projections(dynamodb.client()).read("acme", "meeting#1").values()
    assert (record.values, record.connections) == ({"kind": "meeting", "topic": "T"}, frozenset({"con_1"}))
