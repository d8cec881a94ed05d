"""`make events`: prints what comes out of the integration queue, one CloudEvent a line, and takes it off the queue."""

from __future__ import annotations

import contextlib
import json
import sys

import boto3

from dev.workspace import Workspace
from ops.project import ROOT


def main() -> int:
    """Read until Ctrl-C."""
    stack = Workspace(ROOT / ".local").read("stack.json")
    if not stack:
        print("Nothing runs here. Start it with `make run`.", file=sys.stderr)
        return 1
    queue = boto3.client(
        "sqs",
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["aws_region"],
        aws_access_key_id=stack["aws_access_key_id"],
        aws_secret_access_key=stack["aws_secret_access_key"],
    )
    print("Waiting for events. Ctrl-C ends it.", file=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            answer = queue.receive_message(
                QueueUrl=stack["integration_queue_url"], MaxNumberOfMessages=10, WaitTimeSeconds=10
            )
            for message in answer.get("Messages", []):
                print(json.dumps(json.loads(message["Body"]), ensure_ascii=False), flush=True)
                queue.delete_message(QueueUrl=stack["integration_queue_url"], ReceiptHandle=message["ReceiptHandle"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
