"""`make subscriber`: makes a queue for one more consumer, with the events of one tenant or some types of events.

Consumers of one queue take messages from each other. A subscriber has a rule on the bus, a queue and a dead-letter
queue, all in one CloudFormation stack of their own, so that they can be listed and removed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import Any

from ops.deployed import Deployed, add_arguments, deployed, run
from ops.key_table import NoStack

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TYPE = re.compile(r"[a-z_]+(?:\.[a-z_]+)*(?:\.?\*)?")
_FORTNIGHT = 1_209_600


def pattern(tenant: str | None, types: list[str]) -> dict[str, Any]:
    """The rule's event pattern. Types are Zoom's names; a star at the end matches every name with that beginning."""
    found: dict[str, Any] = {"source": ["zoom-gateway"]}
    if types:
        found["detail-type"] = [{"prefix": name[:-1]} if name.endswith("*") else name for name in types]
    if tenant:
        found["detail"] = {"tenant": [tenant]}
    return found


def template(bus: str, wanted: dict[str, Any], *, tls: bool = True) -> dict[str, Any]:
    """The subscriber's stack. The emulator has no TLS to ask for."""
    queue_arn, dead_arn = ({"Fn::GetAtt": [name, "Arn"]} for name in ("Queue", "DeadLetterQueue"))
    target = {"Id": "subscriber", "Arn": queue_arn, "InputPath": "$.detail", "DeadLetterConfig": {"Arn": dead_arn}}
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
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {"EventBusName": bus, "EventPattern": wanted, "Targets": [target]},
            },
            "QueuePolicy": _policy("Queue", tls=tls),
            "DeadLetterQueuePolicy": _policy("DeadLetterQueue", tls=tls),
        },
        "Outputs": {
            "QueueUrl": {"Value": {"Ref": "Queue"}},
            "DeadLetterQueueUrl": {"Value": {"Ref": "DeadLetterQueue"}},
            "Pattern": {"Value": json.dumps(wanted)},
        },
    }


def _policy(queue: str, *, tls: bool) -> dict[str, Any]:
    """Let the rule, and nobody without TLS, write to this one queue.

    SQS refuses a statement with several resources, and a policy is about one queue.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-overview-of-managing-access.html
    https://github.com/remind101/stacker_blueprints/pull/71
    """
    arn = {"Fn::GetAtt": [queue, "Arn"]}
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
    }
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [allow, deny] if tls else [allow]}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": queue}], "PolicyDocument": document}}


def main(given: list[str] | None = None) -> int:
    """Return the exit status: 1 when the stack or the subscriber does not exist."""
    arguments = _parser().parse_args(given)
    try:
        stack = deployed(arguments)
        {"add": _add, "list": _list, "remove": _remove}[arguments.command](stack, arguments)
    except NoStack as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def add(stack: Deployed, name: str, tenant: str | None, types: list[str]) -> dict[str, str]:
    """Make a subscriber and wait for it; its `QueueUrl`, `DeadLetterQueueUrl` and `Pattern`."""
    on_aws = stack.endpoint is None
    body = json.dumps(template(stack.resource("EventBus"), pattern(tenant, types), tls=on_aws))
    cloudformation, named = stack.client("cloudformation"), _stack_of(stack, name)
    cloudformation.create_stack(StackName=named, TemplateBody=body)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=named, WaiterConfig={"Delay": 2})
    return _outputs(stack, named)


def remove(stack: Deployed, name: str) -> None:
    """Remove a subscriber with its queue and all messages in it. Raises NoStack."""
    named = _stack_of(stack, name)
    _outputs(stack, named)
    stack.client("cloudformation").delete_stack(StackName=named)
    stack.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=named, WaiterConfig={"Delay": 2})


def _add(stack: Deployed, arguments: argparse.Namespace) -> None:
    made = add(stack, arguments.name, arguments.tenant, arguments.type)
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
    add = commands.add_parser("add", help="a queue with a rule of its own")
    add.add_argument("--tenant", type=_matching(_TENANT), help="only this tenant's events")
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
