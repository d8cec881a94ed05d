"""Erasing a person or a tenant, over the tables as the stores write them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.aws_services import FakeSqs
from tests.fakes.connections import START, connection
from tests.fakes.events import logged
from tests.fakes.zoom_oauth import CLIENT_ID
from zoom_common.access.bearers import Bearer, BearerStore
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential, issue
from zoom_common.aws import clients
from zoom_common.aws.table import EVENTS, Table
from zoom_common.connections.link_store import AuthorizationStore, LinkRequest
from zoom_common.connections.model import Kind
from zoom_common.connections.queues import RevokeQueue
from zoom_common.connections.store import ConnectionStore, claim_key, to_values
from zoom_common.connections.tombstones import Tombstones, of_account, of_person, of_tenant, of_user
from zoom_common.erasure.queue import Job, from_message, to_message
from zoom_common.erasure.records import State
from zoom_common.erasure.removal import RECEIPT_READABLE
from zoom_common.erasure.runner import Erasure, receipt
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import Unavailable
from zoom_common.events.log.entries import LogEntry, unrouted
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.record import Change
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.gateway.idempotency_store import IdempotencyStore, StoredAnswer
from zoom_common.gateway.usage import LiveUsage, Usage
from zoom_common.jobs.engine_client import JobFiles
from zoom_common.ratelimit.quotas import DailyStore, user_counter
from zoom_common.secret import Secret
from zoom_common.zoom.events import ZoomEvent

pytestmark = pytest.mark.aws

ADA = ErasureTarget(tenant="acme", zoom_user_ids=frozenset({"ada-id"}), email="ada@example.com")
ACME = ErasureTarget.tenant_as_a_whole("acme")


@dataclass
class Held:
    """Two tenants with a connection, a key, events and projections each."""

    dynamodb: DynamoDBClient
    erasure: Erasure
    table: Table
    queue: FakeSqs
    events: str
    coordination: str
    reported: list[Any]

    def connect(self, tenant: str, name: str, user: str) -> None:
        self.table.put(to_values(connection(tenant=tenant, connection_id=name, zoom_user_id=user, sealed_refresh=b"r")))
        pk, sk = claim_key(CLIENT_ID, user)
        self.table.put({"pk": pk, "sk": sk, "tenant": tenant, "connection_id": name})

    def receive(self, owner: str, number: int, content: dict[str, Any]) -> None:
        entry = LogEntry(
            owner=owner,
            event_id=f"event-{number}",
            key=str(number),
            app=CLIENT_ID,
            type="zoom.meeting.started",
            received_at_ms=int(START * 1000) + number,
            content=json.dumps(content).encode(),
        )
        logged(EventLog(Table(self.dynamodb, self.events, EVENTS), clock=lambda: START), entry)
        event = ZoomEvent("meeting.started", {"event": "meeting.started", "event_ts": 1, "payload": content})
        if "." not in owner:
            ProjectionStore(Table(self.dynamodb, self.events, EVENTS)).apply(
                owner, changes(event), (1, f"event-{number}")
            )

    def left(self, table: str = "") -> list[str]:
        """Everything in the tables, as text, without tombstones and receipts."""
        pages = Table(self.dynamodb, table or self.events).pages("scan")
        found = [item for page in pages for item in page["Items"]]
        return [str(item) for item in found if "erased#" not in str(item) and "#erasures" not in str(item)]


@pytest.fixture
def held(dynamodb: DynamoDBClient, connections_table: str, events_table: str, coordination_table: str) -> Held:
    queue, table, reported = FakeSqs(), Table(dynamodb, connections_table), list[Any]()
    erasure = Erasure(
        dynamodb=dynamodb,
        connections_table=connections_table,
        events_table=events_table,
        coordination_table=coordination_table,
        publish=reported.append,
        revokes=RevokeQueue(queue.client(), "escrow"),
        clock=lambda: START,
        settle_seconds=0,
    )
    made = Held(dynamodb, erasure, table, queue, events_table, coordination_table, reported)
    made.connect("acme", "con_1", "ada-id")
    made.connect("acme", "con_2", "bob-id")
    made.connect("beta", "con_3", "cyd-id")
    for tenant in ("acme", "beta"):
        key = issue(Credential.generate(), tenant=tenant, name="k", scopes=["*"], now=START)
        ApiKeyStore(Table(dynamodb, connections_table)).add(key)
    by_ada = {"object": {"id": "1", "uuid": "u1", "host_id": "ada-id", "topic": "one"}}
    made.receive("acme", 1, by_ada)
    made.receive("acme", 2, {"object": {"id": "2", "uuid": "u2", "host_id": "bob-id", "topic": "two"}})
    big = {"object": {"id": "3", "uuid": "u3", "host_id": "bob-id", "registrant": {"email": "ada@EXAMPLE.com"}}}
    made.receive("acme", 3, big | {"noise": [f"{number:x}" * 5 for number in range(3000)]})
    made.receive("beta", 4, {"object": {"id": "4", "uuid": "u4", "host_id": "cyd-id", "topic": "four"}})
    made.receive(unrouted(CLIENT_ID), 5, by_ada)
    for name in ("con_1", "con_2"):
        Table(dynamodb, events_table).put({"pk": "acme#usage", "sk": f"2027-01-15#{name}#meetings.get", "calls": 3})
    return made


def test_a_person_is_erased_everywhere(held: Held) -> None:
    """Connection, claim, events that name the person by id or e-mail, and what they added up to; nobody else's."""
    receipt = held.erasure.erase(ADA)
    text = "\n".join([*held.left(), *held.left(held.table.name)])
    assert "ada-id" not in text
    assert ConnectionStore(held.table).get("acme", "con_1") is None
    assert ConnectionStore(held.table).by_zoom_user(CLIENT_ID, "ada-id") is None
    log = EventLog(Table(held.dynamodb, held.events, EVENTS), clock=lambda: START)
    assert [log.get("acme", f"event-{number}") is None for number in (1, 2, 3)] == [True, False, True]
    assert log.get(unrouted(CLIENT_ID), "event-5") is None
    assert log.get("beta", "event-4") is not None
    assert ConnectionStore(held.table).get("acme", "con_2") is not None
    assert "event-1" not in text
    assert [name in text for name in ("2027-01-15#con_1#", "2027-01-15#con_2#")] == [False, True]
    assert receipt["deleted"]["connections"] == 1
    assert receipt["deleted"]["events"] == 3
    assert "35 days" in receipt["expires"].values()
    assert "ada" not in json.dumps(receipt).lower()


