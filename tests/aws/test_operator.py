"""`/operator`, from event to answer, over moto: who may look, what is shown and what never is, and what changes."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from logging.handlers import BufferingHandler
from typing import Any

import pytest

from tests.fakes.connections import connection
from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.events import logged
from tests.fakes.own_site import KEY, MODULES, TENANT, fill, own_site
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential, issue
from zoom_common.access.principal import EVERY_SCOPE, SCOPES, Principal
from zoom_common.aws import clients
from zoom_common.aws.table import Table
from zoom_common.connections.model import State
from zoom_common.connections.store import to_values
from zoom_common.daily_counts import DELIVERIES, DUPLICATES, REFRESHES, DailyCounts
from zoom_common.events.log.entries import LogEntry, malformed, unrouted
from zoom_common.events.log.store import EventLog
from zoom_common.events.webhook.status import WebhookStatusStore
from zoom_common.gateway.usage import KeptUsage, LiveUsage, Usage, day_of
from zoom_common.observability import logger
from zoom_common.ratelimit.quotas import DAY, DailyStore
from zoom_common.ratelimit.slots import MICROSECONDS, Bucket, SlotStore

pytestmark = pytest.mark.aws
OPERATOR = Principal("nobody", "key:operator", frozenset({"operator:read", "operator:write"}))
READER = Principal("nobody", "key:reader", frozenset({"operator:read"}))
PATHS = ["connections", "calls", "events", "refreshes", "webhooks", "keys", "dead-letters", "dead-letters/escrow"]
CHANGES = [
    ("PATCH", f"keys/{KEY.key_id}", {"requests_per_minute": 5}),
    ("POST", f"keys/{KEY.key_id}/revoke", {}),
    ("POST", "dead-letters/escrow/redrive", {"all": True}),
    ("POST", "dead-letters/escrow/discard", {"all": True, "reason": "tried"}),
]


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    """A stack with one tenant's key, connections and events."""
    with own_site():
        fill()
        yield


def ask(
    path: str, query: str = "", *, method: str = "GET", body: Any = None, principal: Principal | None = OPERATOR
) -> tuple[int, dict[str, Any]]:
    sent = None if body is None else json.dumps(body)
    event = http_event(method, f"/operator/{path}", query=query, body=sent, principal=principal)
    answer = MODULES["operator"].handler(event, LambdaContext())
    return answer["statusCode"], json.loads(answer["body"])


def table(name: str) -> Table:
    return Table(clients.boto3_client("dynamodb"), name)


def dead_letter(body: str = '{"action":"restore","connection_id":"con_1","sealed":"SEAL"}') -> str:
    sqs = clients.boto3_client("sqs")
    url = sqs.get_queue_url(QueueName="escrow-dead")["QueueUrl"]
    return sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]


def bodies(queue: str) -> list[str]:
    sqs = clients.boto3_client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [each["Body"] for each in found]


@pytest.mark.parametrize("path", PATHS)
def test_only_an_operators_scope_lets_in(path: str) -> None:
    """Every other scope together does not, and neither does the star."""
    for scopes in (frozenset({EVERY_SCOPE}), SCOPES - {"operator:read"}, frozenset[str]()):
        status, answer = ask(path, principal=Principal(TENANT, "key:k", scopes))
        assert (status, answer["reason"]) == (403, "missing_scope")
    assert ask(path, principal=None)[0] == 401
    assert ask(path, principal=READER)[0] == 200


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_who_may_only_look_changes_nothing(method: str, path: str, body: Any) -> None:
    """The star does not help either."""
    name = dead_letter()
    for scopes in (READER.scopes, frozenset({EVERY_SCOPE, "operator:read"})):
        status, answer = ask(path, method=method, body=body, principal=Principal(TENANT, "key:k", scopes))
        assert (status, answer["reason"]) == (403, "missing_scope")
    _, listed = ask("dead-letters/escrow")
    assert [each["id"] for each in listed["messages"]] == [name]
    key = ApiKeyStore(table("connections")).get(KEY.key_id)
    assert key is not None
    assert (key.revoked_at, key.requests_per_minute) == (None, None)


