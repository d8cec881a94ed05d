"""Verifies one delivery over and over, in blocks: reads a number a line, prints nanoseconds each.

`alone` is the verification itself, from a function URL's event on; `receiver` is all that our webhook does but the
network: verification, JSON, message, metric line, answer.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoom_common.deadline import Deadline
from zoom_common.events.webhook.message import Delivery
from zoom_common.events.webhook.receiver import MetricLines, Receiver
from zoom_common.events.webhook.secrets import CachedSecrets, parse_secrets
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import verify


class Memory:
    """A queue that takes everything."""

    def send(self, delivery: Delivery, deadline: Deadline) -> None:  # noqa: ARG002 - the seam's signature
        """Make the message, keep nothing."""
        delivery.to_message()


class Silent:
    """Notes nothing: no delivery here is a challenge or refused."""

    def challenged(self, app: str, deadline: Deadline) -> None:
        """Nothing."""

    def rejected(self, reason: str, deadline: Deadline) -> None:
        """Nothing."""


def _alone(event: dict[str, Any], document: Secret) -> Callable[[], object]:
    secrets = parse_secrets(document)

    def call() -> object:
        headers = {name.lower(): value for name, value in event["headers"].items()}
        return verify(event["body"].encode(), headers, secrets, now=time.time())

    return call


def _receiver(event: dict[str, Any], document: Secret) -> Callable[[], object]:
    receiver = Receiver(
        secrets=CachedSecrets(lambda _: document, clock=time.time),
        queue=Memory(),
        metrics=MetricLines("benchmark", "ZoomGateway/benchmark", write=lambda _: 0, clock=time.time),
        clock=time.time,
        signs=Silent(),
    )
    return lambda: receiver.receive(event, Deadline.after(2)).to_event()


def main(kind: str) -> None:
    """Serve blocks until the input ends."""
    event = json.loads(Path(os.environ["BENCHMARK_EVENT"]).read_text())
    document = Secret(os.environ["BENCHMARK_SECRETS"])
    call = {"alone": _alone, "receiver": _receiver}[kind](event, document)
    for line in sys.stdin:
        began = time.perf_counter_ns()
        for _ in range(int(line)):
            call()
        print((time.perf_counter_ns() - began) / int(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
