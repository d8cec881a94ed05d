"""The queue of erasures: jobs go out and come back as they were, and a message can be put off."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from zoom_common.erasure.queue import ErasureQueue, Job, from_message, to_message
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import Unavailable

PERSON = ErasureTarget(tenant="acme", whole_tenant=False, zoom_user_ids=frozenset({"ada"}), email="ada@acme.example")
TENANT = ErasureTarget(tenant="acme", whole_tenant=True)


class Sqs:
    """Keep each request, or fail."""

    def __init__(self, *, away: bool = False) -> None:
        self.asked: list[dict[str, Any]] = []
        self._away = away

    def _keep(self, **named: Any) -> dict[str, Any]:
        self.asked.append(named)
        if self._away:
            raise EndpointConnectionError(endpoint_url="https://sqs.example")
        return {}

    send_message = change_message_visibility = _keep


def queue(sqs: Sqs) -> ErasureQueue:
    """Return the queue over a client."""
    client: Any = sqs
    return ErasureQueue(client, "https://queue.example")


@pytest.mark.parametrize("target", [PERSON, TENANT])
def test_a_job_comes_back_as_it_was_sent(target: ErasureTarget) -> None:
    """A job is sent as JSON in one message, and read back unchanged."""
    sqs, job = Sqs(), Job(target=target, keep_key="k1", run=3)
    queue(sqs).send(job)
    (sent,) = sqs.asked
    assert sent.keys() == {"QueueUrl", "MessageBody"}
    assert sent["QueueUrl"] == "https://queue.example"
    assert from_message(json.loads(sent["MessageBody"])) == job


@pytest.mark.parametrize(("seconds", "hidden"), [(-5.0, 0), (0.4, 0), (59.6, 60), (90_000.0, 43_200)])
def test_a_message_is_put_off_as_long_as_sqs_can(seconds: float, hidden: int) -> None:
    """Whole seconds, not below zero, at most twelve hours."""
    sqs = Sqs()
    queue(sqs).return_after("receipt", seconds)
    assert sqs.asked == [{"QueueUrl": "https://queue.example", "ReceiptHandle": "receipt", "VisibilityTimeout": hidden}]


def test_a_queue_that_does_not_answer_is_unavailable() -> None:
    """Both methods raise Unavailable with a reason of their own."""
    with pytest.raises(Unavailable) as sending:
        queue(Sqs(away=True)).send(Job(target=TENANT))
    with pytest.raises(Unavailable) as returning:
        queue(Sqs(away=True)).return_after("receipt", 1)
    assert {sending.value.reason, returning.value.reason} == {"erasure_queue_unavailable"}


@pytest.mark.parametrize("change", [{"action": "other"}, {"action": None}])
def test_another_action_is_no_job(change: dict[str, Any]) -> None:
    """A message of a later version is not guessed at."""
    with pytest.raises(ValueError, match="no known action"):
        from_message(to_message(Job(target=TENANT)) | change)


def test_a_message_of_a_version_before_named_nobody_for_a_whole_tenant() -> None:
    """It had no `whole_tenant`."""
    for target in (PERSON, TENANT):
        message = to_message(Job(target=target))
        del message["whole_tenant"]
        assert from_message(message).target.whole_tenant is target.whole_tenant
