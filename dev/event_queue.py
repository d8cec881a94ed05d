"""A queue for one tool that reads the local stack's events, so that it takes no program's messages.

Consumers of one queue take messages from each other. `make demo` and `make events` therefore never read the integration
queue: each makes a rule and a queue on the stack's bus, and removes both when it ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError

from dev.emulator import client_of
from ops.key_table import NoStack

_TARGET = "tool"
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class EventQueue:
    """What a consumer would read: one CloudEvent for each event that was published since the queue was made."""

    url: str
    _sqs: Any = field(repr=False)

    def receive(self, *, wait: int) -> list[dict[str, Any]]:
        """Take up to ten events off the queue. Wait up to `wait` seconds for the first one."""
        answer = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
        messages = answer.get("Messages", [])
        for message in messages:
            self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@contextmanager
def event_queue(stack: Mapping[str, str], tool: str) -> Iterator[EventQueue]:
    """Make a queue with every event of the local stack `stack` from now on, and remove it at the end.

    A tool that is killed leaves its queue and rule behind; the queue drops its messages after a day. The emulator
    requires no queue policy. Raises NoStack when the stack stops meanwhile.
    """
    try:
        with _made(stack, f"{stack['stack_name']}-{tool}-{uuid4().hex[:8]}") as queue:
            yield queue
    except BotoCoreError:
        raise NoStack("The local stack has stopped. Start it with `make run`.") from None


@contextmanager
def _made(stack: Mapping[str, str], name: str) -> Iterator[EventQueue]:
    sqs, events = (client_of(stack, service) for service in ("sqs", "events"))
    url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": str(_DAY)})["QueueUrl"]
    try:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        rule = {"Name": name, "EventBusName": stack["event_bus"]}
        events.put_rule(**rule, EventPattern=json.dumps({"source": ["zoom-gateway"]}))
        target = {"Id": _TARGET, "Arn": attributes["QueueArn"], "InputPath": "$.detail"}
        events.put_targets(Rule=name, EventBusName=stack["event_bus"], Targets=[target])
        try:
            yield EventQueue(url, sqs)
        finally:
            events.remove_targets(Rule=name, EventBusName=stack["event_bus"], Ids=[_TARGET])
            events.delete_rule(**rule)
    finally:
        sqs.delete_queue(QueueUrl=url)
        sqs.close()
        events.close()
