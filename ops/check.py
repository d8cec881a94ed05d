"""`make check STAGE=prod`: checks a deployed stack from outside and inside. Each line that is not ok says what to do.

Outside: the webhook's address answers a signed challenge and refuses others, so do the API's routes, the key works.
Inside: the schedules ran, dead-letter queues are empty, no alarm is on. At Zoom, as far as Zoom shows an app its own
settings: client id and secret, the redirect URI, event subscriptions made by API, and the scopes of connections.
Nothing is changed, except that the challenge is counted as one of Zoom's.

https://developers.zoom.us/docs/integrations/oauth/ : authorize page and grant types
https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint : the challenge
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import secrets
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from ops.console import say
from ops.deploy import STAGES
from ops.deployed import Deployed, add_arguments, deployed
from ops.key_table import NoStack, local_stack
from ops.project import ROOT
from zoom_common.console.dead_letters import QUEUES

OK, FAILED, SKIPPED = "ok", "FAILED", "skipped"
# Each needs a key. Without one, the API or the authorizer answers 401.
GUARDED = ("/v2/users/me", "/connections", "/events", "/usage", "/webhooks", "/erasures", "/health/deep")
LONGEST_SILENCE = {"sweep": 3600.0, "rollup": 26 * 3600.0}
"""Seconds after which background work counts as missed, as in the alarms."""
_UNAUTHORIZED = 401
_SUCCESS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """The result of one check. `fix` says what to do when it is not as it should be."""

    status: str
    what: str
    fix: str = ""

    def text(self) -> str:
        """Return the line as it is printed."""
        return f"{self.status:8}{self.what}" + (f"\n        {self.fix}" if self.fix else "")


def judged(fine: object, what: str, fix: str) -> Line:
    """Return a line that is ok, or failed with its fix."""
    return Line(OK, what) if fine else Line(FAILED, what, fix)


@dataclass(frozen=True)
class Target:
    """A stack and its public addresses."""

    stack: Deployed
    api_url: str
    webhook_url: str
    redirect_uri: str
    zoom_api: str
    zoom_oauth: str
    key: str = field(default="", repr=False)

    @cached_property
    def http(self) -> httpx.Client:
        """Return a client that follows no redirects, because the first answer is what is checked."""
        return httpx.Client(timeout=30, follow_redirects=False)

    def secret(self, name: str) -> dict[str, Any]:
        """Return the contents of one of the stack's secrets."""
        found = self.stack.client("secretsmanager").get_secret_value(SecretId=self.stack.resource(name))
        contents: dict[str, Any] = json.loads(found["SecretString"])
        return contents


def webhook(target: Target) -> Iterator[Line]:
    """Check the address that Zoom delivers to: with a challenge signed with the secret, and one signed with another."""
    own = [s["secret"] for app in target.secret("ZoomWebhookSecret")["apps"] for s in app["secrets"]]
    answer = _challenge(target, own[-1])
    expected = hmac.new(own[-1].encode(), b"check", hashlib.sha256).hexdigest()
    right = answer.status_code == _SUCCESS and answer.json().get("encryptedToken") == expected
    yield judged(
        right,
        "the webhook's address answers a signed challenge",
        f"{target.webhook_url} answered {answer.status_code}. Look at webhook's log (saved query failures); the secret "
        "token must be the one of the app's event subscription (docs/runbook.md, rotate the webhook secret token).",
    )
    refused = _challenge(target, secrets.token_hex(16)).status_code
    yield judged(
        refused == _UNAUTHORIZED,
        "the webhook's address refuses a stranger",
        f"It answered {refused} to a wrong signature instead of 401: is another program behind this address?",
    )


def routes(target: Target) -> Iterator[Line]:
    """Check the API: open routes answer, all others refuse requests without a key."""
    healthy = target.http.get(f"{target.api_url}/health").status_code
    yield judged(
        healthy == _SUCCESS,
        "the API answers /health",
        f"{target.api_url}/health answered {healthy}. Look at health's log; with CustomDomain, at its DNS record.",
    )
    open_ones = [
        path
        for path in GUARDED
        for headers in ({}, {"authorization": "Bearer nobody"})
        if target.http.get(target.api_url + path, headers=headers).status_code != _UNAUTHORIZED
    ]
    yield judged(
        not open_ones,
        f"{len(GUARDED)} routes refuse a stranger",
        f"{', '.join(dict.fromkeys(open_ones))} did not answer 401. Look at the authorizer's log before anything else.",
    )


