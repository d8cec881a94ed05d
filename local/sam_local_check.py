"""`make test-sam-local`: every file in `events/` through `sam local invoke`, against the running emulator.

A file's name begins with its function's: `token-refresh-sweep.json` is for `token_refresh`. An answer counts when the
function gave one: no error, and no 5xx where it is an HTTP answer. What the answers say, other tests hold.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from samcli.yamlhelper import yaml_parse

from local import bridge, sam_local
from local.configuration import machine_architecture
from local.console import say
from local.workspace import ROOT, Workspace

_SECONDS = 300
_SERVER_ERROR = 500
_TOGETHER = 1  # two at a time build the same image twice, and one of them fails


def functions() -> dict[str, str]:
    """Logical ids by folder."""
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    return {
        each["Properties"]["CodeUri"].removeprefix("functions/"): name
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    }


def function_of(file: Path, known: dict[str, str]) -> str | None:
    """The logical id of the function that an event file is for: the one with the longest name that fits."""
    fitting = [folder for folder in known if file.stem.startswith(f"{folder.replace('_', '-')}-")]
    return known[max(fitting, key=len)] if fitting else None


def verdict(returned: int, output: str) -> str:
    """What is wrong with an invocation, or an empty text."""
    lines = output.strip().splitlines()
    if returned:
        return f"sam local invoke ended with {returned}"
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        return "no answer"
    if isinstance(answer, dict) and ("errorType" in answer or "errorMessage" in answer):
        return str(answer.get("errorType") or "error")
    status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
    return f"HTTP {status}" if status >= _SERVER_ERROR else ""


def _invoke(workspace: Workspace, endpoint: str, function: str, file: Path) -> tuple[str, float]:
    command = [str(Path(sys.executable).with_name("sam")), "local", "invoke", function, "--event", str(file)]
    command += ["--template", str(workspace.path("build") / "template.yaml"), "--skip-pull-image"]
    command += ["--env-vars", str(workspace.path("sam-env.json")), "--parameter-overrides"]
    command += [f"Architecture={machine_architecture()}", "Stage=local", f"AwsEndpointUrl={endpoint}"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**kept, **keys, "SAM_CLI_TELEMETRY": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"nothing within {_SECONDS} seconds", time.monotonic() - began
    return verdict(done.returncode, done.stdout), time.monotonic() - began


def _bridged(workspace: Workspace) -> str:
    """Open the way for containers, tell `sam-env.json` of it, and say where the emulator is for them."""
    stack, host = workspace.read("stack.json"), bridge.address()
    here = re.compile(r"//(?:localhost|127\.0\.0\.1):")
    bridge.forward(host, [urlsplit(stack[name]).port or 80 for name in ("aws_endpoint_url", "zoom_url")])
    variables = json.dumps(workspace.read("sam-env.json"))
    workspace.write("sam-env.json", json.loads(here.sub(f"//{host}:", variables)))
    return here.sub(f"//{host}:", stack["aws_endpoint_url"])


def main() -> int:
    """Invoke them all. Exit status 1 when one failed, or when no file names a function."""
    parser = argparse.ArgumentParser(prog="make test-sam-local", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local", help="where the gateway keeps its state")
    parser.add_argument("--only", default="*", help="a pattern of file names")
    parser.add_argument("--forward", action="store_true", help="only let containers reach the emulator, until Ctrl-C")
    arguments = parser.parse_args()
    workspace = Workspace(arguments.folder.resolve())
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        say("There is no Docker here: sam local needs it. Nothing was tested.")
        return 0
    if sam_local.write(workspace):
        return 1
    endpoint, known = _bridged(workspace), functions()
    if arguments.forward:
        say(f"Containers reach the emulator at {endpoint} until Ctrl-C.")
        threading.Event().wait()
    files = sorted((ROOT / "events").glob(f"{arguments.only}.json"))
    failed = [f"{file.name}: no function of that name" for file in files if function_of(file, known) is None]

    def one(file: Path) -> str | None:
        wrong, seconds = _invoke(workspace, endpoint, str(function_of(file, known)), file)
        say(f"{'FAILED' if wrong else 'ok':7} {seconds:5.1f} s  {file.name} {wrong}")
        return f"{file.name}: {wrong}" if wrong else None

    with ThreadPoolExecutor(_TOGETHER) as pool:
        failed += filter(None, pool.map(one, [file for file in files if function_of(file, known)]))
    untouched = set(known.values()) - {function_of(file, known) for file in files}
    if arguments.only == "*" and untouched:
        failed.append(f"no event file for {', '.join(sorted(untouched))}")
    say(f"{len(files)} event files, {len(failed)} failed.")
    for each in failed:
        say(f"  {each}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
