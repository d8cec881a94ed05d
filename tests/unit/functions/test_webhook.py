"""The webhook function, wired as in Lambda, with its two connections scripted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.events import APP, SECRET, meeting, zoom_headers
from tests.fakes.handlers import load
from zoom_common.aws.json_client import AwsJsonClient
from zoom_common.settings import MissingSetting

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    "INGEST_QUEUE_URL": "http://localhost:4566/000000000000/ingest",
    "ZOOM_WEBHOOK_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:webhook",
    "COORDINATION_TABLE": "coordination",
    "AWS_REGION": "eu-central-1",
    "POWERTOOLS_METRICS_NAMESPACE": "ZoomGateway/prod",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
FORBIDDEN = {"aws_lambda_powertools", "boto3", "botocore", "pydantic", "requests", "urllib3", "cryptography", "jwt"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Every AWS call the function makes, answered as AWS does."""
    made: list[tuple[str, dict[str, Any]]] = []

    def call(_client: AwsJsonClient, target: str, payload: dict[str, Any], deadline: object) -> dict[str, Any]:
        assert deadline
        made.append((target, payload))
        if target == "secretsmanager.GetSecretValue":
            return {"SecretString": json.dumps({"apps": [{"app": APP, "secrets": [{"secret": SECRET}]}]})}
        return {"MessageId": "1"}

    monkeypatch.setattr(AwsJsonClient, "call", call)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return made


def test_a_delivery_goes_through(
    calls: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One reading of the secrets, one message, 200, and one count for the stack that it belongs to."""
    module = load("webhook")
    body = meeting("meeting.started")
    headers = zoom_headers(body)
    monkeypatch.setattr("time.time", lambda: float(headers["x-zm-request-timestamp"]))
    answer = module.handler({"headers": headers, "body": body.decode(), "isBase64Encoded": False}, None)
    assert answer["statusCode"] == 200
    (read, sent) = calls
    assert read == ("secretsmanager.GetSecretValue", {"SecretId": ENVIRONMENT["ZOOM_WEBHOOK_SECRET_ARN"]})
    assert (sent[0], sent[1]["QueueUrl"]) == ("AmazonSQS.SendMessage", ENVIRONMENT["INGEST_QUEUE_URL"])
    assert sent[1]["MessageBody"].encode() == body
    counted = json.loads(capsys.readouterr().out)
    assert (counted["WebhookAccepted"], counted["WebhookLag"] >= 0) == (1, True)


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency", "snap-start", None])
def test_a_container_warms_up_while_lambda_starts_it(
    calls: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, kind: str | None
) -> None:
    """Connections and secrets are ready before the first delivery, except where a snapshot would keep them."""
    warmed: list[AwsJsonClient] = []

    def warm(client: AwsJsonClient) -> None:
        warmed.append(client)

    monkeypatch.setattr(AwsJsonClient, "warm", warm)
    if kind:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    load("webhook")
    expected = 1 if kind in {"on-demand", "provisioned-concurrency"} else 0
    assert (len(warmed), len(calls)) == (expected, expected)


def test_the_webhook_imports_nothing_heavy() -> None:
    """A cold start answers Zoom in time because it loads the standard library and nothing else."""
    code = (
        f"import runpy, sys; sys.path.insert(0, {str(ROOT / 'layers' / 'zoom_common')!r});"
        f"runpy.run_path({str(ROOT / 'functions' / 'webhook' / 'handler.py')!r});"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert not FORBIDDEN & set(run.stdout.split())


@pytest.mark.parametrize("missing", ["INGEST_QUEUE_URL", "ZOOM_WEBHOOK_SECRET_ARN", "COORDINATION_TABLE", "AWS_REGION"])
def test_a_missing_setting_is_named(missing: str) -> None:
    """The one who deploys learns which."""
    with pytest.raises(MissingSetting, match=missing):
        load("webhook").Settings.from_env({name: value for name, value in ENVIRONMENT.items() if name != missing})


SAMPLES = sorted((ROOT / "events").glob("webhook-*.json"))
# A sample's signature is genuine for this secret at the moment its event is stamped with.
SAMPLE_SECRET = "sample-webhook-secret"
OUTCOMES = {
    "webhook-challenge": (200, 0),
    "webhook-forged": (401, 0),
    "webhook-meeting-started": (200, 1),
    "webhook-recording-completed-base64": (200, 1),
    "webhook-unsigned": (401, 0),
}


def test_every_sample_has_an_outcome() -> None:
    """None is left to rot."""
    assert {sample.stem for sample in SAMPLES} == set(OUTCOMES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_true(
    calls: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, sample: Path
) -> None:
    """Each is a function URL's event, and does what its name says."""
    event = json.loads(sample.read_text())
    monkeypatch.setattr("time.time", lambda: event["requestContext"]["timeEpoch"] / 1000)
    monkeypatch.setattr(f"{__name__}.SECRET", SAMPLE_SECRET)
    answer = load("webhook").handler(event, None)
    sent = [payload for target, payload in calls if target == "AmazonSQS.SendMessage"]
    assert (answer["statusCode"], len(sent)) == OUTCOMES[sample.stem]


@pytest.mark.parametrize(
    ("sample", "key", "noted"),
    [
        ("webhook-challenge", "app#TestClientId", "challenged_at"),
        ("webhook-forged", "endpoint", "rejected_wrong_signature_at"),
        ("webhook-unsigned", "endpoint", "rejected_missing_header_at"),
        ("webhook-meeting-started", None, None),
    ],
)
def test_what_only_the_webhook_learns_of_is_written_down(
    calls: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    sample: str,
    key: str | None,
    noted: str | None,
) -> None:
    """One update of one item; a delivery costs none."""
    event = json.loads((ROOT / "events" / f"{sample}.json").read_text())
    monkeypatch.setattr("time.time", lambda: event["requestContext"]["timeEpoch"] / 1000)
    monkeypatch.setattr(f"{__name__}.SECRET", SAMPLE_SECRET)
    monkeypatch.setattr(f"{__name__}.APP", "TestClientId")
    load("webhook").handler(event, None)
    updates = [payload for target, payload in calls if target == "DynamoDB_20120810.UpdateItem"]
    assert [each["Key"]["sk"]["S"] for each in updates] == ([key] if key else [])
    assert [each["ExpressionAttributeNames"]["#what"] for each in updates] == ([noted] if noted else [])
    assert {each["TableName"] for each in updates} <= {"coordination"}