def test_connections_of_every_tenant_are_listed_with_what_to_do() -> None:
    """Connections that need action come first, page by page, and by state on request."""
    for name, state, reason in (
        ("con_9", State.REAUTHORIZATION_REQUIRED, "invalid_grant"),
        ("con_8", State.REFRESH_FAILING, "zoom_error"),
    ):
        made = replace(connection(connection_id=name, state=state), tenant="other", reason=reason)
        table("connections").put(to_values(made))
    status, answer = ask("connections", "page_size=1")
    assert (status, answer["complete"], answer["tenants"]) == (200, True, 2)
    assert (answer["states"]["connected"], answer["states"]["reauthorization_required"]) == (2, 1)
    (first,) = answer["connections"]
    assert (first["id"], first["tenant"], first["reason"]) == ("con_9", "other", "invalid_grant")
    assert "connect Zoom again" in first["advice"]
    _, following = ask("connections", f"page_size=2&next_page_token={answer['next_page_token']}")
    assert [each["id"] for each in following["connections"]] == ["con_8", "con_1"]
    _, chosen = ask("connections", "state=refresh_failing")
    assert ([each["id"] for each in chosen["connections"]], chosen["next_page_token"]) == (["con_8"], "")


def test_nothing_that_names_a_person_is_shown() -> None:
    """No address, owner, label, seal, digest or body: in none of the answers."""
    made = replace(
        connection(connection_id="con_7", state=State.REFRESH_FAILING, sealed_access=b"SEALED-TOKEN"),
        owner="ada@example.com",
        label="Ada Lovelace (a•••@example.com)",
        zoom_user_id="zoom-user-of-ada",
    )
    table("connections").put(to_values(made))
    named = issue(Credential.generate(), tenant="other", name="for ada@example.com", scopes=["users:read"], now=1.0)
    ApiKeyStore(table("connections")).add(named)
    dead_letter('{"event":"user.created","subject":"users/ada@example.com","payload":{"topic":"secret plan"}}')
    said = "".join(json.dumps(ask(path)[1], ensure_ascii=False) for path in PATHS)
    for hidden in ("ada@", "Ada", "zoom-user-of-ada", "SEAL", "digest", "secret plan", "owner", KEY.secret.reveal()):
        assert hidden not in said
    assert "for a•••@example.com" in said