def key(target: Target) -> Iterator[Line]:
    """Check the API key, and the gateway's own health report for callers with `health:read`."""
    if not target.key:
        yield Line(SKIPPED, "the API key", 'Give one with ARGS="--key zgw_..." (make api-key makes it).')
        return
    answer = target.http.get(f"{target.api_url}/health/deep", headers={"authorization": f"Bearer {target.key}"})
    if answer.status_code in {_UNAUTHORIZED, 403}:
        yield Line(
            FAILED, "the API key works", "It is refused or lacks the scope health:read (make api-key ARGS=list)."
        )
        return
    yield Line(OK, "the API key works")
    found = answer.json().get("checks", {})
    # Queues and background work are checked below.
    poor = [name for name, each in found.items() if each["status"] == "failing" and not name.startswith("queue_")]
    yield judged(
        found and not poor,
        "tables, key and Zoom are within the gateway's reach",
        f"GET /health/deep says no of {', '.join(poor) or 'everything'}: docs/runbook.md has each.",
    )


def background(target: Target) -> Iterator[Line]:
    """Check that schedules are on, and that what they start ran not long ago."""
    for schedule in ("SweepSchedule", "ReconcileRound", "RollupSchedule"):
        state = target.stack.client("scheduler").get_schedule(Name=target.stack.resource(schedule))["State"]
        yield judged(state == "ENABLED", f"{schedule} is on", f"It is {state}: deploy again, or switch it on.")
    table = target.stack.resource("CoordinationTable")
    for name, longest in LONGEST_SILENCE.items():
        where = {"pk": {"S": f"heartbeat#{name}"}, "sk": {"S": "heartbeat"}}
        item = target.stack.client("dynamodb").get_item(TableName=table, Key=where).get("Item")
        age = time.time() - float(item["at"]["N"]) if item else None
        yield judged(
            age is not None and age <= longest,
            f"the {name} ran",
            f"{'It never ran' if age is None else f'It ran {age:.0f} s ago'}. Invoke it by hand (docs/runbook.md), "
            "then look at its log.",
        )


def queues(target: Target) -> Iterator[Line]:
    """Check that dead-letter queues are empty, and that nothing waits."""
    sqs = target.stack.client("sqs")
    for name, pair in QUEUES.items():
        waiting, dead = (_messages(sqs, target.stack.resource(each)) for each in pair)
        yield judged(
            not dead,
            f"{name}: no dead letters, {waiting} waiting",
            f'{dead} dead letters: make dlq ARGS="show {name}", and docs/runbook.md under the queue\'s name.',
        )


def alarms(target: Target) -> Iterator[Line]:
    """Check that no alarm of the stack is on."""
    pages = target.stack.client("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM")
    ringing = {each["AlarmName"] for page in pages for each in page["MetricAlarms"]}
    own = sorted(name for name in ringing if name.startswith(f"{target.stack.name}-"))
    yield judged(not own, "no alarm rings", f"{', '.join(own)}: docs/runbook.md has each by its name.")


def zoom(target: Target) -> Iterator[Line]:
    """Check the Zoom app: its credentials, its redirect URI, and the subscriptions that Zoom's API shows."""
    app = target.secret("ZoomAppSecret")
    asked = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": target.redirect_uri}
    page = target.http.get(f"{target.zoom_oauth}/authorize", params=asked)
    if page.is_redirect:
        yield Line(
            SKIPPED, "the redirect URI at Zoom", f"Zoom asks to sign in first. Open this in a browser: {page.url}"
        )
    else:
        yield judged(
            page.is_success and "Invalid redirect" not in page.text,
            "Zoom knows the redirect URI",
            f"Register {target.redirect_uri} as the app's OAuth redirect URL and in its allow list, to the letter.",
        )
    granted = target.http.post(
        f"{target.zoom_oauth}/token",
        data={"grant_type": "client_credentials"},
        auth=(app["client_id"], app["client_secret"]),
    )
    if granted.status_code != _SUCCESS:
        yield Line(
            FAILED,
            "Zoom takes the app's client id and secret",
            f"Zoom answered {granted.status_code}. Compare both with the app's page at Zoom, and change the secret in "
            "Secrets Manager (docs/runbook.md). An app of another kind than General cannot be asked this way.",
        )
        return
    yield Line(OK, "Zoom takes the app's client id and secret")
    yield from _subscriptions(target, granted.json()["access_token"])


