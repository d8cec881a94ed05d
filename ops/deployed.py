"""The deployed stack of a command: the local one (`.local/stack.json`), or one on AWS by its name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from ops.console import say
from ops.key_table import OR_ON_AWS, STACK_FILE, NoStack, local_stack

_CONFIG = Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})


@dataclass(frozen=True)
class Deployed:
    """One stack, with clients for everything in it."""

    name: str
    session: boto3.session.Session = field(repr=False)
    endpoint: str | None = None
    local_api: str = ""
    """The address of a local stack's API; empty for a stack on AWS."""

    def client(self, service: str) -> Any:
        """Return a client for the stack's region and account."""
        return self.session.client(service, endpoint_url=self.endpoint, config=_CONFIG)  # type: ignore[call-overload]

    @cached_property
    def _resources(self) -> dict[str, str]:
        found = self.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def has(self, logical_id: str) -> bool:
        """Return whether the stack has a resource. Options that are off deploy nothing."""
        return logical_id in self._resources

    def resource(self, logical_id: str) -> str:
        """Return the physical id of a resource of the template. Raises NoStack."""
        if logical_id not in self._resources:
            raise NoStack(f"The stack {self.name} has no {logical_id}: is it this gateway, and deployed to the end?")
        return self._resources[logical_id]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the stack."""
    parser.add_argument("--stack-name", help="a stack on AWS; without it, the local one")
    parser.add_argument("--region", help="where that stack is")
    parser.add_argument("--stack-file", type=Path, default=STACK_FILE, help=argparse.SUPPRESS)


def deployed(arguments: argparse.Namespace) -> Deployed:
    """Return the stack that the arguments name. Raises NoStack."""
    if arguments.stack_name:
        return Deployed(arguments.stack_name, boto3.session.Session(region_name=arguments.region))
    stack = local_stack(arguments.stack_file, otherwise=OR_ON_AWS)
    session = boto3.session.Session(
        aws_access_key_id=stack.get("aws_access_key_id", "test"),
        aws_secret_access_key=stack.get("aws_secret_access_key", "test"),
        region_name=stack.get("aws_region"),
    )
    return Deployed(str(stack["stack_name"]), session, stack.get("aws_endpoint_url"), stack.get("api_url", ""))


def run(main: Callable[[], int]) -> None:
    """Run a command and exit with its status.

    An error of AWS, or of the way to it, is one sentence and exit status 1.
    """
    try:
        status = main()
    except NoRegionError:
        status = _refused("AWS has to be asked in a region: set AWS_DEFAULT_REGION, or name one with --region.")
    except NoCredentialsError:
        status = _refused("There are no AWS credentials here: set AWS_PROFILE, or sign in.")
    except (BotoCoreError, ClientError) as problem:
        status = _refused(f"AWS could not be asked: {problem}")
    sys.exit(status)


def _refused(sentence: str) -> int:
    say(sentence)
    return 1
