"""The receivers in `examples`, as they are, and with them the reference libraries of Standard Webhooks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.fakes.subscribing import World
from zoom_common.events.subscriptions.addresses import endpoint_of
from zoom_common.events.subscriptions.model import Subscription
from zoom_common.events.subscriptions.sending import Sender, new_secret, signature_headers
from zoom_common.events.subscriptions.target_client import Answer, EndpointClient
from zoom_common.secret import Secret

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BODY = json.dumps({"id": "evt_1", "type": "zoom.meeting.started", "data": {"topic": "Süßes 会议"}}).encode()


def test_the_reference_library_verifies_every_secret_of_a_rotation() -> None:
    """It verifies either secret, and refuses another one, a changed body, and a signature that is a day old."""
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = dict(signature_headers("evt_1", BODY, at=time.time(), secrets=[new, old]))
    for secret in (old, new):
        assert Webhook(secret.reveal()).verify(BODY, headers)["id"] == "evt_1"
    with pytest.raises(WebhookVerificationError):
        Webhook(other.reveal()).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new.reveal()).verify(BODY + b" ", headers)
    late = dict(signature_headers("evt_1", BODY, at=time.time() - 86_400, secrets=[new]))
    with pytest.raises(WebhookVerificationError):
        Webhook(new.reveal()).verify(BODY, late)


def test_the_vector_of_the_specification() -> None:
    """The example that the reference implementations share: secret, id, time and body give this signature.

    https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries
    """
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at=1614265330, secrets=[secret])
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("wrong", ["", "secret", "whsec_***", "sk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_what_is_no_secret_signs_nothing(wrong: str) -> None:
    """Rather no delivery than one that nobody can verify."""
    with pytest.raises(ValueError, match="not a secret"):
        signature_headers("evt_1", BODY, at=0.0, secrets=[Secret(wrong)])


@contextmanager
def running(command: list[str], folder: Path, secret: str) -> Iterator[int]:
    """Start a receiver; the port it listens on."""
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"\d+", process.stdout.readline())
        assert found is not None
        yield int(found[0])
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Node.js receiver with its library. Skips where Node.js or its registry is not there."""
    if shutil.which("npm") is None:
        pytest.skip("Node.js is not installed")
    folder = tmp_path_factory.mktemp("node") / "receiver"
    shutil.copytree(EXAMPLES / "receiver_node", folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, check=False
    )
    if installed.returncode:
        pytest.skip("npm's registry is not reachable")
    return folder


@pytest.fixture(params=["python", "node"])
def receiver(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A running receiver: its secret and its port."""
    secret = new_secret().reveal()
    if request.param == "python":
        folder, command = EXAMPLES / "receiver_python", [sys.executable, "receiver.py"]
    else:
        folder, command = request.getfixturevalue("node_folder"), ["node", "receiver.mjs"]
    with running(command, folder, secret) as port:
        yield secret, port


def post(port: int, headers: dict[str, str], body: bytes) -> Answer:
    endpoint = endpoint_of(f"http://127.0.0.1:{port}/", local=True)
    return EndpointClient().post(endpoint, headers, body)


def test_a_receiver_answers_the_challenge(receiver: tuple[str, int]) -> None:
    """The gateway's own verification is answered, and takes it for one."""
    secret, port = receiver
    world = World()
    made: Subscription = world.subscribe("127.0.0.1", url=f"http://127.0.0.1:{port}/hook")
    sealed = world.signing.seal(made.tenant, made.subscription_id, Secret(secret))
    sender = Sender(
        posts=EndpointClient(),
        queues=world,
        secrets=world.signing,
        clock=time.time,
        timer=time.monotonic,
        local=True,
    )
    assert sender.verify(replace(made, secret=sealed)).error is None
    assert sender.verify(replace(made, secret=sealed, challenge="other")).error is None
    assert sender.verify(made).error == "challenge_mismatch"  # signed with another secret


def test_a_receiver_takes_what_is_signed_and_nothing_else(receiver: tuple[str, int]) -> None:
    """204, also when an event comes twice; 401 for a wrong signature, none, and an old one."""
    secret, port = receiver

    def signed(body: bytes, **changes: Any) -> dict[str, str]:
        given = {"at": time.time(), "secrets": [Secret(secret)], **changes}
        return dict(signature_headers("evt_1", body, **given))

    assert post(port, signed(BODY), BODY).status == 204
    assert post(port, signed(BODY), BODY).status == 204
    assert post(port, signed(BODY, secrets=[new_secret()]), BODY).status == 401
    assert post(port, signed(BODY, at=time.time() - 86_400), BODY).status == 401
    assert post(port, signed(BODY), BODY + b" ").status == 401
    assert post(port, {}, BODY).status == 401
