"""The AWS emulator: ministack, in an environment of its own because its pins conflict with those of aws-sam-cli."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from dev.processes import Supervisor, run_logged
from dev.workspace import Workspace
from ops.console import Stop
from ops.project import ROOT

REGION = "us-east-1"
REQUIREMENTS = ROOT / "dev" / "emulator-requirements.txt"
# The emulator's root credential, which is valid for this emulator on this machine only.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


# In the emulator's saved state: a queue's URL, with the port at that time, and the account's id.
_QUEUE_URL = re.compile(rb"(https?://(?:localhost|127\.0\.0\.1):)\d+(/\d{12}/)")


def url(port: int) -> str:
    """Return the emulator's address."""
    return f"http://127.0.0.1:{port}"


def environment_folder() -> Path:
    """Return the emulator's virtual environment. Its name is made from the pins, so another pin is another folder."""
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    return ROOT / ".local" / f"emulator-{pins}"


def is_installed() -> bool:
    """Return whether the environment is complete. A half-finished installation does not count."""
    return (environment_folder() / "installed").exists()


def install(workspace: Workspace) -> None:
    """Make the environment from the pinned requirements. Raises Stop when the package index cannot be reached."""
    folder = environment_folder()
    shutil.rmtree(folder, ignore_errors=True)
    log = workspace.log("emulator-install")
    uv = str(Path(sys.executable).with_name("uv"))
    commands = (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), "--require-hashes"]
        + ["--requirement", str(REQUIREMENTS)],
    )
    for command in commands:
        if run_logged(command, log):
            raise Stop("The AWS emulator could not be installed.", f"Check the network, then read {log}.")
    (folder / "installed").touch()


def start(supervisor: Supervisor, workspace: Workspace, port: int, requests: Path | None = None) -> None:
    """Start it with IAM enforced and its state on disk, and wait until it answers.

    With `requests`, record in that file what its callers request (`dev/recorded_emulator.py`).
    """
    unpacked = workspace.path("emulator-tmp")
    _discard(unpacked)  # it unpacks functions here and never cleans up
    unpacked.mkdir(parents=True)
    state = workspace.path("emulator-state")
    state.mkdir(exist_ok=True)
    move(state, port)
    # Functions inherit the emulator's environment, so it has only what it needs.
    clean = {
        "PATH": os.defpath,
        "HOME": str(workspace.folder),
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        # Objects of S3 are stored apart from the rest of its state, and are lost at a restart without these two.
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(unpacked),
        "PYTHONDONTWRITEBYTECODE": "1",
        **CREDENTIALS,
    }
    programs = environment_folder() / "bin"
    command = [str(programs / "ministack")]
    if requests is not None:  # -P: nothing is imported from dev/
        command = [str(programs / "python"), "-P", str(ROOT / "dev" / "recorded_emulator.py"), str(requests.resolve())]
    supervisor.start("emulator", command, clean)
    supervisor.wait_until_answers("emulator", url(port) + "/_ministack/health")


def _discard(folder: Path) -> None:
    """Move a folder away, and delete it and earlier ones in the background: gigabytes of small files take minutes."""
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}-old-{time.time_ns():x}"))
    for old in folder.parent.glob(f"{folder.name}-old-*"):
        threading.Thread(target=shutil.rmtree, args=(old,), kwargs={"ignore_errors": True}, daemon=True).start()


def move(state: Path, port: int) -> None:
    """Change the port in the queues of a saved state. With another port, their messages would stay unread."""
    for saved in state.glob("*.json"):
        text = saved.read_bytes()
        moved = _QUEUE_URL.sub(rb"\g<1>%d\g<2>" % port, text)
        if moved != text:
            saved.write_bytes(moved)


def client_of(stack: Mapping[str, Any], service: str, **given: Any) -> Any:
    """Return a boto3 client for the emulator of a running stack. `given` overrides boto3's arguments."""
    usual = {
        "endpoint_url": stack["aws_endpoint_url"],
        "region_name": stack["aws_region"],
        "aws_access_key_id": stack["aws_access_key_id"],
        "aws_secret_access_key": stack["aws_secret_access_key"],
    }
    return boto3.client(service, **{**usual, **given})  # type: ignore[call-overload]


def client(service: str, port: int) -> Any:
    """Return a boto3 client for the emulator, whatever the caller's own AWS settings are."""
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]
        endpoint_url=url(port),
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"mode": "standard", "total_max_attempts": 2}, read_timeout=60),
    )
