"""The health of the gateway's dependencies. Each is asked once, all at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from zoom_common.errors import GatewayError, InternalError
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom.http import HttpRequest

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

OK, DEGRADED, FAILING = "ok", "degraded", "failing"

_WORST = (OK, DEGRADED, FAILING)


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one dependency. `about` holds numbers and names for people."""

    status: str = OK
    about: Mapping[str, Any] = field(default_factory=dict)


type Check = Callable[[], Finding]


def examine(checks: Mapping[str, Check], *, clock: Callable[[], float] = monotonic) -> dict[str, Any]:
    """Return the findings by name with their durations, and the worst of them as the whole."""
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        running = {name: pool.submit(_timed, check, clock) for name, check in checks.items()}
    found = {name: each.result() for name, each in running.items()}
    worst = max((each["status"] for each in found.values()), key=_WORST.index)
    return {"status": worst, "checks": found}


def _timed(check: Check, clock: Callable[[], float]) -> dict[str, Any]:
    began = clock()
    try:
        finding = check()
    except InternalError as error:
        finding = Finding(FAILING, {"reason": error.where})
    except GatewayError as error:
        finding = Finding(FAILING, {"reason": error.reason})
    except Exception as error:  # noqa: BLE001 - a broken check is a finding that only names the exception
        finding = Finding(FAILING, {"reason": type(error).__name__})
    return {"status": finding.status, "took_ms": round((clock() - began) * 1000), **finding.about}


def age(seconds: float | None, *, at_most: float | None = None, running: Callable[[], float] | None = None) -> Finding:
    """Return whether something happened recently enough. `seconds` is how long ago it was, None for never.

    `running` is the age of the stack in seconds: in a new stack, something that has not happened yet is not late.
    """
    if seconds is None:
        late = at_most is not None and (running is None or running() > at_most)
        return Finding(DEGRADED if late else OK, {"age_seconds": None})
    late = at_most is not None and seconds > at_most
    return Finding(DEGRADED if late else OK, {"age_seconds": round(seconds)})


def key(kms: KMSClient, key_id: str) -> Finding:
    """Return whether the key is enabled."""
    state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    return Finding(OK if state == "Enabled" else FAILING, {"state": state})


def key_age(kms: KMSClient, key_id: str, *, now: float) -> float:
    """Return the age of the key in seconds, which is that of the stack. A key without a date counts as old.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """
    made = kms.describe_key(KeyId=key_id)["KeyMetadata"].get("CreationDate")
    return now - made.timestamp() if made else float("inf")


def queue(sqs: SQSClient, url: str, *, dead_letters: bool) -> Finding:
    """Return the number of messages in a queue. A message in a dead-letter queue needs action."""
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    waiting = int(names["ApproximateNumberOfMessages"])
    return Finding(DEGRADED if dead_letters and waiting else OK, {"waiting": waiting})


def zoom(transport: Transport, base_url: str) -> Finding:
    """Return whether Zoom answers. Without a token it answers 401, which counts against no rate limit."""
    try:
        answer = transport.send(HttpRequest("GET", f"{base_url}/users/me", {}, None), timeout=5.0)
    except (NotSent, AnswerLost):
        return Finding(DEGRADED, {"reason": "no_answer"})
    return Finding(DEGRADED if answer.status >= 500 else OK, {"answered": answer.status})  # noqa: PLR2004 - HTTP's own