def test_the_label_of_a_person_goes_with_their_connection(held: Held) -> None:
    """It is nowhere but in the connection's item; other people's labels stay."""
    connections = ConnectionStore(held.table)
    connections.rename("acme", "con_1", "Ada Lovelace (a•••@example.com)")
    connections.rename("acme", "con_2", "Bob (b•••@example.com)")
    held.erasure.erase(ADA)
    text = "\n".join([*held.left(), *held.left(held.table.name)])
    assert [name in text for name in ("Lovelace", "Bob (b")] == [False, True]


def test_what_zoom_refused_a_persons_connection_is_forgotten(held: Held) -> None:
    """Reconciliation notes it by connection; nobody else's note goes."""
    store = ProjectionStore(Table(held.dynamodb, held.events, EVENTS))
    for name in ("con_1", "con_2"):
        store.apply("acme", [Change(f"connection#{name}", "refused#webinars", {"at_ms": 1})], (1, ""))
    held.erasure.erase(ADA)
    assert store.read("acme", "connection#con_1") == {}
    assert store.read("acme", "connection#con_2") != {}


def test_the_grant_is_revoked_and_late_events_are_kept_away(held: Held) -> None:
    """The revocation at Zoom is queued, and tombstones without a name keep late events out."""
    held.erasure.erase(ADA)
    assert [json.loads(body)["action"] for body in held.queue.bodies] == ["revoke"]
    tombstones = Tombstones(held.table)
    assert tombstones.erased_at(of_person("acme", "ada-id")) == START
    assert tombstones.erased_at(of_user(CLIENT_ID, "ada-id")) == START
    assert tombstones.erased_at(of_person("beta", "ada-id")) is None


