"""The API of subscriptions: from request to answer, with the workers behind it in process."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.handlers import load
from tests.fakes.subscribing import TENANT, World
from zoom_common.access.principal import Principal
from zoom_common.events.log.index import LogIndex
from zoom_common.events.subscriptions.model import State, Status
from zoom_common.events.subscriptions.redelivery import Redelivery
from zoom_common.events.subscriptions.target_client import NoAnswer
from zoom_common.secret import Secret
from zoom_common.wiring.subscriptions import SubscriptionSettings

WRITER = Principal(TENANT, "key:k1", frozenset({"subscriptions:read", "subscriptions:write"}))
HOOK = "https://a.example.com/hook"

type Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def module(world: World, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler's module over the world's stores."""
    found = load("subscriptions")
    settings = SubscriptionSettings.from_env(
        {
            "CONNECTIONS_TABLE": "c",
            "EVENTS_TABLE": "e",
            "COORDINATION_TABLE": "o",
            "DATA_KEY_ID": "k",
            "SUBSCRIPTIONS": "on",
        }
    )
    lines = LogIndex(world.deliveries._table)
    parts = SimpleNamespace(
        store=world.subscriptions,
        deliveries=world.deliveries,
        secrets=world.signing,
        endpoints=SimpleNamespace(addresses=lambda _: ["93.184.216.34"]),
        wakes=world.fan_out._wakes,
        redelivery=Redelivery(deliveries=world.deliveries, log=world.log, lines=lines, clock=lambda: world.now),
    )
    monkeypatch.setattr(found, "settings", lambda: settings)
    monkeypatch.setattr(found, "subscriptions", lambda: parts)
    monkeypatch.setattr(found, "time", SimpleNamespace(time=lambda: world.now))
    return found


@pytest.fixture
def ask(module: ModuleType) -> Ask:
    """Send a request as a principal: status and JSON."""

    def call(
        method: str, path: str, body: Any = None, *, query: str = "", principal: Principal = WRITER
    ) -> tuple[int, Any]:
        text = None if body is None else json.dumps(body)
        answer = module.handler(http_event(method, path, query=query, body=text, principal=principal), LambdaContext())
        return answer["statusCode"], json.loads(answer["body"] or "null")

    return call


def subscribe(ask: Ask, world: World, **more: Any) -> str:
    """Make a subscription, and let it be verified."""
    status, made = ask("POST", "/subscriptions", {"url": HOOK, "types": ["meeting.*"], **more})
    assert status == 201, made
    name: str = made["id"]
    world.secrets_shown[name] = [Secret(made["secret"])]
    found = world.subscriptions.get(TENANT, name)
    assert found is not None
    world.subscriptions.note(found, url=f"{HOOK}?s={name}")  # by which the world knows whose POST it is
    world.pass_time(2)
    assert ask("GET", f"/subscriptions/{name}")[1]["state"] == "active"
    return name


