"""`make web-deploy ARGS="--stack-name zoom-gateway"`: deploys the web client's hosting, a stack of its own.

Its name is that of the gateway's stack with `-web` at the end, and its parameters come from there. It prints the
settings for the gateway's next deploy: `WebClient=on` and its address as `PublicBaseUrl`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

from ops.console import Stop, say
from ops.deployed import run
from ops.project import ROOT
from zoom_common.aws.endpoints import endpoint

TEMPLATE = ROOT / "web" / "template.yaml"
# The gateway's buckets that browsers reach by presigned addresses, by their names in template.yaml.
BUCKETS = frozenset({"ArchiveBucket", "JobsBucket"})


def name_of(stack: str) -> str:
    """Return the name of the stack that hosts the web client of a gateway's stack."""
    return f"{stack}-web"


def storage_origins(cloudformation: Any, stack: str) -> str:
    """Return the origins of the buckets that pages send files to and play recordings from, separated by spaces.

    Presigned addresses name the bucket in the host:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    listed = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in listed
        for each in page["StackResourceSummaries"]
        if each["LogicalResourceId"] in BUCKETS and each["ResourceStatus"] != "DELETE_COMPLETE"
    }
    _, _, host = endpoint("s3", {"AWS_REGION": cloudformation.meta.region_name}).partition("://")
    return " ".join(f"https://{names[each]}.{host}" for each in sorted(names))


def parameters(stack: Mapping[str, Any], storage: str = "") -> list[dict[str, str]]:
    """Return the parameters of the web client's stack for a gateway's described stack. Raises Stop for others.

    `storage` has the origins of the gateway's buckets.
    """
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    if "ApiUrl" not in outputs:
        raise Stop("This stack is not a gateway.", "Name the stack that make deploy has made.")
    values = {
        "ApiDomain": urlsplit(outputs["ApiUrl"]).netloc,
        "WebIdentityOrigins": given.get("WebIdentityOrigins", ""),
        "StorageOrigins": storage,
    }
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def deploy(cloudformation: Any, stack: str) -> dict[str, str]:
    """Create or update the web client's stack and wait for it; return its outputs. Raises Stop."""
    name = name_of(stack)
    (gateway,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    given = parameters(gateway, storage_origins(cloudformation, stack))
    asked = {"StackName": name, "TemplateBody": TEMPLATE.read_text(), "Parameters": given}
    try:
        done = "stack_update_complete"
        cloudformation.update_stack(**asked)
    except ClientError as problem:
        if "No updates are to be performed" in str(problem):
            return _outputs(cloudformation, name)
        if "does not exist" not in str(problem):
            raise
        done = "stack_create_complete"
        cloudformation.create_stack(**asked)
    cloudformation.get_waiter(done).wait(StackName=name)
    return _outputs(cloudformation, name)


def _outputs(cloudformation: Any, name: str) -> dict[str, str]:
    (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def main() -> int:
    """Deploy the hosting of the stack that is named. Exit status 1 when that cannot be done."""
    parser = argparse.ArgumentParser(prog="make web-deploy ARGS=...", description=__doc__)
    parser.add_argument("--stack-name", required=True, help="the gateway's stack")
    arguments = parser.parse_args()
    try:
        outputs = deploy(boto3.client("cloudformation"), arguments.stack_name)
    except Stop as stop:
        say(f"{stop}\n{stop.fix}")
        return 1
    say(f"The web client's address is {outputs['WebUrl']}.")
    say(f"Deploy the gateway with WebClient=on and PublicBaseUrl={outputs['WebOrigin']}, then run make web-upload.")
    return 0


if __name__ == "__main__":
    run(main)
