"""How the gateway's dependencies are, each asked once, all at the same time."""

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
    """How one thing is; `about` are numbers and names for a person."""

    status: str = OK
    about: Mapping[str, Any] = field(default_factory=dict)


type Check = Callable[[], Finding]


def examine(checks: Mapping[str, Check], *, clock: Callable[[], float] = monotonic) -> dict[str, Any]:
    """The findings by name, how long each took, and the worst of them as a whole."""
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
    except Exception as error:  # noqa: BLE001 - a broken check is a finding, and says no more than its kind
        finding = Finding(FAILING, {"reason": type(error).__name__})
    return {"status": finding.status, "took_ms": round((clock() - began) * 1000), **finding.about}


def age(seconds: float | None, *, at_most: float | None = None, running: Callable[[], float] | None = None) -> Finding:
    """How long ago something was seen, and whether that is too long. None: never.

    `running` says for how many seconds the stack has existed: what a fresh stack has not done yet is not late.
    """
    if seconds is None:
        late = at_most is not None and (running is None or running() > at_most)
        return Finding(DEGRADED if late else OK, {"age_seconds": None})
    late = at_most is not None and seconds > at_most
    return Finding(DEGRADED if late else OK, {"age_seconds": round(seconds)})


def key(kms: KMSClient, key_id: str) -> Finding:
    """Whether the key is enabled."""
    state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    return Finding(OK if state == "Enabled" else FAILING, {"state": state})


def key_age(kms: KMSClient, key_id: str, *, now: float) -> float:
    """For how many seconds the key has existed, and with it the stack; a key without a date is old.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """
    made = kms.describe_key(KeyId=key_id)["KeyMetadata"].get("CreationDate")
    return now - made.timestamp() if made else float("inf")


def queue(sqs: SQSClient, url: str, *, dead_letters: bool) -> Finding:
    """How much is in a queue. Anything in a dead-letter queue wants somebody."""
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    waiting = int(names["ApproximateNumberOfMessages"])
    return Finding(DEGRADED if dead_letters and waiting else OK, {"waiting": waiting})


def zoom(transport: Transport, base_url: str) -> Finding:
    """Whether Zoom answers at all; without a token it says 401, which costs nobody's quota."""
    try:
        answer = transport.send(HttpRequest("GET", f"{base_url}/users/me", {}, None), timeout=5.0)
    except (NotSent, AnswerLost):
        return Finding(DEGRADED, {"reason": "no_answer"})
    return Finding(DEGRADED if answer.status >= 500 else OK, {"answered": answer.status})  # noqa: PLR2004 - HTTP's own