def _subscriptions(target: Target, token: str) -> Iterator[Line]:
    """Check event subscriptions. Zoom shows an app those made by API, and none of those made on its page."""
    answer = target.http.get(
        f"{target.zoom_api}/marketplace/app/event_subscription", headers={"authorization": f"Bearer {token}"}
    )
    found = answer.json().get("event_subscriptions", []) if answer.status_code == _SUCCESS else []
    addresses = {str(each.get("event_webhook_url", "")) for each in found}
    if not found:
        yield Line(
            SKIPPED,
            "the app's event subscription",
            f"Zoom shows none that was made by API. On the app's page it must be {target.webhook_url}, and validated.",
        )
        return
    yield judged(
        target.webhook_url in addresses,
        "the app's event subscription",
        f"It delivers to {', '.join(sorted(addresses))}; it should be {target.webhook_url}.",
    )


def scopes(target: Target) -> Iterator[Line]:
    """Check the scopes of existing connections, which the app had when they were made."""
    if not target.key:
        return
    headers = {"authorization": f"Bearer {target.key}"}
    answer = target.http.get(f"{target.api_url}/connections", headers=headers)
    found = answer.json().get("connections", []) if answer.status_code == _SUCCESS else []
    if not found:
        yield Line(SKIPPED, "the app's scopes", "Nobody is connected yet; connect one person and look again.")
        return
    without = [each["id"] for each in found if not each.get("scopes")]
    yield judged(
        not without,
        f"{len(found)} connections have scopes",
        f"{', '.join(without)}: add the scopes of docs/marketplace.md to the app, and have these people reconnect.",
    )


CHECKS: tuple[Callable[[Target], Iterator[Line]], ...] = (
    *(webhook, routes, key, background, queues, alarms, zoom, scopes),
)


def look(target: Target) -> Iterator[Line]:
    """Yield the lines of all checks, one after the other. A check that cannot be made is a line too."""
    for check in CHECKS:
        try:
            yield from check(target)
        except (BotoCoreError, ClientError, httpx.HTTPError, NoStack, ValueError, KeyError) as problem:
            yield Line(FAILED, f"looking at {check.__name__}", f"{type(problem).__name__}: {problem}")


def _challenge(target: Target, secret: str) -> httpx.Response:
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "check"}}).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={signature}", "content-type": "application/json"}
    return target.http.post(target.webhook_url, content=body, headers=headers)


def _messages(sqs: Any, url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def target_of(arguments: argparse.Namespace) -> Target:
    """Return the stack that the arguments name, with its addresses. Raises NoStack."""
    if arguments.stage == "local":
        facts = local_stack(arguments.stack_file)
        api, zoom_url = str(facts["api_url"]), str(facts["zoom_url"])
        redirect = f"{api}/auth/zoom/callback"
        oauth = str(facts["zoom_authorize_url"]).removesuffix("/authorize")
        given = arguments.key or str(facts["api_key"])
        return Target(deployed(arguments), api, str(facts["webhook_url"]), redirect, f"{zoom_url}/v2", oauth, given)
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
    arguments.stack_name = arguments.stack_name or configured[arguments.stage]["deploy"]["parameters"]["stack_name"]
    stack = deployed(arguments)
    (found,) = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    return Target(
        stack,
        parameters.get("PublicBaseUrl") or outputs["ApiUrl"],
        arguments.webhook_url or outputs["WebhookUrl"],
        parameters.get("ZoomRedirectUri") or outputs["CallbackUrl"],
        parameters["ZoomApiBaseUrl"],
        parameters["ZoomOauthUrl"],
        arguments.key,
    )


def main(given: list[str] | None = None) -> int:
    """Print a line for each check; return 1 when one failed."""
    parser = argparse.ArgumentParser(prog="make check", description=__doc__)
    parser.add_argument("stage", choices=("local", *STAGES))
    parser.add_argument("--key", default="", help="an API key with health:read and connections:read")
    parser.add_argument("--webhook-url", default="", help="where Zoom delivers, if not to the function URL")
    add_arguments(parser)
    arguments = parser.parse_args(given)
    try:
        target = target_of(arguments)
    except (NoStack, BotoCoreError, ClientError) as problem:
        print(f"check: {problem}", file=sys.stderr)
        return 1
    failed = 0
    with target.http:
        for line in look(target):
            say(line.text())
            failed += line.status == FAILED
    say(f"\n{failed} to mend." if failed else "\nNothing to mend.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
