"""`python -m dev.clients [FOLDER]`: run each client library's calls against the gateway that runs in FOLDER.

Every library is installed unchanged from PyPI or npm into an environment of its own under .local/clients. Each program
below `programs` names at its top the URLs that it replaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from dev.demo import Story
from ops.key_table import NoStack, local_stack, on_local_stack
from ops.project import ROOT
from zoom_common.access.keys import Credential, issue

PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = ROOT / ".local" / "clients"
PYTHON = {
    "zoomus": "zoomus==1.2.1",
    "pyzoom": "pyzoom==1.0.8",
    "zoom_python_client": "zoom-python-client==0.2.3",
}
OWNER = "owner@zoom.example"
RIVET = "@zoom/rivet@0.4.0"


def main() -> int:
    """Run them all. Return the number of those that failed."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".local"
    try:
        environment = settings(local_stack(folder / "stack.json"))
    except NoStack as problem:
        print(problem)
        return 1
    commands = {name: python(name, package) for name, package in PYTHON.items()}
    if shutil.which("npm"):
        commands["rivet"] = rivet()
        environment["CLIENT_FOLDER"] = str(ENVIRONMENTS / "rivet")
    else:
        print("rivet: left out, there is no npm here")
    failed = [
        name for name, command in commands.items() if subprocess.run(command, env=environment, check=False).returncode
    ]
    for name in failed:
        print(f"{name}: FAILED")
    return len(failed)


def settings(stack: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program: the gateway, the id and secret of a key, and a connection of its own."""
    with Story(stack) as story:
        connection = story.connect(OWNER)  # a user who may use everything that the libraries offer
    # Not every library can name a connection, so the key is bound to one.
    credential = Credential.generate()
    key = issue(
        credential, tenant=stack["tenant"], name="clients", scopes=["*"], connection=connection, now=time.time()
    )
    on_local_stack(dict(stack)).add(key)
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "PYTHONUTF8": "1",
        "GATEWAY_URL": stack["api_url"],
        "GATEWAY_KEY_ID": key.key_id,
        "GATEWAY_KEY_SECRET": credential.secret.reveal(),
        "GATEWAY_CONNECTION": connection,
    }


def python(name: str, package: str) -> list[str]:
    """Make an environment with one library from PyPI. Return the command that runs its calls there."""
    home = ENVIRONMENTS / name
    interpreter = home / "bin" / "python"
    if not interpreter.exists():
        uv = [str(Path(sys.executable).with_name("uv"))]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(interpreter), package], check=True)
    return [str(interpreter), str(PROGRAMS / f"{name}_calls.py")]


def rivet() -> list[str]:
    """Make a folder with Rivet from npm. Return the command that runs its calls."""
    home = ENVIRONMENTS / "rivet"
    if not (home / "node_modules").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true}\n')
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", RIVET], cwd=home, check=True)
    return ["node", str(PROGRAMS / "rivet_calls.mjs")]


if __name__ == "__main__":
    sys.exit(main())
