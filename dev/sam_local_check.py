"""`make test-sam-local`: runs every file in `events/`, and the API with its authorizer, in sam local on the emulator.

A file's name begins with its function's: `token-refresh-sweep.json` is for `token_refresh`. An answer is good when the
function gave one: no error, and no 5xx where it is an HTTP answer. Other tests check the content of answers.

`sam local invoke` builds an image for each call; `start-lambda` runs the same containers and builds each once, so that
all files take minutes and not an hour. `--each` uses `sam local invoke`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from samcli.yamlhelper import yaml_parse

from dev import sam_local, sam_servers
from dev.processes import Supervisor
from dev.sam_servers import SamLocal
from dev.workspace import Workspace
from ops.console import Stop, say
from ops.project import ROOT

_SECONDS = 300
_SERVER_ERROR = 500


def functions() -> dict[str, str]:
    """Return logical ids by folder."""
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    return {
        each["Properties"]["CodeUri"].removeprefix("functions/"): name
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    }


def function_of(file: Path, known: dict[str, str]) -> str | None:
    """Return the logical id of an event file's function, which is the one with the longest matching name, or None."""
    fitting = [folder for folder in known if file.stem.startswith(f"{folder.replace('_', '-')}-")]
    return known[max(fitting, key=len)] if fitting else None


def verdict(output: str) -> str:
    """Return what is wrong with a function's output or answer, or an empty text."""
    lines = output.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        return "no answer"
    if isinstance(answer, dict) and ("errorType" in answer or "errorMessage" in answer):
        return str(answer.get("errorType") or "error")
    status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
    return f"HTTP {status}" if status >= _SERVER_ERROR else ""


def _by_start_lambda(url: str) -> Callable[[str, Path], str]:
    def invoke(function: str, file: Path) -> str:
        try:
            return verdict(sam_servers.invoke(url, function, file))
        except (BotoCoreError, ClientError) as error:
            return str(error)

    return invoke


def _by_invoke(sam: SamLocal) -> Callable[[str, Path], str]:
    def invoke(function: str, file: Path) -> str:
        try:
            done = subprocess.run(
                sam.command("invoke", function, "--event", str(file)),
                cwd=ROOT,
                env=sam.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"nothing within {_SECONDS} seconds"
        return f"sam local invoke ended with {done.returncode}" if done.returncode else verdict(done.stdout)

    return invoke


# Requests to `sam local start-api`: a title, the path, the name of the credential, and the expected status.
REQUESTS = (
    ("an open route", "/health", None, 200),
    ("a known key", "/health/deep", "known", 200),
    ("a known key, another function", "/usage", "known", 200),
    ("a secret that is wrong", "/health/deep", "wrong", 401),
    ("no credential", "/health/deep", None, 401),
    ("a route that is not there", "/v2/no/such/route", "known", 404),
)


def _start_api(url: str, key: str) -> list[str]:
    credentials = {"known": key, "wrong": key[:-4] + ("AAAA" if not key.endswith("AAAA") else "BBBB")}
    wrong = []
    for what, path, credential, expected in REQUESTS:
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {credentials[credential]}"} if credential else {}
        status, _ = sam_servers.ask(url + path, headers)
        right = status == expected
        say(f"{'ok' if right else 'FAILED':7} {time.monotonic() - began:5.1f} s  start-api: {what}, {status}")
        if not right:
            wrong.append(f"start-api: {what}: {status} and not {expected}")
    return wrong


def _events(pattern: str, invoke: Callable[[str, Path], str]) -> list[str]:
    known, failed = functions(), []
    files = sorted((ROOT / "events").glob(f"{pattern}.json"))
    for file in files:
        function, began = function_of(file, known), time.monotonic()
        wrong = invoke(function, file) if function else "no function of that name"
        say(f"{'FAILED' if wrong else 'ok':7} {time.monotonic() - began:5.1f} s  {file.name} {wrong}")
        failed += [f"{file.name}: {wrong}"] if wrong else []
    untouched = set(known.values()) - {function_of(file, known) for file in files}
    if pattern == "*" and untouched:
        failed.append(f"no event file for {', '.join(sorted(untouched))}")
    say(f"{len(files)} event files, {len(failed)} failed.")
    return failed


def _check(sam: SamLocal, arguments: argparse.Namespace) -> list[str]:
    if arguments.each:
        return _events(arguments.only, _by_invoke(sam))
    supervisor = Supervisor(Workspace(sam.workspace.path("sam-local")))
    supervisor.stop_leftovers()
    try:
        failed = _events(arguments.only, _by_start_lambda(sam.serve(supervisor, "start-lambda", arguments.port)))
        if arguments.only == "*":
            api = sam.serve(supervisor, "start-api", arguments.port + 1)
            failed += _start_api(api, str(sam.workspace.read("stack.json")["api_key"]))
    finally:
        supervisor.stop_all()
    return failed


def main() -> int:
    """Invoke them all. Return 1 when one failed, or when no file names a function."""
    parser = argparse.ArgumentParser(prog="make test-sam-local", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local", help="where the gateway keeps its state")
    parser.add_argument("--only", default="*", help="a pattern of file names; without start-api")
    parser.add_argument("--each", action="store_true", help="one `sam local invoke` for each file, without start-api")
    parser.add_argument("--port", type=int, default=3010, help="of start-lambda; start-api takes the next one")
    parser.add_argument("--forward", action="store_true", help="only let containers reach the emulator, until Ctrl-C")
    arguments = parser.parse_args()
    workspace = Workspace(arguments.folder.resolve())
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        say("There is no Docker here: sam local needs it. Nothing was tested.")
        return 0
    if sam_local.write(workspace):
        return 1
    sam = SamLocal(workspace, sam_servers.bridged(workspace))
    if arguments.forward:
        say(f"Containers reach the emulator at {sam.endpoint} until Ctrl-C.")
        threading.Event().wait()
    try:
        failed = _check(sam, arguments)
    except Stop as stop:
        say(f"{stop}\n{stop.fix}")
        return 1
    for each in failed:
        say(f"  {each}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
