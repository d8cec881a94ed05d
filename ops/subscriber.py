"""`make subscriber`: makes a queue for another consumer, with the events of one tenant or some types of events.

Consumers of one queue take messages from each other. So each subscriber has a queue and a dead-letter queue in a
CloudFormation stack of its own, which can be listed and removed. A tenant's subscriber is a subscription of the API
with that queue as its target. Where subscriptions are off, and for a consumer of all tenants, a rule of the bus fills
the queue instead.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from ops.deployed import Deployed, add_arguments, deployed, run
from ops.key_table import NoStack
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential, issue
from zoom_common.aws.table import Table

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TYPE = re.compile(r"[a-z_]+(?:\.[a-z_]+)*(?:\.?\*)?")
_FORTNIGHT = 1_209_600
# The roles of the functions that send to subscribers' queues.
_SENDERS = ("DeliverRole", "RedeliverRole")
_KEY_SECONDS = 900
# The stack's first message to a queue has to be accepted within this time.
_VERIFIED_SECONDS = 120


def pattern(tenant: str | None, types: list[str]) -> dict[str, Any]:
    """Return the rule's event pattern.

    Types are Zoom's names; a star at the end matches every name with that beginning.
    """
    found: dict[str, Any] = {"source": ["zoom-gateway"]}
    if types:
        found["detail-type"] = [{"prefix": name[:-1]} if name.endswith("*") else name for name in types]
    if tenant:
        found["detail"] = {"tenant": [tenant]}
    return found


def with_a_rule(bus: str, wanted: dict[str, Any], *, tls: bool = True) -> dict[str, Any]:
    """Return the stack of a subscriber whose queue is filled by a rule of the bus.

    The emulator has no TLS to require.
    """
    queue_arn, dead_arn = ({"Fn::GetAtt": [name, "Arn"]} for name in ("Queue", "DeadLetterQueue"))
    target = {"Id": "subscriber", "Arn": queue_arn, "InputPath": "$.detail", "DeadLetterConfig": {"Arn": dead_arn}}
    by_the_rule = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
    }
    made = _queues(dict.fromkeys(("Queue", "DeadLetterQueue"), by_the_rule), wanted, tls=tls)
    made["Resources"]["Rule"] = {
        "Type": "AWS::Events::Rule",
        "Properties": {"EventBusName": bus, "EventPattern": wanted, "Targets": [target]},
    }
    return made


def with_a_subscription(roles: list[str], tenant: str, wanted: dict[str, Any], *, tls: bool = True) -> dict[str, Any]:
    """Return the stack of a tenant's subscriber. Only the gateway's `roles` may write to its queue."""
    arns = [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{role}"} for role in roles]
    made = _queues({"Queue": {"Effect": "Allow", "Principal": {"AWS": arns}}}, wanted, tls=tls)
    made["Outputs"]["Tenant"] = {"Value": tenant}
    return made


def _queues(writers: Mapping[str, dict[str, Any]], wanted: dict[str, Any], *, tls: bool) -> dict[str, Any]:
    dead_arn = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    dead = {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": _FORTNIGHT}
    queue = {
        **dead,
        "VisibilityTimeout": 180,
        "RedrivePolicy": {"deadLetterTargetArn": dead_arn, "maxReceiveCount": 10},
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "One more consumer of the Zoom gateway's events.",
        "Resources": {
            "DeadLetterQueue": {"Type": "AWS::SQS::Queue", "Properties": dead},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": queue},
            **{
                f"{name}Policy": _policy(name, writers.get(name), tls=tls)
                for name in ("Queue", "DeadLetterQueue")
                if tls or name in writers
            },
        },
        "Outputs": {
            "QueueUrl": {"Value": {"Ref": "Queue"}},
            "DeadLetterQueueUrl": {"Value": {"Ref": "DeadLetterQueue"}},
            "Pattern": {"Value": json.dumps(wanted)},
        },
    }


def _policy(queue: str, writer: dict[str, Any] | None, *, tls: bool) -> dict[str, Any]:
    """Return a policy by which one writer, over TLS, may write to this one queue.

    SQS refuses a statement with several resources, and a policy is about one queue.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-overview-of-managing-access.html
    https://github.com/remind101/stacker_blueprints/pull/71
    """
    arn = {"Fn::GetAtt": [queue, "Arn"]}
    allow = [{**writer, "Action": "sqs:SendMessage", "Resource": arn}] if writer else []
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [*allow, deny] if tls else allow}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": queue}], "PolicyDocument": document}}


def main(given: list[str] | None = None) -> int:
    """Return the exit status: 1 when the stack or the subscriber does not exist."""
    arguments = _parser().parse_args(given)
    try:
        stack = deployed(arguments)
        {"add": _add, "list": _list, "remove": _remove}[arguments.command](stack, arguments)
    except (NoStack, NotSubscribed, httpx.HTTPError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


class NotSubscribed(Exception):
    """The API did not make the subscription. The message says why."""


def add(stack: Deployed, name: str, tenant: str | None, types: list[str]) -> dict[str, str]:
    """Make a subscriber whose queue a rule fills, and wait for it.

    Return its `QueueUrl`, `DeadLetterQueueUrl` and `Pattern`.
    """
    bus = stack.resource("EventBus")
    return _made(stack, name, with_a_rule(bus, pattern(tenant, types), tls=stack.endpoint is None))


def subscribe(
    stack: Deployed,
    name: str,
    tenant: str,
    types: list[str],
    *,
    sleep: Callable[[float], object] = time.sleep,
) -> dict[str, str]:
    """Make a tenant's subscriber and wait until it is active. Return what `add` returns, and its `SubscriptionId`.

    Raises NotSubscribed, after the queue has been removed again.
    """
    roles = [stack.resource(each) for each in _SENDERS]
    body = with_a_subscription(roles, tenant, pattern(tenant, types), tls=stack.endpoint is None)
    made = _made(stack, name, body)
    wanted = {"queue": made["QueueUrl"], "types": types or ["*"], "description": f"make subscriber: {name}"}
    try:
        with api(stack, tenant) as client:
            subscription = _answer(client.post("/subscriptions", json=wanted))
            _wait_until_active(client, str(subscription["id"]), sleep)
    except BaseException:
        remove(stack, name)
        raise
    return {**made, "SubscriptionId": subscription["id"]}


def remove(stack: Deployed, name: str) -> None:
    """Remove a subscriber with its subscription, its queue and all messages in it. Raises NoStack."""
    named = _stack_of(stack, name)
    found = _outputs(stack, named)
    if "Tenant" in found:
        with api(stack, found["Tenant"]) as client:
            for each in _answer(client.get("/subscriptions"))["subscriptions"]:
                if each.get("queue") == found["QueueUrl"]:
                    client.delete(f"/subscriptions/{each['id']}").raise_for_status()
    stack.client("cloudformation").delete_stack(StackName=named)
    stack.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=named, WaiterConfig={"Delay": 2})


@contextmanager
def api(stack: Deployed, tenant: str) -> Iterator[httpx.Client]:
    """Yield a client of the stack's API, with a key of the tenant that is revoked at the end."""
    keys = ApiKeyStore(Table(stack.client("dynamodb"), stack.resource("ConnectionsTable")))
    credential, now = Credential.generate(), time.time()
    scopes = ("subscriptions:read", "subscriptions:write")
    key = issue(
        credential, tenant=tenant, name="make subscriber", scopes=scopes, now=now, valid_until=now + _KEY_SECONDS
    )
    keys.add(key)
    headers = {"authorization": f"Bearer {credential.text().reveal()}"}
    try:
        with httpx.Client(base_url=_address(stack), headers=headers, timeout=60) as client:
            yield client
    finally:
        keys.revoke(key.key_id, now=time.time())