def test_a_tenant_is_erased_whole(held: Held) -> None:
    """Nothing of it is left but the receipt and the tombstones; the other tenant has everything."""
    before = [each for each in held.left() if "beta#" in each]
    receipt = held.erasure.erase(ACME)
    text = "\n".join([*held.left(), *held.left(held.table.name)])
    assert "acme" not in text
    assert receipt["deleted"]["connections"] == 2
    assert receipt["deleted"]["api_keys"] == 1
    assert [each for each in held.left() if "beta#" in each] == before
    assert len(ApiKeyStore(Table(held.dynamodb, held.table.name)).list("beta")) == 1


def test_a_second_run_finds_nothing(held: Held) -> None:
    """A second run has an empty receipt and queues no second revocation."""
    held.erasure.erase(ADA)
    again = held.erasure.erase(ADA)
    assert not any(again["deleted"].values())
    assert len(held.queue.bodies) == 1


def test_an_interrupted_run_is_run_again(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it stopped at, the next run deletes the rest."""

    def away(*_: object) -> None:
        raise Unavailable(reason="escrow_unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(RevokeQueue, "enqueue", away)
        with pytest.raises(Unavailable):
            held.erasure.erase(ADA)
    assert ConnectionStore(held.table).get("acme", "con_1") is not None
    receipt = held.erasure.erase(replace(ADA))
    assert receipt["deleted"]["connections"] == 1
    assert "ada-id" not in "\n".join([*held.left(), *held.left(held.table.name)])


def remembered(held: Held, tenant: str, name: str, user: str) -> None:
    """What a day in the life of a connection leaves in the Coordination table, as the stores write it."""
    table = Table(held.dynamodb, held.coordination)
    link = LinkRequest(tenant=tenant, subject="key:k", owner="key:k", connection_id=name)
    AuthorizationStore(table, held.table).put_ticket(Secret(f"t-{name}"), link, expires_at=int(START) + 900)
    idempotency, key = IdempotencyStore(table), f"key#{sha256(name.encode()).hexdigest()}"
    idempotency.begin(key, "print", whose=f"{tenant}#{name}", owner="o", now=START, lease_until=START + 9)
    answer = StoredAnswer(201, "application/json", json.dumps({"host_email": f"{user}@example.com"}).encode())
    idempotency.done(key, answer, owner="o", made=f"made#{key}", now=START)
    LiveUsage(table).begin(Usage(date(2027, 1, 15), tenant, name, "meetings.get", 1, 1, 0))()
    DailyStore(table).take(user_counter("zoom-account", user), period=20_000, limit=100, most=5)
    bearers = BearerStore(Table(held.dynamodb, held.coordination))
    bearers.put(Bearer(name.encode() * 8, f"key-of-{tenant}", b"o", START + 3600, name))


def test_what_is_remembered_for_a_while_goes_too(held: Held) -> None:
    """Links, kept answers, bearers, counts: the person's, and nobody else's."""
    for tenant, name, user in (("acme", "con_1", "ada-id"), ("acme", "con_2", "bob-id"), ("beta", "con_3", "cyd-id")):
        remembered(held, tenant, name, user)
    # Digests of what was made stay for their day: they name nobody.
    hers = ("con_1", "ada-id", user_counter("zoom-account", "ada-id"))
    others = [each for each in held.left(held.coordination) if not any(name in each for name in hers)]
    done = held.erasure.erase(ADA)
    assert held.left(held.coordination) == others
    assert (len(others), done["deleted"]["coordination"]) == (13, 5)


def test_an_erased_tenant_keeps_nothing_but_the_receipt(held: Held) -> None:
    """In Coordination as well; the key that asked can read the receipt for a week, and do nothing else."""
    for tenant, name, user in (("acme", "con_1", "ada-id"), ("beta", "con_3", "cyd-id")):
        remembered(held, tenant, name, user)
    keys = ApiKeyStore(Table(held.dynamodb, held.table.name))
    [asking] = keys.list("acme")
    for name in ("con_1", "con_3"):
        item = {"pk": f"bearer#of-{name}", "sk": "bearer", "key_id": asking.key_id if name == "con_1" else "other"}
        Table(held.dynamodb, held.coordination).put(item)
    job = Job(target=ACME, keep_key=asking.key_id, run=held.erasure.begin(ACME).run)
    done = held.erasure.resume(job, should_stop=lambda: False).finished
    assert done is not None
    reported = receipt(done)
    assert "acme" not in json.dumps(reported)
    left = held.left(held.coordination)
    assert not any("acme#" in each or "'acme'" in each or "of-con_1" in each for each in left)
    assert any("of-con_3" in each for each in left)
    [kept] = keys.list("acme")
    assert (kept.scopes, kept.valid_until) == (frozenset({"erasures:read"}), START + RECEIPT_READABLE)
    assert reported["deleted"]["api_keys"] == 0


def test_it_goes_on_from_any_page(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after every page, and the message delivered twice each time: the same end, and nothing counted twice."""
    monkeypatch.setattr("zoom_common.erasure.removal._PAGE", 2)
    remembered(held, "acme", "con_1", "ada-id")
    message = json.dumps(to_message(Job(target=ADA, run=held.erasure.begin(ADA).run)))
    done, steps = None, 0
    while done is None:
        for _ in range(2):
            done = held.erasure.resume(from_message(json.loads(message)), should_stop=lambda: True).finished or done
        steps += 1
    assert steps > 10
    assert (done.state, done.deleted["connections"], done.deleted["events"]) == (State.DONE, 1, 3)
    assert "ada-id" not in "\n".join([*held.left(), *held.left(held.table.name), *held.left(held.coordination)])


def test_a_run_that_died_after_its_connections_finds_their_usage(held: Held) -> None:
    """Connections that are gone by then are in the record, until it is done."""
    job = Job(target=ADA, run=held.erasure.begin(ADA).run)
    while ConnectionStore(held.table).get("acme", "con_1") is not None:
        held.erasure.resume(job, should_stop=lambda: True)
    assert held.erasure.erase(ADA)["deleted"]["usage"] == 1
    record = held.erasure.records.get("acme", job.erasure_id)
    assert record is not None
    assert (record.state, record.connection_ids) == (State.DONE, frozenset())


def test_a_second_look_catches_what_was_under_way(held: Held) -> None:
    """An event that was let in before the tombstone, and written behind the first look; not looked for too early."""
    now = START
    erasure = replace(held.erasure, clock=lambda: now, settle_seconds=300)
    job = Job(target=ADA, run=erasure.begin(ADA).run)
    assert erasure.resume(job, should_stop=lambda: False).wait == 300
    held.receive("acme", 9, {"object": {"id": "9", "uuid": "u9", "host_id": "ada-id", "topic": "late"}})
    now += 100
    assert erasure.resume(job, should_stop=lambda: False).wait == 200
    now += 200
    assert erasure.resume(job, should_stop=lambda: False).finished is not None
    assert "ada-id" not in "\n".join(held.left())


def test_a_line_that_is_written_behind_the_first_look_goes_with_its_event(held: Held) -> None:
    """A line names nobody, so only its event leads there: the first look leaves an event that a worker has claimed."""
    now = START
    erasure = replace(held.erasure, clock=lambda: now, settle_seconds=300)
    log = EventLog(Table(held.dynamodb, held.events, EVENTS), clock=lambda: now)
    content = b'{"object":{"id":"8","host_id":"ada-id"}}'
    claimed = log.admit(LogEntry("acme", "event-8", "8", CLIENT_ID, "zoom.x", int(START * 1000), content=content)).entry
    job = Job(target=ADA, run=erasure.begin(ADA).run)
    erasure.resume(job, should_stop=lambda: False)
    assert claimed
    log.finish(claimed)
    now += 300
    assert erasure.resume(job, should_stop=lambda: False).finished is not None
    assert "event-8" not in "\n".join(held.left())


def test_asking_again_ends_the_run_before(held: Held) -> None:
    """A message of an earlier asking has nothing left to do; the newer one does all of it."""
    first = Job(target=ADA, run=held.erasure.begin(ADA).run)
    second = Job(target=ADA, run=held.erasure.begin(ADA).run)
    ended = held.erasure.resume(first, should_stop=lambda: False)
    assert (ended.finished, ended.wait) == (None, None)
    assert ConnectionStore(held.table).get("acme", "con_1") is not None
    assert held.erasure.resume(second, should_stop=lambda: False).finished is not None


def test_a_message_of_the_version_before_is_understood() -> None:
    """It carries its position, which is not needed, and says that a tenant is meant by naming nobody."""
    former = {"action": "erase", "tenant": "acme", "zoom_user_id": None, "email": None, "keep_key": "k"}
    assert from_message(former | {"stage": "events", "after": ["a", "b"], "again": True}).target == ACME
    assert from_message(former | {"zoom_user_id": "ada-id", "email": "Ada@example.com"}).target == ADA


def test_keys_of_an_erased_connection_go_and_its_end_is_reported(held: Held) -> None:
    """A key of an erased connection is deleted, and subscribers get an event about the erasure."""
    bound = issue(Credential.generate(), tenant="acme", name="k2", scopes=["*"], connection="con_1", now=START)
    keys = ApiKeyStore(Table(held.dynamodb, held.table.name))
    keys.add(bound)
    held.erasure.erase(ADA)
    assert keys.get(bound.key_id) is None
    assert len(keys.list("acme")) == 1
    assert [(each["connection_id"], each["state"], each["reason"]) for each in held.reported] == [
        ("con_1", "disconnected", "erased")
    ]


def test_tombstones_of_a_tenant_and_of_its_whole_account(held: Held) -> None:
    """Tombstones also keep out events of people without a connection, in accounts that were connected as a whole."""
    whole = connection(tenant="acme", connection_id="con_9", kind=Kind.ACCOUNT, zoom_user_id=None)
    held.table.put(to_values(whole))
    held.erasure.erase(ACME)
    tombstones = Tombstones(held.table)
    named = [of_tenant("acme"), of_account(CLIENT_ID, whole.zoom_account_id), of_user(CLIENT_ID, "bob-id")]
    assert [tombstones.erased_at(each) for each in named] == [START] * 3
    assert tombstones.erased_at(of_tenant("beta")) is None


INPUT = b"Name,Mail\r\nAda,ada@example.com\r\nBob,bob@example.com\r\n"
FILES = {
    "inputs/acme/job_1": INPUT,
    "inputs/acme/job_2": b"Name,Mail\r\nBob,bob@example.com\r\n",
    "results/acme/job_3.csv": b"row,join_url\r\n1,https://zoom.us/w/1\r\n",
    "inputs/acme-2/job_4": INPUT,
    "results/acme-2/job_5.csv": b"row\r\n1\r\n",
}


@pytest.fixture(params=[False, True])
def files(held: Held, request: pytest.FixtureRequest) -> Any:
    """A bucket with files of jobs, of which one was sent twice; with versions and without."""
    s3, region = clients.boto3_client("s3"), {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="files", CreateBucketConfiguration=region)  # type: ignore[arg-type] # its literal
    if request.param:
        s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="files", Key="inputs/acme/job_1", Body=INPUT)
    for key, content in FILES.items():
        s3.put_object(Bucket="files", Key=key, Body=content)
    held.erasure = replace(held.erasure, files=JobFiles(s3, "files"))
    return s3


