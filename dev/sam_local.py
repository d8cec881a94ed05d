"""`make sam-env`: writes `.local/sam-env.json`, which points functions under `sam local` at the running emulator.

`sam local` resolves no references between resources, so each function gets the variables of its deployed counterpart.
"""

from __future__ import annotations

import sys

from dev import emulator
from dev.workspace import Workspace
from ops.console import say
from ops.key_table import NoStack, local_stack
from ops.project import ROOT


def main() -> int:
    """Write the file for the running stack."""
    return write(Workspace(ROOT / ".local"))


def write(workspace: Workspace) -> int:
    """Write `sam-env.json` for the stack of this workspace. Return 1 when none runs."""
    try:
        stack = local_stack(workspace.stack_file)
    except NoStack as problem:
        say(str(problem))
        return 1
    port = int(stack["aws_endpoint_url"].rpartition(":")[2])
    functions = emulator.client("lambda", port).list_functions(MaxItems=50)["Functions"]
    prefix = f"{stack['stack_name']}-"
    variables = {
        function["FunctionName"].removeprefix(prefix).rpartition("-")[0]: function["Environment"]["Variables"]
        for function in functions
        if function["FunctionName"].startswith(prefix)
    }
    workspace.write("sam-env.json", variables)
    say(f"Wrote {workspace.path('sam-env.json').relative_to(ROOT)} for {len(variables)} functions.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