def _address(stack: Deployed) -> str:
    """Return the address of the stack's API: its own domain, if it has one."""
    if stack.local_api:
        return stack.local_api
    given = _parameters(stack)
    return f"https://{given['CustomDomain']}" if given.get("CustomDomain") else _outputs(stack, stack.name)["ApiUrl"]


def _parameters(stack: Deployed) -> dict[str, str]:
    (found,) = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise NotSubscribed(f"The API answered {response.status_code}: {response.text[:500]}")
    found: dict[str, Any] = response.json()
    return found


def _wait_until_active(client: httpx.Client, name: str, sleep: Callable[[float], object]) -> None:
    """Send the test message again every ten seconds, because a queue's new policy takes effect within a minute.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """
    for second in range(1, _VERIFIED_SECONDS + 1):
        found = _answer(client.get(f"/subscriptions/{name}"))
        if found["state"] == "active":
            return
        if second % 10 == 0:
            client.post(f"/subscriptions/{name}/verify")
        sleep(1)
    error = found.get("verification", {}).get("error", "no attempt yet")
    client.delete(f"/subscriptions/{name}")
    raise NotSubscribed(f"The queue did not take the test message ({error}).")


def _made(stack: Deployed, name: str, body: dict[str, Any]) -> dict[str, str]:
    cloudformation, named = stack.client("cloudformation"), _stack_of(stack, name)
    cloudformation.create_stack(StackName=named, TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=named, WaiterConfig={"Delay": 2})
    return _outputs(stack, named)


def _add(stack: Deployed, arguments: argparse.Namespace) -> None:
    subscribes = arguments.tenant and _parameters(stack).get("Subscriptions") == "on"
    make = subscribe if subscribes else add
    made = make(stack, arguments.name, arguments.tenant, arguments.type)
    print(json.dumps({"name": arguments.name, **made}))


def _list(stack: Deployed, _: argparse.Namespace) -> None:
    prefix = _stack_of(stack, "")
    for page in stack.client("cloudformation").get_paginator("describe_stacks").paginate():
        for each in page["Stacks"]:
            if each["StackName"].startswith(prefix) and not each["StackStatus"].startswith("DELETE"):
                name = each["StackName"]
                print(json.dumps({"name": name.removeprefix(prefix), **_outputs(stack, name)}))


def _remove(stack: Deployed, arguments: argparse.Namespace) -> None:
    remove(stack, arguments.name)


def _stack_of(stack: Deployed, name: str) -> str:
    return f"{stack.name}-subscriber-{name}"


def _outputs(stack: Deployed, name: str) -> dict[str, str]:
    cloudformation = stack.client("cloudformation")
    try:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except cloudformation.exceptions.ClientError:
        raise NoStack(f"There is no stack {name}.") from None
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def _matching(expression: re.Pattern[str]) -> Any:
    def check(text: str) -> str:
        if not expression.fullmatch(text):
            raise argparse.ArgumentTypeError(f"must match {expression.pattern}")
        return text

    return check


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make subscriber", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="a queue of its own")
    add.add_argument("--tenant", type=_matching(_TENANT), help="only this tenant's events, by a subscription")
    add.add_argument(
        "--type", type=_matching(_TYPE), action="append", default=[], help="meeting.started, recording.*; repeatable"
    )
    commands.add_parser("list", help="list the subscribers")
    remove = commands.add_parser("remove", help="remove one with its queue and all messages in it")
    for command in (add, remove):
        command.add_argument("name", type=_matching(_NAME))
    for command in commands.choices.values():
        add_arguments(command)
    return parser


if __name__ == "__main__":
    run(main)
