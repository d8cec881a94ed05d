"""`make deploy STAGE=prod`: runs `sam deploy` for one stage with the values of `.env.prod`, without questions.

The values of `samconfig.toml` apply; `.env.<stage>` adds to them, with the names of `.env` or the template's own. Other
parameters keep their values, or their defaults. Values are passed in a file that only its owner can read, and never on
a command line.

First it checks the region and the account (`ops/regions.py`, `ops/account_limits.py`) and whether the stack is in a
state that can be deployed to. After a release that was rolled back it sets `Attempt`, because Lambda publishes no
version twice. A first deploy is followed by `ops/first_deploy.py`.
https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from dotenv import dotenv_values
from samcli.yamlhelper import yaml_parse

from ops import account_limits, first_deploy, regions
from ops.console import Stop, say
from ops.project import PARAMETERS, ROOT

STAGES = ("dev", "prod")
# Without these, nobody can connect and no event can be verified.
NEEDED = ("ZoomClientId", "ZoomClientSecret", "ZoomWebhookSecretToken")
# A stack in one of these states can only be deleted.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
NEVER_DEPLOYED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}
ROLLED_BACK = "UPDATE_ROLLBACK_COMPLETE"
PROTECTED = {"ProtectTables": "on"}


def named(values: Mapping[str, str | None], known: Iterable[str]) -> dict[str, str]:
    """Return the values by the template's names. Raises Stop for an unknown name."""
    found = {PARAMETERS.get(name, name): value for name, value in values.items() if value}
    if strange := sorted(set(found) - set(known)):
        raise Stop(f"Nobody knows {', '.join(strange)}.", "The names are those of .env.example and of template.yaml.")
    return found


def configuration(stage: str, values: Mapping[str, str], configured: Mapping[str, Any]) -> str:
    """Return a configuration file for `sam deploy` with the one environment `default`."""
    parameters = dict(configured[stage]["deploy"]["parameters"])
    own = dict(each.split("=", 1) for each in parameters["parameter_overrides"])
    parameters["parameter_overrides"] = [f'{name}="{value}"' for name, value in {**own, **values}.items()]
    lines = [f"{name} = {json.dumps(value)}" for name, value in parameters.items()]
    return "\n".join(["version = 0.1", "[default.deploy.parameters]", *lines, ""])


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack, with its parameters."""

    name: str
    status: str
    parameters: Mapping[str, str]
    webhook: str | None = None
    """The name of its webhook function, if it has one."""


def existing(cloudformation: Any, name: str) -> Stack | None:
    """Return the stack of that name, or None. Raises Stop for one whose first deploy has failed."""
    try:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as problem:
        if problem.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    status = found["StackStatus"]
    if status == "REVIEW_IN_PROGRESS":  # a change set was made, and nothing else yet
        return None
    if status in NEVER_DEPLOYED:
        raise Stop(
            f"The first deploy of {name} failed and was rolled back ({status}); nothing more can be deployed to it.",
            f"Read why (aws cloudformation describe-stack-events --stack-name {name}), then remove it, which loses "
            f"nothing, and deploy again:\naws cloudformation delete-stack --stack-name {name}",
        )
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    names = {each["LogicalResourceId"]: each.get("PhysicalResourceId") for each in resources}
    return Stack(name, status, parameters, names.get("WebhookFunction"))


def check_web(values: Mapping[str, str], stack: Stack | None) -> None:
    """Raise Stop for a web client without an address: the stack of an earlier release would lose the address it has."""
    effective = {**(stack.parameters if stack else {}), **values}
    if effective.get("WebClient") == "on" and not effective.get("PublicBaseUrl"):
        raise Stop(
            "WebClient=on needs PublicBaseUrl, the web client's address.",
            "Run make web-deploy, which makes the hosting and prints its address (docs/web.md).",
        )


def check_account(template: Mapping[str, Any], values: Mapping[str, str], stack: Stack | None) -> None:
    """Raise Stop when the account has no room for this deploy."""
    effective = {**(stack.parameters if stack else {}), **values}
    found = account_limits.account(boto3.client("lambda"), stack.webhook if stack else None)
    queues, webhook = account_limits.maxima(template, effective), account_limits.reserved(template, effective)
    account_limits.check(found, queues=queues, webhook=webhook)


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
    """Return the exit status of `sam deploy`, or 1 when something is missing.

    Unknown arguments are passed to `sam deploy`.
    """
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--update", action="store_true", help="the stack exists; values that are not given stay")
    parser.add_argument("--unchecked", action="store_true", help="do not check the account's limits")
    arguments, others = parser.parse_known_args()
    try:
        values = _values(arguments.stage, update=arguments.update)
        configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
        name = configured[arguments.stage]["deploy"]["parameters"]["stack_name"]
        stack = existing(boto3.client("cloudformation"), name)
        check_web(values, stack)
        values = again(values, stack, now=time.time())
        if not arguments.unchecked:
            regions.check(boto3.session.Session().region_name)
            check_account(yaml_parse((ROOT / "template.yaml").read_text()), values, stack)
    except Stop as stop:
        say(f"{stop}\n{stop.fix}")
        return 1
    except (BotoCoreError, ClientError) as problem:
        say(f"AWS did not say what this account allows: {problem}\nCheck credentials and region, or say --unchecked.")
        return 1
    return deploy(arguments.stage, values, configured, others, first=stack is None)


def again(values: dict[str, str], stack: Stack | None, *, now: float) -> dict[str, str]:
    """Return the values with a new `Attempt` if the release before was rolled back, else unchanged."""
    if stack is None or stack.status != ROLLED_BACK or "Attempt" in values:
        return values
    return {**values, "Attempt": str(int(now))}


def deploy(
    stage: str, values: Mapping[str, str], configured: Mapping[str, Any], others: list[str], *, first: bool
) -> int:
    """Run `sam deploy` and return its exit status. A first deploy is followed by a second one.

    The second one subscribes AlarmEmail and, for `prod`, protects the tables, because a protected table would stay when
    a first deploy is rolled back.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    whole = {**(PROTECTED if stage == "prod" else {}), **values}
    if not first:
        return _sam_deploy(stage, whole, configured, others)
    begun = {name: value for name, value in whole.items() if name not in first_deploy.LATER}
    status = _sam_deploy(stage, begun, configured, others)
    if status:
        return status
    first_deploy.work_once(boto3.session.Session(), configured[stage]["deploy"]["parameters"]["stack_name"])
    if begun == whole:
        return 0
    say(f"The stack is deployed. Now for {' and '.join(sorted(whole.keys() - begun.keys()))}.")
    return _sam_deploy(stage, whole, configured, [*others, "--no-confirm-changeset"])


def _sam_deploy(stage: str, values: Mapping[str, str], configured: Mapping[str, Any], others: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "samconfig.toml"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(configuration(stage, values, configured))
        command = [str(Path(sys.executable).with_name("sam")), "deploy", "--config-file", str(file), *others]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
