"""`sam local start-lambda` and `start-api` on the running stack. Each container is built once and stays warm."""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from dev import bridge
from dev.configuration import machine_architecture
from dev.processes import Supervisor
from dev.workspace import Workspace

_SECONDS = 300
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True, slots=True)
class SamLocal:
    """`sam local` with the template that was built for `workspace` and the emulator's address for containers."""

    workspace: Workspace
    endpoint: str

    def command(self, what: str, *arguments: str) -> list[str]:
        """Return the command line of `sam local <what>`."""
        return [
            *(str(Path(sys.executable).with_name("sam")), "local", what, *arguments),
            *("--template", str(self.workspace.path("build") / "template.yaml"), "--skip-pull-image"),
            *("--env-vars", str(self.workspace.path("sam-env.json")), "--parameter-overrides"),
            *(f"Architecture={machine_architecture()}", "Stage=local", f"AwsEndpointUrl={self.endpoint}"),
        ]

    @property
    def environment(self) -> dict[str, str]:
        """Return this process's environment, with the emulator's credentials in place of any real ones."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, **_KEYS, "SAM_CLI_TELEMETRY": "0"}

    def serve(self, supervisor: Supervisor, what: str, port: int) -> str:
        """Start `sam local start-...` on a port, wait until it answers, and return its address. Raises Stop."""
        arguments = ("--port", str(port), "--warm-containers", "LAZY")
        supervisor.start(f"sam-{what}", self.command(what, *arguments), self.environment)
        url = f"http://127.0.0.1:{port}"
        supervisor.wait_until_answers(f"sam-{what}", url)
        return url


def bridged(workspace: Workspace) -> str:
    """Make the emulator reachable from containers, and write its address into `sam-env.json`. Return the address."""
    stack, host = workspace.read("stack.json"), bridge.address()
    here = re.compile(r"//(?:localhost|127\.0\.0\.1):")
    bridge.forward(host, [urlsplit(stack[name]).port or 80 for name in ("aws_endpoint_url", "zoom_url")])
    variables = json.dumps(workspace.read("sam-env.json"))
    workspace.write("sam-env.json", json.loads(here.sub(f"//{host}:", variables)))
    return here.sub(f"//{host}:", stack["aws_endpoint_url"])


def invoke(url: str, function: str, event: Path) -> str:
    """Return a function's answer to an event, as text, from `sam local start-lambda` at `url`."""
    client = boto3.session.Session().client(
        "lambda",
        endpoint_url=url,
        region_name=_KEYS["AWS_DEFAULT_REGION"],
        aws_access_key_id=_KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_KEYS["AWS_SECRET_ACCESS_KEY"],
        config=Config(read_timeout=_SECONDS, retries={"total_max_attempts": 1}),
    )
    return client.invoke(FunctionName=function, Payload=event.read_bytes())["Payload"].read().decode()


def ask(url: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    """Return status and JSON of one GET."""
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 -- our own loopback address
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 -- see above
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")
