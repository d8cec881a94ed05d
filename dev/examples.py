"""`make examples`: run every example against the running gateway, each in an environment of its own below `.local`.

The Python backends and consumers are tested in `tests/e2e/test_examples.py`; the examples here need npm or large
packages. Without npm, those of Node.js are named and left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from dev.demo import Story
from dev.event_queue import event_queue
from dev.waiting import wait_until
from ops.console import say
from ops.key_table import NoStack, local_stack
from ops.project import ROOT, template_parameters

EXAMPLES = ROOT / "examples"
ENVIRONMENTS = ROOT / ".local" / "examples"
_CDK = ("aws-cdk-lib==2.275.0", "constructs==10.8.1")
_TYPED_CLIENT = "openapi-python-client==0.29.1"
_TYPES = "openapi-typescript@7.13.0"


def consumer_node(stack: Mapping[str, str]) -> None:
    """Check that the Node.js consumer prints the event of a new connection and takes it off its queue."""
    folder = _npm_project("consumer_node")
    with event_queue(stack, "node") as queue, (folder / "output").open("w") as output:
        environment = _environment(stack) | {"QUEUE_URL": queue.url}
        program = subprocess.Popen(["node", "consume.mjs"], cwd=folder, env=environment, stdout=output)
        try:
            with Story(stack) as story:
                story.program.headers["X-Zoom-Connection"] = story.connect()
                story.manage_meeting()
            wait_until("the consumer", (folder / "output").read_text, lambda text: "zoom.meeting.created" in text)
        finally:
            program.terminate()
            program.wait()


def vite(_: Mapping[str, str]) -> None:
    """Check that the front end builds, with the guide's names in it."""
    folder = _npm_project("vite")
    settings = {"VITE_ZOOM_CLIENT_ID": "an-app", "VITE_ZOOM_OAUTH_URL": "https://zoom.us/oauth/authorize"}
    _run("npm", "run", "--silent", "build", cwd=folder, env={**os.environ, **settings})
    built = "".join(file.read_text() for file in (folder / "dist" / "assets").glob("*.js"))
    assert all(value in built for value in settings.values())


def typed_clients(stack: Mapping[str, str]) -> None:
    """Check that the description of meetings makes a Python package and TypeScript types."""
    folder = _fresh("typed_client")
    (folder / "openapi.json").write_bytes(httpx.get(f"{stack['api_url']}/openapi/meetings.json", timeout=100).content)
    uvx = str(Path(sys.executable).with_name("uvx"))
    _run(uvx, _TYPED_CLIENT, "generate", "--path", "openapi.json", "--output-path", "python", cwd=folder)
    assert list((folder / "python").glob("*/client.py"))
    if shutil.which("npx"):
        _run("npx", "--yes", _TYPES, "openapi.json", "--output", "zoom-gateway.d.ts", cwd=folder)
        assert "paths" in (folder / "zoom-gateway.d.ts").read_text()


def cdk(_: Mapping[str, str]) -> None:
    """Check that the CDK app makes a nested stack with the template's parameters."""
    folder, python = _fresh("cdk"), ENVIRONMENTS / "cdk-environment" / "bin" / "python"
    if not python.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1]))
        _run(uv, "pip", "install", "--quiet", "--python", str(python), *_CDK)
    context = json.dumps({"template_url": "https://bucket.s3.amazonaws.com/packaged.yaml"})
    _run(str(python), "app.py", cwd=folder, env={**os.environ, "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": "out"})
    made = json.loads((folder / "out" / "Zoom.template.json").read_text())["Resources"]["Gateway"]
    assert made["Properties"]["Parameters"].keys() <= template_parameters().keys()


CHECKS: tuple[tuple[Callable[[Mapping[str, str]], None], str], ...] = (
    (consumer_node, "npm"),
    (vite, "npm"),
    (typed_clients, ""),
    (cdk, "node"),
)


def main() -> int:
    """Run them all. Return the number of those that failed."""
    try:
        stack = local_stack()
    except NoStack as problem:
        say(str(problem))
        return 1
    failed = 0
    for check, program in CHECKS:
        if program and not shutil.which(program):
            say(f"left out  {check.__name__}: there is no {program} here")
            continue
        try:
            check(stack)
        except (AssertionError, OSError, subprocess.CalledProcessError) as problem:
            failed += 1
            say(f"FAILED    {check.__name__}: {problem}")
        else:
            say(f"ok        {check.__name__}")
    return failed


def _fresh(name: str) -> Path:
    """Return a copy of an example that may be changed."""
    folder = ENVIRONMENTS / name
    shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True)
    return folder


def _npm_project(name: str) -> Path:
    folder = _fresh(name)
    _run("npm", "ci", "--silent", cwd=folder)
    return folder


def _environment(stack: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": stack["aws_endpoint_url"],
        "AWS_REGION": stack["aws_region"],
        "AWS_ACCESS_KEY_ID": stack["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": stack["aws_secret_access_key"],
    }


def _run(*command: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run a program to its end. Raises subprocess.CalledProcessError."""
    subprocess.run(command, cwd=cwd, env=env, check=True)


if __name__ == "__main__":
    sys.exit(main())
