"""The table of API keys of a stack: of the local stack (`.local/stack.json`), or of one on AWS by its name."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from zoom_common.access.key_store import ApiKeyStore
from zoom_common.aws.table import Table

STACK_FILE = Path(".local/stack.json")
_OUTPUT = "ConnectionsTable"
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


class NoStack(Exception):
    """There is no stack to work on. The message says what to do."""


OR_ON_AWS = ", or name one on AWS: --stack-name"


def local_stack(path: Path = STACK_FILE, *, otherwise: str = "") -> dict[str, Any]:
    """Return what `make run` wrote about the local stack. Raises NoStack when that has stopped or is still starting.

    `otherwise` names what the user can do instead of starting it, such as OR_ON_AWS.
    """
    try:
        stack = json.loads(path.read_text())
        found = {**stack, "connections_table": stack["connections_table"]}
    except FileNotFoundError:
        raise NoStack(f"There is no local stack: start it with `make run`{otherwise}.") from None
    except (ValueError, KeyError, TypeError):
        raise NoStack(f"{path} is not complete: stop and start the local stack (`make run`).") from None
    if not _answers(found.get("aws_endpoint_url")):
        raise NoStack(f"The local stack has stopped: start it with `make run`{otherwise}.")
    return found


def _answers(url: str | None) -> bool:
    """Return whether the emulator's port accepts a connection within a second. Without an address, assume so."""
    if url is None:
        return True
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1):
            return True
    except OSError:
        return False


def on_local_stack(stack: Mapping[str, Any]) -> ApiKeyStore:
    """Return the keys of the local stack."""
    session = boto3.session.Session(
        # An emulator accepts any credentials; for one that enforces IAM, the file has them.
        aws_access_key_id=stack.get("aws_access_key_id", "test"),
        aws_secret_access_key=stack.get("aws_secret_access_key", "test"),
        region_name=stack.get("aws_region"),
    )
    dynamodb = session.client("dynamodb", endpoint_url=stack.get("aws_endpoint_url"), config=_CONFIG)
    return ApiKeyStore(Table(dynamodb, stack["connections_table"]))


def on_aws(stack_name: str, *, region: str | None = None) -> ApiKeyStore:
    """Return the keys of a deployed stack, with the ordinary AWS credentials. Raises NoStack."""
    session = boto3.session.Session(region_name=region)
    try:
        stacks = session.client("cloudformation", config=_CONFIG).describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise NoStack(f"There is no stack {stack_name} in {session.region_name}.") from None
        raise
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", [])}
    if _OUTPUT not in outputs:
        raise NoStack(f"The stack {stack_name} has no output {_OUTPUT}: is it this gateway, and deployed to the end?")
    return ApiKeyStore(Table(session.client("dynamodb", config=_CONFIG), outputs[_OUTPUT]))