def test_calls_are_recognized_by_day_operation_and_outcome() -> None:
    """Of all tenants, today and before, live and rolled up; with what is left of the day."""
    today = day_of(time.time())
    live, kept = LiveUsage(table("coordination")), KeptUsage(table("events"), retention_days=400)
    live.begin(Usage(today, TENANT, "con_1", "meetings.get", 10, 12, 4, limited=2, failed=1))()
    live.begin(Usage(today, "other", "con_9", "meetings.get", 1, 1, 0))()
    live.begin(Usage(today - timedelta(days=1), TENANT, "con_1", "users.get", 2, 2, 0))()
    kept.keep(Usage(today - timedelta(days=20), TENANT, "con_1", "users.get", 7, 7, 7))
    period = int(time.time() // DAY)
    DailyStore(table("coordination")).take("zoom-account#costly", period=period, limit=30_000, most=300)
    until = int((time.time() + 600) * MICROSECONDS)
    SlotStore(table("coordination")).close("zoom-account", "Heavy", Bucket("all", 1), until=until, reason="daily_limit")
    status, answer = ask("calls")
    assert (status, answer["complete"], len(answer["days"])) == (200, True, 7)
    numbers = {"calls": 11, "requests": 13, "ok": 7, "refused": 1, "limited": 2, "failed": 1}
    assert answer["days"][-1] == {"date": today.isoformat(), **numbers}
    assert answer["days"][-2]["calls"] == 2
    assert answer["operations"][0] == {"operation": "meetings.get", **numbers}
    (budget,) = answer["budgets"]["daily"]
    assert (budget["zoom_account_id"], budget["used"]) == ("zoom-account", 300)
    assert budget["left"] == budget["calls"] - 300
    (closed,) = answer["budgets"]["closed"]
    assert (closed["label"], closed["reason"]) == ("heavy", "daily_limit")
    _, month = ask("calls", "days=31")
    assert month["days"][10] == {
        "date": (today - timedelta(days=20)).isoformat(),
        "calls": 7,
        "requests": 7,
        "ok": 0,
        "refused": 7,
        "limited": 0,
        "failed": 0,
    }


def test_events_are_counted_by_day_and_type_with_what_belongs_to_nobody() -> None:
    """Duplicates and deliveries come from the counts of the day."""
    log, now_ms = EventLog(table("events"), clock=time.time), int(time.time() * 1000)
    for number, (owner, kind) in enumerate(
        ((unrouted("app"), "zoom.meeting.started"), (malformed("app"), "malformed"), (TENANT, "zoom.meeting.ended"))
    ):
        name = f"evt_{number:032x}"
        logged(log, LogEntry(owner=owner, event_id=name, key=name, app="app", type=kind, received_at_ms=now_ms))
    counts = DailyCounts(table=table("coordination"), clock=time.time)
    counts.add(*DUPLICATES, 5)
    counts.add(DELIVERIES, "failed", 2)
    counts.write()
    WebhookStatusStore(table("coordination"), time.time).verified("app", time.time())
    status, answer = ask("events", "days=2")
    assert (status, answer["complete"]) == (200, True)
    today = dict(answer["days"][-1])
    del today["date"]
    assert today == {"published": 3, "unrouted": 1, "malformed": 1, "duplicates": 5}
    assert answer["types"] == [
        {"type": "meeting.updated", "events": 2, "by_day": [0, 2]},
        {"type": "meeting.ended", "events": 1, "by_day": [0, 1]},
    ]
    assert answer["deliveries"][-1]["failed"] == 2


def test_refreshes_are_counted_by_outcome_beside_those_that_fail_now() -> None:
    """The answer also says when the sweep never ran."""
    table("connections").put(to_values(connection(connection_id="con_8", state=State.REFRESH_FAILING)))
    counts = DailyCounts(table=table("coordination"), clock=time.time)
    counts.add(REFRESHES, "refreshed", 40)
    counts.add(REFRESHES, "refresh_failing", 2)
    counts.write()
    status, answer = ask("refreshes")
    assert (status, answer["failing"], answer["sweep_age_seconds"]) == (200, 1, None)
    assert (answer["days"][-1]["refreshed"], answer["days"][-1]["refresh_failing"]) == (40, 2)
    assert [each["id"] for each in answer["connections"]] == ["con_8"]


def test_webhooks_are_described_by_app() -> None:
    """When the last delivery was verified, and each secret by its fingerprint."""
    store, now = WebhookStatusStore(table("coordination"), time.time), time.time()
    store.verified("app", now - 90)
    store.remember_secrets("app", {"abc": now - 3600})
    status, answer = ask("webhooks")
    (app,) = answer["apps"]
    assert (status, app["zoom_client_id"], app["challenge_overdue"]) == (200, "app", False)
    assert app["last_verified_age_seconds"] >= 90
    assert [each["fingerprint"] for each in app["secrets"]] == ["abc"]


def test_a_key_is_limited_and_revoked_and_the_list_says_so_at_once() -> None:
    """Null gives it the gateway's default again; a key that is not there is a 404."""
    path = f"keys/{KEY.key_id}"
    assert ask("keys")[1]["states"] == {"active": 1, "expired": 0, "revoked": 0}
    assert ask(path, method="PATCH", body={"requests_per_minute": 5})[1]["requests_per_minute"] == 5
    assert ask("keys")[1]["limited"] == 1
    assert ask(path, method="PATCH", body={"requests_per_minute": None})[1]["requests_per_minute"] is None
    status, answer = ask(f"{path}/revoke", method="POST", body={})
    assert (status, answer["state"]) == (200, "revoked")
    listed = ask("keys", "days=2")[1]
    assert listed["states"]["revoked"] == 1
    assert sum(day["revoked"] for day in listed["days"]) == sum(day["made"] for day in listed["days"]) == 1
    assert ask("keys/aaaaaaaaaaaa/revoke", method="POST", body={})[0] == 404
    assert ask("keys/no-key", method="PATCH", body={"requests_per_minute": 5})[0] == 404


def test_dead_letters_go_back_or_away_and_others_stay() -> None:
    """A redriven message is unchanged, a discarded one needs a reason, and the others can be listed again at once."""
    first, second, third = (dead_letter(f'{{"action":"revoke","connection_id":"con_{n}"}}') for n in range(3))
    assert ask("dead-letters")[1]["queues"] == [{"queue": "escrow", "dead_letters": 3, "waiting": 0}]
    _, listed = ask("dead-letters/escrow")
    assert {each["id"] for each in listed["messages"]} == {first, second, third}
    assert {each["connection_id"] for each in listed["messages"]} == {"con_0", "con_1", "con_2"}
    redriven = ask("dead-letters/escrow/redrive", method="POST", body={"ids": [first, "gone"]})
    assert redriven == (200, {"queue": "escrow", "done": 1, "not_found": ["gone"], "left": 2})
    assert bodies("escrow") == ['{"action":"revoke","connection_id":"con_0"}']
    away = {"ids": [second], "reason": "the connection is gone"}
    assert ask("dead-letters/escrow/discard", method="POST", body=away)[1]["done"] == 1
    assert ask("dead-letters/escrow/redrive", method="POST", body={"all": True})[1]["done"] == 1
    assert bodies("escrow-dead") == []


@pytest.fixture
def log_lines() -> Iterator[list[logging.LogRecord]]:
    """What is logged. `caplog` may not see it: Powertools hides its lines from handlers that the root logger has."""
    kept, log = BufferingHandler(capacity=1000), logging.getLogger(logger().name)
    log.addHandler(kept)
    yield kept.buffer
    log.removeHandler(kept)


def test_what_an_operator_moved_is_in_the_log_without_addresses(log_lines: list[logging.LogRecord]) -> None:
    """The log line says who did what and why, without addresses."""
    name = dead_letter('{"event":"x","payload":"private"}')
    ask("dead-letters/escrow/discard", method="POST", body={"ids": [name], "reason": "for ada@example.com"})
    (line,) = (vars(each) for each in log_lines if each.getMessage() == "operator moved a dead letter")
    assert (line["action"], line["queue"], line["id"], line["by"]) == ("discard", "escrow", name, "key:operator")
    assert line["reason"] == "for a•••@example.com"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "dead-letters/escrow/redrive", {}, "ids"),
        ("POST", "dead-letters/escrow/redrive", {"all": False}, "ids"),
        ("POST", "dead-letters/escrow/redrive", {"all": True, "ids": ["a"]}, "ids"),
        ("POST", "dead-letters/escrow/redrive", {"ids": []}, "ids"),
        ("POST", "dead-letters/escrow/redrive", {"ids": ["a b"]}, "ids"),
        ("POST", "dead-letters/escrow/redrive", {"ids": ["a"], "reason": "r"}, "reason"),
        ("POST", "dead-letters/escrow/discard", {"all": True}, "reason"),
        ("POST", "dead-letters/escrow/discard", {"all": True, "reason": " "}, "reason"),
        ("PATCH", f"keys/{KEY.key_id}", {}, "requests_per_minute"),
        ("PATCH", f"keys/{KEY.key_id}", {"requests_per_minute": 0}, "requests_per_minute"),
        ("PATCH", f"keys/{KEY.key_id}", {"requests_per_minute": True}, "requests_per_minute"),
        ("PATCH", f"keys/{KEY.key_id}", {"scopes": ["*"]}, "scopes"),
        ("GET", "calls", None, "days"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name_and_changes_nothing(
    method: str, path: str, body: Any, field: str
) -> None:
    """A bad request is refused in Zoom's shape, naming the field."""
    name = dead_letter()
    status, answer = ask(path, "days=32" if method == "GET" else "", method=method, body=body)
    assert (status, answer["code"], [each["field"] for each in answer["errors"]]) == (400, 300, [field])
    assert [each["id"] for each in ask("dead-letters/escrow")[1]["messages"]] == [name]


def test_an_unknown_queue_names_those_that_exist() -> None:
    """404, before anything is received."""
    status, answer = ask("dead-letters/nonsense")
    assert (status, answer["reason"]) == (404, "queue_unknown")
    assert "escrow" in answer["message"]
