"""Builds the real template with SAM and deploys it to the emulator, when something has changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from botocore.exceptions import ClientError

from dev import emulator
from dev.configuration import Configuration, machine_architecture
from dev.processes import run_logged, tail
from dev.workspace import Workspace
from ops.console import Stop
from ops.first_deploy import ONCE
from ops.project import ROOT

STACK = "zoom-gateway-local"
BUCKET = "zoom-gateway-local-artifacts"
SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers")


def digest(configuration: Configuration) -> str:
    """Return a digest that changes when a new build or deploy is due: sources, parameters, emulator."""
    sha = hashlib.sha256("\0".join(configuration.parameter_overrides()).encode())
    sha.update(emulator.environment_folder().name.encode())
    for file in _files():
        sha.update(str(file.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return sha.hexdigest()


def is_current(workspace: Workspace, configuration: Configuration) -> bool:
    """Return whether the emulator holds this very stack from an earlier run."""
    deployed = workspace.read("deployed.json")
    return deployed.get("digest") == digest(configuration) and _stack_exists(configuration.aws_port)


def build(workspace: Workspace) -> None:
    """Run `sam build` for this machine's processor. Raises Stop with the end of its log."""
    _sam(
        workspace,
        "build",
        ["--build-dir", str(workspace.path("build")), "--cache-dir", str(workspace.path("build-cache"))]
        + ["--parameter-overrides", f"Architecture={machine_architecture()}"],
        fix="The last line above names the function or library at fault.",
    )


def deploy(workspace: Workspace, configuration: Configuration) -> None:
    """Run `sam deploy --config-env local` into the emulator, and store what was deployed. Raises Stop."""
    storage = emulator.client("s3", configuration.aws_port)
    if BUCKET not in {bucket["Name"] for bucket in storage.list_buckets()["Buckets"]}:
        storage.create_bucket(Bucket=BUCKET)
    arguments = [
        "--config-file",
        str(ROOT / "samconfig.toml"),
        "--config-env",
        "local",
        "--template-file",
        str(workspace.path("build") / "template.yaml"),
    ]
    _sam(
        workspace,
        "deploy",
        [*arguments, "--parameter-overrides", *configuration.parameter_overrides()],
        aws_port=configuration.aws_port,
        fix="Mend what the log names, then run `make run` again. What the local stack has stored is still there.",
    )
    workspace.write("deployed.json", {"digest": digest(configuration)})
    _work_once(configuration.aws_port)


def _work_once(aws_port: int) -> None:
    """Start the sweep and the rollup in the background, as `make deploy` runs them: `make check` then finds both."""
    resources = emulator.client("cloudformation", aws_port)
    functions = emulator.client("lambda", aws_port)
    for function, asked in ONCE.items():
        found = resources.describe_stack_resource(StackName=STACK, LogicalResourceId=function)
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        functions.invoke(FunctionName=name, InvocationType="Event", Payload=asked)


def outputs(aws_port: int) -> dict[str, str]:
    """Return the deployed stack's outputs by name."""
    stacks = emulator.client("cloudformation", aws_port).describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


def _files() -> Iterable[Path]:
    for source in SOURCES:
        path = ROOT / source
        if path.is_file():
            yield path
        else:
            yield from sorted(f for f in path.rglob("*") if f.is_file() and "__pycache__" not in f.parts)


def _stack_exists(aws_port: int) -> bool:
    try:
        stacks = emulator.client("cloudformation", aws_port).describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        return False
    return bool(stacks) and stacks[0]["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def _sam(
    workspace: Workspace, command: str, arguments: Sequence[str], *, fix: str, aws_port: int | None = None
) -> None:
    programs = Path(sys.executable).parent
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",  # make runs python3.13 from this folder
        "SAM_CLI_TELEMETRY": "0",
        "ARCHITECTURE": machine_architecture(),
        **emulator.CREDENTIALS,
    }
    if aws_port is not None:
        environment["AWS_ENDPOINT_URL"] = emulator.url(aws_port)
    log = workspace.log(f"sam-{command}")
    if run_logged([str(programs / "sam"), command, *arguments], log, environment):
        raise Stop(f"sam {command} failed. The end of its log:\n{tail(log)}", fix)
