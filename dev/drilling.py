"""The tools of the directors of `make drill`: the running local stack, and the runbook's blocks run on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from dev import emulator
from dev.workspace import Workspace
from ops.deployed import Deployed
from ops.key_table import on_local_stack
from ops.project import ROOT
from zoom_common.access.keys import Credential, issue

AWS_CLI = "awscli==1.46.3"
_SECONDS = 240

type Director = Generator[dict[str, str], str]


class Failed(Exception):
    """A procedure did not do what the page says."""


@dataclass(frozen=True)
class Drill:
    """The stack that the procedures are carried out on."""

    stack: Deployed
    facts: dict[str, Any]

    def environment(self) -> dict[str, str]:
        """Return the environment variables of every block."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            **emulator.CREDENTIALS,
            "AWS_ENDPOINT_URL": self.facts["aws_endpoint_url"],
            "AWS_PAGER": "",
            "SAM_CLI_TELEMETRY": "0",
            "PATH": f"{_shims()}{os.pathsep}{kept.get('PATH', os.defpath)}",
            "STACK": self.stack.name,
            "API": self.facts["api_url"],
            "KEY": self.facts["api_key"],
            "WEBHOOK_URL": self.facts["webhook_url"],
        }

    def run(self, shorthands: str, block: str, variables: dict[str, str]) -> str:
        """Return the output of a block. Raises Failed when a command in it fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", shorthands + block],
            cwd=ROOT,
            env=self.environment() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise Failed(f"status {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client in the stack's region, or in another one."""
        if region is None:
            return self.stack.client(service)
        session: Any = self.stack.session
        return session.client(service, region_name=region, endpoint_url=self.stack.endpoint)

    def secret(self, name: str) -> str:
        """Return the value of one of the stack's secrets."""
        kept = self.client("secretsmanager").get_secret_value(SecretId=self.stack.resource(name))
        return str(kept["SecretString"])

    def put_secret(self, name: str, value: str) -> None:
        """Restore a secret."""
        self.client("secretsmanager").put_secret_value(SecretId=self.stack.resource(name), SecretString=value)

    def new_key(self) -> tuple[str, str]:
        """Return id and text of a new key that nothing else uses."""
        credential = Credential.generate()
        key = issue(credential, tenant=self.facts["tenant"], name="drill", scopes=["health:read"], now=time.time())
        on_local_stack(self.facts).add(key)
        return credential.key_id, credential.text().reveal()

    def status(self, path: str, key: str, connection: str = "") -> int:
        """Return the status of a GET with this key."""
        headers = {"Authorization": f"Bearer {key}"} | ({"X-Zoom-Connection": connection} if connection else {})
        return requests.get(self.facts["api_url"] + path, headers=headers, timeout=40).status_code


def expect(true: object, what: str) -> None:
    """Raise Failed unless it is true."""
    if not true:
        raise Failed(what)


def _shims() -> Path:
    """Return a folder with a pinned `aws` in an environment of its own, because its pins conflict with ours."""
    folder = Workspace(ROOT / ".local").path("bin")
    folder.mkdir(exist_ok=True)
    uv, shim = Path(sys.executable).with_name("uv"), folder / "aws"
    shim.write_text(f'#!/bin/sh\nexec "{uv}" tool run --quiet --python 3.13 --from {AWS_CLI} aws "$@"\n')
    shim.chmod(0o755)
    return folder
