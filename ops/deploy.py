"""`make deploy STAGE=prod`: `sam deploy` for one stage, with what `.env.prod` says and nothing to answer.

What `samconfig.toml` says of the stage stays; `.env.<stage>` adds to it, by the names of `.env` or the template's own.
Parameters that neither names keep their values, or their defaults. They travel in a file that only its owner reads, and
on no command line.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from samcli.yamlhelper import yaml_parse

from dev.configuration import PARAMETERS
from dev.workspace import ROOT
from ops.console import Stop, say

STAGES = ("dev", "prod")
# Without these there is nothing to connect to and nothing to verify.
NEEDED = ("ZoomClientId", "ZoomClientSecret", "ZoomWebhookSecretToken")


def named(values: Mapping[str, str | None], known: Iterable[str]) -> dict[str, str]:
    """Values by the template's names. Raises Stop for a name that is none of them."""
    found = {PARAMETERS.get(name, name): value for name, value in values.items() if value}
    if strange := sorted(set(found) - set(known)):
        raise Stop(f"Nobody knows {', '.join(strange)}.", "The names are those of .env.example and of template.yaml.")
    return found


def configuration(stage: str, values: Mapping[str, str], configured: Mapping[str, Any]) -> str:
    """A configuration file for `sam deploy` with the one environment `default`."""
    parameters = dict(configured[stage]["deploy"]["parameters"])
    own = dict(each.split("=", 1) for each in parameters["parameter_overrides"])
    parameters["parameter_overrides"] = [f'{name}="{value}"' for name, value in {**own, **values}.items()]
    lines = [f"{name} = {json.dumps(value)}" for name, value in parameters.items()]
    return "\n".join(["version = 0.1", "[default.deploy.parameters]", *lines, ""])


def _values(stage: str, *, update: bool) -> dict[str, str]:
    file = ROOT / f".env.{stage}"
    values = named(dotenv_values(file), yaml_parse((ROOT / "template.yaml").read_text())["Parameters"])
    absent = [name for name in NEEDED if name not in values]
    if absent and not update:
        raise Stop(
            f"{file.name} does not say {', '.join(absent)}.",
            f"Copy .env.example to {file.name} and fill it in; or say --update, for a stack that has them.",
        )
    if not (ROOT / ".aws-sam" / "build" / "template.yaml").exists():
        raise Stop("Nothing is built.", "Run `make build` first.")
    return values


def main() -> int:
    """The exit status of `sam deploy`; 1 when something is missing. Other arguments go to `sam deploy` as they are."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--update", action="store_true", help="the stack is there and keeps what is not said")
    arguments, others = parser.parse_known_args()
    try:
        values = _values(arguments.stage, update=arguments.update)
    except Stop as stop:
        say(f"{stop}\n{stop.fix}")
        return 1
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "samconfig.toml"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(configuration(arguments.stage, values, configured))
        command = [str(Path(sys.executable).with_name("sam")), "deploy", "--config-file", str(file), *others]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