def stored(s3: Any) -> list[tuple[str, bytes]]:
    """Every version there is, with its content."""
    found = s3.list_object_versions(Bucket="files")
    versions = [(each["Key"], each["VersionId"]) for each in found["Versions"]]
    assert not found.get("DeleteMarkers")
    return sorted((key, s3.get_object(Bucket="files", Key=key, VersionId=at)["Body"].read()) for key, at in versions)


def test_files_of_jobs_lose_a_person(held: Held, files: Any) -> None:
    """Results of the tenant go, and rows that name the person, in every version; a dry run counts the same."""
    counted = held.erasure.dry_run(ADA, should_stop=lambda: False)["deleted"]["job_files"]
    assert held.erasure.erase(ADA)["deleted"]["job_files"] == counted
    left = dict(stored(files))
    assert left.keys() == FILES.keys() - {"results/acme/job_3.csv"}
    assert len(left) == len(stored(files))
    assert left.pop("inputs/acme/job_1").decode("utf-8-sig").split() == ['"Name","Mail"', '"Bob","bob@example.com"']
    assert left.items() <= FILES.items()
    assert held.erasure.erase(ADA)["deleted"]["job_files"] == 0


def test_files_of_jobs_go_with_their_tenant(held: Held, files: Any) -> None:
    """In every version; another tenant whose name begins like it keeps its own."""
    counted = held.erasure.dry_run(ACME, should_stop=lambda: False)["deleted"]["job_files"]
    assert held.erasure.erase(ACME)["deleted"]["job_files"] == counted >= 3
    assert stored(files) == sorted((key, content) for key, content in FILES.items() if "acme-2" in key)
