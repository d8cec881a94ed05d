"""Operators' commands on events: what they would make, and samples that count today."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest

from dev import sample_event
from ops import subscriber
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import SigningSecret, WrongSignature, verify

ROOT = Path(__file__).parents[3]


def test_a_subscriber_gets_what_it_asked_for() -> None:
    """A tenant's events, by name or by the beginning of one; everything when nothing is said."""
    assert subscriber.pattern(None, []) == {"source": ["zoom-gateway"]}
    assert subscriber.pattern("acme", ["meeting.ended", "recording.*"]) == {
        "source": ["zoom-gateway"],
        "detail-type": ["meeting.ended", {"prefix": "recording."}],
        "detail": {"tenant": ["acme"]},
    }


def test_a_subscriber_has_its_own_dead_letters_and_lets_only_its_rule_in() -> None:
    """For what the consumer gives back, and for what the bus cannot deliver."""
    resources = subscriber.with_a_rule("bus", subscriber.pattern(None, []))["Resources"]
    (target,) = resources["Rule"]["Properties"]["Targets"]
    dead = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert target["DeadLetterConfig"]["Arn"] == dead
    assert resources["Queue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == dead
    assert target["InputPath"] == "$.detail"
    for queue in ("Queue", "DeadLetterQueue"):
        policy = resources[f"{queue}Policy"]["Properties"]
        assert policy["Queues"] == [{"Ref": queue}]
        allow, deny = policy["PolicyDocument"]["Statement"]
        assert allow["Resource"] == deny["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
        assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}}
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize("wrong", [["add", "Big"], ["add", "ok", "--tenant", "A#b"], ["add", "ok", "--type", "a b"]])
def test_names_that_make_no_sense_are_refused(wrong: list[str]) -> None:
    """Before anything is made."""
    with pytest.raises(SystemExit):
        subscriber.main(wrong)


@pytest.mark.parametrize("name", ["webhook-meeting-started", "webhook-recording-completed-base64"])
def test_a_sample_is_stamped_and_signed_anew(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """So that the webhook takes it today, with the secret that was said and no other."""
    assert sample_event.main([str(ROOT / "events" / f"{name}.json"), "--secret", "s-1"]) == 0
    event = json.loads(capsys.readouterr().out)
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()
    secret = SigningSecret("App", Secret("s-1"))
    assert verify(body, event["headers"], [secret], now=time.time()) is secret
    with pytest.raises(WrongSignature):
        verify(body, event["headers"], [SigningSecret("App", Secret("other"))], now=time.time())
