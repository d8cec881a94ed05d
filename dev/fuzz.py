"""`python -m dev.fuzz [FOLDER]`: Schemathesis against the gateway that runs in FOLDER, from its own /openapi.json.

No answer may be a server error, and none may have a status that the description does not name. Arguments after FOLDER
go to Schemathesis: `--include-path`, `--max-examples`, `--phases coverage` (every boundary of every member).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx

from dev import demo
from dev.workspace import Workspace
from ops.key_table import NoStack, local_stack
from ops.project import ROOT
from zoom_common.zoom.operations.table import operations

PACKAGE = "schemathesis==4.32.0"
CHECKS = "not_a_server_error,status_code_conformance"
# An administrator, so that reports and other people's settings can be read.
OWNER = "owner@zoom.example"


def main() -> int:
    """Return Schemathesis' exit status."""
    arguments = sys.argv[1:]
    folder = Path(arguments.pop(0)) if arguments and not arguments[0].startswith("-") else ROOT / ".local"
    workspace = Workspace(folder.resolve())
    try:
        stack = local_stack(workspace.stack_file)
    except NoStack as problem:
        print(problem)
        return 1
    with httpx.Client(base_url=stack["zoom_url"]) as zoom:
        (app,) = zoom.get("/_sim/state").json()["apps"]
        scopes = sorted({scope for each in operations() for scope in each.scopes.granular})
        zoom.patch(f"/_sim/apps/{app['client_id']}", json={"scopes": scopes})
        # This tests our answers, not Zoom's limits.
        zoom.patch("/_sim/behaviour", json={"enforce_limits": False})
        try:
            configuration = workspace.path("schemathesis.toml")
            connection = prepare(stack, configuration)
            return subprocess.run(command(stack, connection, configuration, arguments), check=False).returncode
        finally:
            zoom.patch("/_sim/behaviour", json={"enforce_limits": True})


def prepare(stack: dict[str, str], configuration: Path) -> str:
    """Connect, create objects for Schemathesis to name, and write a file with them. Return the connection's id."""
    demo.PERSON = OWNER
    with demo.Story(stack) as story:
        story.program.headers["X-Zoom-Connection"] = connection = story.connect()
        made = {}
        for kind, number in (("meetings", 2), ("webinars", 5)):
            body = {"topic": "Fuzzed", "type": number, "settings": {"approval_type": 1}}
            made[kind] = [story.program.post(f"/v2/users/me/{kind}", json=body).json()["id"] for _ in range(2)]
    lines = ["[parameters]", 'userId = "me"']
    lines += [f'{name} = "{made[kind][0]}"' for name, kind in (("meetingId", "meetings"), ("webinarId", "webinars"))]
    for name, kind in (("meetingId", "meetings"), ("webinarId", "webinars")):
        # A DELETE gets another id.
        lines += ["", "[[operations]]", f"include-name = {json.dumps(f'DELETE /v2/{kind}/{{{name}}}')}"]
        lines += [f'parameters = {{ {name} = "{made[kind][1]}" }}']
    configuration.write_text("\n".join(lines) + "\n")
    return connection


def command(stack: dict[str, str], connection: str, configuration: Path, more: list[str]) -> list[str]:
    """Return the command. It runs in an environment of its own, because it needs other versions than our tools."""
    uv = str(Path(sys.executable).with_name("uv"))
    headers = [f"Authorization: Bearer {stack['api_key']}", f"X-Zoom-Connection: {connection}"]
    return [
        *(uv, "tool", "run", "--quiet", "--python", sys.executable, "--from", PACKAGE, "schemathesis"),
        *("--config-file", str(configuration)),
        *("run", f"{stack['api_url']}/openapi.json", "--url", stack["api_url"], "--checks", CHECKS),
        *(part for header in headers for part in ("--header", header)),
        *("--max-examples", "10", "--seed", "1", "--workers", "2", "--request-timeout", "60", "--no-color"),
        *("--phases", "examples,fuzzing"),
        # These are about a connection that the other calls need, or about its person.
        *("--exclude-path-regex", "^/(auth|connections)"),
        *more,
    ]


if __name__ == "__main__":
    sys.exit(main())
