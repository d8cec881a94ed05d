"""Every `make` command in the docs works as pasted: its target exists, and its tool takes its arguments."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from ops.key_table import NoStack
from ops.project import ROOT, template_parameters

PAGES = sorted({ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")})
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
# What a person writes in place of <id> and sets before a procedure of the runbook.
_FILLED_IN = {"KEY_ID": "abcdefghijkl", "OLD_KEY_ID": "abcdefghijkl"}
# They look for a stack first, and there is none in the folder of the test.
_TOOLS = {"ops.api_keys", "ops.dlq", "ops.erase", "ops.replay", "ops.restore", "ops.try_again", "ops.unrouted"}
_WRONG_ARGUMENTS = 2


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text()):
            lines = block.replace("\\\n", " ").splitlines()
            found += [(page.relative_to(ROOT).as_posix(), line.strip()) for line in lines if line.startswith("make ")]
    return list(dict.fromkeys(found))


COMMANDS = _commands()
# Those of the web client build it first.
WITH_ARGUMENTS = [each for each in COMMANDS if "ARGS=" in each[1] and not each[1].startswith("make web-")]


def test_the_docs_have_commands() -> None:
    """Otherwise the tests below would test nothing."""
    assert len(WITH_ARGUMENTS) > 10


def test_make_knows_every_target() -> None:
    """`make -n` prints the recipes of targets that exist, and runs nothing."""
    words = {word for _, command in COMMANDS for word in shlex.split(command, comments=True)[1:]}
    targets = sorted(word for word in words if "=" not in word)
    done = subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "command"), WITH_ARGUMENTS)
def test_the_tool_takes_the_arguments(page: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pasted line goes through a shell and make; what arrives is given to the tool, which refuses none of it."""
    module, *arguments = _as_pasted(command.replace("<id>", _FILLED_IN["KEY_ID"]), tmp_path)
    assert not set(arguments) & {each.name for each in ROOT.iterdir()}, (
        f"{page}: a star was taken for a pattern of files"
    )
    if module not in _TOOLS or "--stack-name" in arguments:
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [module, *arguments])
    with suppress(NoStack):
        assert importlib.import_module(module).main() != _WRONG_ARGUMENTS, page


def _as_pasted(command: str, folder: Path) -> list[str]:
    """Run the line with a program in Python's place that notes its arguments; the module and what it is given."""
    program, noted = folder / "python", folder / "noted"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{noted}"\n')
    program.chmod(0o755)
    line = command.replace("make ", f"make --assume-old=.venv/installed BIN={shlex.quote(str(folder))} ", 1)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **_FILLED_IN}
    subprocess.run(["sh", "-c", line], cwd=ROOT, env=environment, check=True, capture_output=True)
    return noted.read_text().splitlines()[1:]


def test_the_terraform_example_names_parameters_and_outputs_of_the_template() -> None:
    """A name that the template does not have would fail on AWS, after minutes."""
    text = (ROOT / "examples" / "terraform" / "main.tf").read_text()
    block = text.partition("  parameters = {")[2].partition("\n  }")[0]
    assert set(re.findall(r"^\s+(\w+)\s+=", block, re.MULTILINE)) <= template_parameters().keys()
    outputs = (ROOT / "template.yaml").read_text().partition("\nOutputs:\n")[2]
    assert all(f"\n  {name}:\n" in f"\n{outputs}" for name in re.findall(r'outputs\["(\w+)"\]', text))
