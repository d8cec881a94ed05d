"""`make check`, line by line, over a stack and a Zoom of canned answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ops import check
from ops.check import FAILED, OK, SKIPPED, Line, Target
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import Claim, Rejected, SigningSecret, answer_challenge

SECRET, KEY = "the-secret", "zgw_key"


class Stack:
    """What is asked of AWS: two secrets, three schedules, heartbeats, queues and alarms."""

    name = "zoom-gateway-prod"

    def __init__(self, **changes: Any) -> None:
        self.state = "ENABLED"
        self.age = 60.0
        self.messages = {"IngestDeadLetterQueue": "0"}
        self.ringing: list[str] = []
        for name, value in changes.items():
            setattr(self, name, value)

    def client(self, _service: str) -> Any:
        return self

    def resource(self, logical_id: str) -> str:
        return logical_id

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        secrets = {
            "ZoomWebhookSecret": {"apps": [{"app": "a", "secrets": [{"secret": "old"}, {"secret": SECRET}]}]},
            "ZoomAppSecret": {"client_id": "a", "client_secret": "b"},
        }
        return {"SecretString": json.dumps(secrets[SecretId])}

    def get_schedule(self, **_: str) -> dict[str, str]:
        return {"State": self.state}

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": {"at": {"N": str(time.time() - self.age)}}} if self.age else {}

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"Attributes": {"ApproximateNumberOfMessages": self.messages.get(QueueUrl, "0")}}

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"MetricAlarms": [{"AlarmName": name} for name in self.ringing]}]


def delivered(request: httpx.Request) -> httpx.Response:
    """The webhook, with the real verification."""
    try:
        claim = Claim.from_headers(request.headers, now=time.time())
        secret = claim.verify(request.content, [SigningSecret("a", Secret(SECRET))])
    except Rejected:
        return httpx.Response(401)
    return httpx.Response(200, json=answer_challenge(json.loads(request.content)["payload"], secret))


def authorize(request: httpx.Request) -> httpx.Response:
    known = request.url.params["redirect_uri"] == "https://api.example/auth/zoom/callback"
    return httpx.Response(200, text="sign in" if known else "Invalid redirect: x (4700)")


OPEN: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "/hook": delivered,
    "/health": lambda _: httpx.Response(200),
    "/zoom/authorize": authorize,
    "/zoom/token": lambda _: httpx.Response(200, json={"access_token": "t"}),
    "/v2/marketplace/app/event_subscription": lambda _: httpx.Response(200, json={"event_subscriptions": []}),
}


def world(request: httpx.Request) -> httpx.Response:
    """A gateway and a Zoom that are as they should be."""
    if request.url.path in OPEN:
        return OPEN[request.url.path](request)
    if request.headers.get("authorization") != f"Bearer {KEY}":
        return httpx.Response(401)
    connections = [{"id": "con_1", "scopes": ["user:read"]}]
    return httpx.Response(200, json={"connections": connections, "checks": {"data_key": {"status": "ok"}}})


def lines(stack: Stack, *, answer: Any = world, key: str = KEY, redirect: str = "/auth/zoom/callback") -> list[Line]:
    target = Target(
        stack,  # type: ignore[arg-type] # as much of a stack as is asked
        "https://api.example",
        "https://url.example/hook",
        f"https://api.example{redirect}",
        "https://zoom.example/v2",
        "https://zoom.example/zoom",
        key,
    )
    target.__dict__["http"] = httpx.Client(transport=httpx.MockTransport(answer))
    return list(check.look(target))


def of(found: list[Line], status: str) -> list[str]:
    return [line.what for line in found if line.status == status]


def test_a_stack_that_is_fine_has_no_failed_line() -> None:
    """Zoom shows no subscription that was made on the app's page: that line says where to look."""
    found = lines(Stack())
    assert of(found, FAILED) == []
    assert of(found, SKIPPED) == ["the app's event subscription"]
    assert len(of(found, OK)) >= 15


@pytest.mark.parametrize(
    ("stack", "what"),
    [
        (Stack(state="DISABLED"), "SweepSchedule is on"),
        (Stack(age=90_000.0), "the sweep ran"),
        (Stack(age=0), "the rollup ran"),
        (Stack(messages={"IngestDeadLetterQueue": "3"}), "ingest: no dead letters, 0 waiting"),
        (Stack(ringing=["zoom-gateway-prod-DeniedAlarm-1", "another"]), "no alarm rings"),
    ],
    ids=["schedule", "sweep", "rollup", "dead letters", "alarm"],
)
def test_what_is_wrong_inside_is_named_with_its_fix(stack: Stack, what: str) -> None:
    """Each in a line of its own."""
    (line, *_) = [each for each in lines(stack) if each.what == what]
    assert line.status == FAILED
    assert len(line.fix) > 20


def test_a_wrong_redirect_and_a_wrong_key_are_named() -> None:
    """What Zoom's page says, and what the gateway says to the key."""
    assert of(lines(Stack(), redirect="/elsewhere"), FAILED) == ["Zoom knows the redirect URI"]
    assert "the API key works" in of(lines(Stack(), key="wrong"), FAILED)
    assert "the API key" in of(lines(Stack(), key=""), SKIPPED)


def test_a_page_that_asks_to_sign_in_says_nothing() -> None:
    """Then a person has to look."""

    def asks(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/zoom/authorize":
            return httpx.Response(302, headers={"location": "https://zoom.example/signin"})
        return world(request)

    assert "the redirect URI at Zoom" in of(lines(Stack(), answer=asks), SKIPPED)


def test_a_gateway_that_lets_strangers_in_is_named() -> None:
    """Every route that does not refuse, and a webhook that takes any signature."""
    found = lines(Stack(), answer=lambda _request: httpx.Response(200, json={}))
    failed = of(found, FAILED)
    assert "the webhook's address refuses a stranger" in failed
    assert f"{len(check.GUARDED)} routes refuse a stranger" in failed


def test_what_cannot_be_reached_is_a_line_and_not_the_end() -> None:
    """The other checks are made all the same."""

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    found = lines(Stack(), answer=away)
    assert {"looking at webhook", "looking at routes", "looking at zoom"} <= set(of(found, FAILED))
    assert "no alarm rings" in of(found, OK)