def test_a_url_and_types_are_enough(ask: Ask, world: World) -> None:
    """201 with id, state and secret; verified after a moment; and the secret is shown once."""
    status, made = ask("POST", "/subscriptions", {"url": HOOK, "types": ["meeting.*"]})
    assert status == 201
    assert made["state"] == "pending"
    assert made["secret"].startswith("whsec_")
    assert made["types"] == ["meeting.*"]
    world.pass_time(2)
    status, found = ask("GET", f"/subscriptions/{made['id']}")
    assert (status, found["state"]) == (200, "active")
    assert "secret" not in found
    _, listed = ask("GET", "/subscriptions")
    assert [each["id"] for each in listed["subscriptions"]] == [made["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": HOOK}, "types"),
        ({"url": HOOK, "types": []}, "types"),
        ({"url": HOOK, "types": ["Meeting Started"]}, "types"),
        ({"url": "http://a.example.com/", "types": ["*"]}, "url"),
        ({"url": 7, "types": ["*"]}, "url"),
        ({"queue": "https://example.com/q", "types": ["*"]}, "queue"),
        ({"url": HOOK, "queue": "https://sqs.eu-central-1.amazonaws.com/123456789012/q", "types": ["*"]}, "queue"),
        ({"url": HOOK, "types": ["*"], "filters": {"topic": "x"}}, "filters"),
        ({"url": HOOK, "types": ["*"], "filters": {"meeting": "x"}}, "filters"),
        ({"url": HOOK, "types": ["*"], "filters": {"kind": "call"}}, "filters"),
        ({"url": HOOK, "types": ["*"], "payload": "half"}, "payload"),
        ({"url": HOOK, "types": ["*"], "rate": 0}, "rate"),
        ({"url": HOOK, "types": ["*"], "rate": True}, "rate"),
        ({"url": HOOK, "types": ["*"], "ordered": "yes"}, "ordered"),
        ({"url": HOOK, "types": ["*"], "description": "a\nb"}, "description"),
        ({"url": HOOK, "types": ["*"], "state": "paused"}, "state"),
        ({"url": HOOK, "types": ["*"], "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(ask: Ask, world: World, body: Any, field: str) -> None:
    """With 400 and what to write instead; nothing is made."""
    status, answer = ask("POST", "/subscriptions", body)
    assert status == 400
    assert field in [each["field"] for each in answer["errors"]]
    assert world.subscriptions.list(TENANT) == []


def test_a_name_that_leads_inside_makes_no_subscription(ask: Ask, module: ModuleType) -> None:
    """The answer says so, and nothing of what was found there."""

    def inside(_: Any) -> list[str]:
        raise NoAnswer("refused_address")

    module.subscriptions().endpoints.addresses = inside
    status, answer = ask("POST", "/subscriptions", {"url": HOOK, "types": ["*"]})
    assert (status, answer["errors"][0]["field"]) == (400, "url")


def test_scopes_tenants_and_bound_keys(ask: Ask, world: World) -> None:
    """Reading and writing have a scope each; another tenant's is a 404; a bound key sees its own connection's only."""
    name = subscribe(ask, world)
    reader = Principal(TENANT, "key:k2", frozenset({"subscriptions:read"}))
    stranger = Principal("other", "key:k3", frozenset({"*"}))
    bound = Principal(TENANT, "key:k4", frozenset({"*"}), connection="con_1")
    person = Principal(TENANT, "oidc|ada", frozenset({"subscriptions:read", "subscriptions:write"}))
    assert ask("DELETE", f"/subscriptions/{name}", principal=reader)[0] == 403
    assert ask("GET", f"/subscriptions/{name}", principal=reader)[0] == 200
    assert ask("GET", f"/subscriptions/{name}", principal=stranger)[0] == 404
    assert ask("GET", f"/subscriptions/{name}", principal=bound)[0] == 404
    assert ask("GET", "/subscriptions", principal=person)[0] == 403
    status, made = ask("POST", "/subscriptions", {"url": HOOK, "types": ["*"]}, principal=bound)
    assert (status, made["filters"]) == (201, {"connection": ["con_1"]})
    assert ask("GET", f"/subscriptions/{made['id']}", principal=bound)[0] == 200
    path = f"/subscriptions/{made['id']}"
    narrowed = ask("PATCH", path, {"filters": {"meeting": "7"}}, principal=bound)[1]["filters"]
    assert narrowed == {"meeting": ["7"], "connection": ["con_1"]}
    assert ask("PATCH", path, {"types": ["meeting.*"]}, principal=bound)[1]["filters"] == narrowed
    other = {"url": HOOK, "types": ["*"], "filters": {"connection": "con_2"}}
    assert ask("POST", "/subscriptions", other, principal=bound)[0] == 400


def test_a_stack_without_subscriptions_says_how_to_get_them(
    ask: Ask, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """404 with a reason."""
    monkeypatch.setattr(module, "settings", lambda: SimpleNamespace(enabled=False))
    status, answer = ask("GET", "/subscriptions")
    assert (status, answer["reason"]) == (404, "not_served_here")


def test_deliveries_are_seen_with_their_attempts(ask: Ask, world: World) -> None:
    """Status, duration, and the beginning of the answer; the subscription shows its health."""
    name = subscribe(ask, world)
    world.endpoints["a.example.com"] = lambda _: 500
    event = world.event()
    world.work()
    status, page = ask("GET", f"/subscriptions/{name}/deliveries")
    assert status == 200
    (delivery,) = page["deliveries"]
    assert (delivery["event_id"], delivery["status"]) == (event.id, "retrying")
    assert delivery["attempts"][0] | {"at": ""} == {
        "at": "",
        "duration_ms": 0,
        "status": 500,
        "error": None,
        "answer": "thanks",
    }
    assert ask("GET", f"/subscriptions/{name}/deliveries", query="status=failed")[1]["deliveries"] == []
    assert ask("GET", f"/subscriptions/{name}/deliveries", query="status=lost")[0] == 400
    health = ask("GET", f"/subscriptions/{name}")[1]["health"]
    assert (health["failures"], health["recent"]["retrying"]) == (1, 1)


def test_what_was_asked_for_is_sent_again(ask: Ask, world: World) -> None:
    """One event, what failed, or a span of time; only what the subscription wants."""
    name = subscribe(ask, world)
    wanted, other = world.event(), world.event("recording.completed")
    world.pass_time(30)
    path = f"/subscriptions/{name}/redeliver"
    assert ask("POST", path, {"id": wanted.id}) == (202, {"redelivered": 1, "next_page_token": ""})
    assert ask("POST", path, {"id": other.id})[0] == 404
    assert ask("POST", path, {"id": "evt_1"})[0] == 404
    assert ask("POST", path, {})[0] == 400
    assert ask("POST", path, {"from": "2020-01-01T00:00:00Z"})[1]["redelivered"] == 1
    world.pass_time(5)
    assert [each.event_id for each in world.received[name]] == [wanted.id] * 3
    world.endpoints["a.example.com"] = lambda _: 500
    failed = world.event()
    world.pass_time(2 * 86_400)
    world.endpoints.pop("a.example.com")
    assert ask("POST", path, {"failed": True})[1]["redelivered"] == 1
    world.pass_time(86_400)
    assert failed.id in [each.event_id for each in world.received[name]]
    (found,) = ask("GET", f"/subscriptions/{name}/deliveries", query="page_size=1")[1]["deliveries"]
    assert (found["status"], len(found["attempts"]) > 8) == (Status.DELIVERED, True)


def test_a_test_event_is_sent_whatever_the_filters_are(ask: Ask, world: World) -> None:
    """Signed and recorded like any other."""
    name = subscribe(ask, world, types=["recording.completed"], filters={"meeting": 7})
    status, answer = ask("POST", f"/subscriptions/{name}/test")
    assert status == 202
    world.work()
    (got,) = world.received[name]
    assert (got.event_id, got.event["type"]) == (answer["event_id"], "subscription.test")
    assert world.forged == []


def test_a_rotation_shows_the_new_secret_once(ask: Ask, world: World) -> None:
    """And both sign for as long as was asked."""
    name = subscribe(ask, world)
    status, rotated = ask("POST", f"/subscriptions/{name}/rotate", {"overlap_hours": 1})
    assert status == 200
    world.secrets_shown[name].append(Secret(rotated["secret"]))
    world.event()
    world.work()
    assert len(world.received[name][0].headers["webhook-signature"].split(" ")) == 2
    world.pass_time(3601)
    world.event()
    world.work()
    assert len(world.received[name][1].headers["webhook-signature"].split(" ")) == 1
    assert world.forged == []
    assert ask("POST", f"/subscriptions/{name}/rotate", {"overlap_hours": 1000})[0] == 400


def test_pause_and_resume(ask: Ask, world: World) -> None:
    """By their own addresses, or as a change of `state`; resuming what runs changes nothing."""
    name = subscribe(ask, world)
    assert ask("POST", f"/subscriptions/{name}/pause")[1]["state"] == "paused"
    missed = world.event()
    world.pass_time(120)
    assert world.received[name] == []
    assert ask("PATCH", f"/subscriptions/{name}", {"state": "active"})[1]["state"] == "active"
    world.pass_time(120)
    assert [each.event_id for each in world.received[name]] == [missed.id]
    assert ask("POST", f"/subscriptions/{name}/resume")[1]["state"] == "active"
    assert ask("POST", f"/subscriptions/{name}/verify")[0] == 409


def test_a_new_url_has_to_be_verified(ask: Ask, world: World) -> None:
    """It gets nothing before it is, and then what came meanwhile."""
    name = subscribe(ask, world)
    world.challenged = False
    status, changed = ask("PATCH", f"/subscriptions/{name}", {"url": f"https://b.example.com/?s={name}"})
    assert (status, changed["state"]) == (200, "pending")
    missed = world.event()
    world.pass_time(120)
    assert world.received[name] == []
    assert ask("POST", f"/subscriptions/{name}/pause")[0] == 409
    assert ask("POST", f"/subscriptions/{name}/test")[0] == 409
    world.challenged = True
    assert ask("POST", f"/subscriptions/{name}/verify")[0] == 202
    world.pass_time(120)
    assert [each.event_id for each in world.received[name]] == [missed.id]
    found = ask("GET", f"/subscriptions/{name}")[1]
    assert (found["state"], found["verification"]["answer"]) == ("active", "")


def test_the_order_can_be_asked_for_later(ask: Ask, world: World) -> None:
    """And given up; no event is lost on the way."""
    name = subscribe(ask, world)
    events = [world.event()]
    world.pass_time(5)
    assert ask("PATCH", f"/subscriptions/{name}", {"ordered": True, "description": "Orders."})[1]["ordered"] is True
    events.append(world.event())
    world.pass_time(60)
    assert ask("PATCH", f"/subscriptions/{name}", {"ordered": False})[1]["ordered"] is False
    events.append(world.event())
    world.pass_time(120)
    assert {each.event_id for each in world.received[name]} == {each.id for each in events}


def test_a_deleted_subscription_is_gone(ask: Ask, world: World) -> None:
    """204, then 404, and no more events."""
    name = subscribe(ask, world)
    assert ask("DELETE", f"/subscriptions/{name}") == (204, None)
    assert ask("GET", f"/subscriptions/{name}")[0] == 404
    assert ask("DELETE", f"/subscriptions/{name}")[0] == 404
    world.event()
    world.pass_time(120)
    assert world.received[name] == []


def test_a_tenant_has_a_hundred_at_most(ask: Ask, world: World) -> None:
    """One more is a conflict."""
    for _ in range(100):
        world.subscribe("a.example.com", state=State.PAUSED)
    status, answer = ask("POST", "/subscriptions", {"url": HOOK, "types": ["*"]})
    assert (status, answer["reason"]) == (409, "too_many_subscriptions")
