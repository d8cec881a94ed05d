"""Read the gateway's events from the integration queue. Settings: QUEUE_URL, and the usual ones of AWS."""

from __future__ import annotations

import json
import os

import boto3

SQS = boto3.client("sqs")
QUEUE = os.environ["QUEUE_URL"]


def handle(event: dict) -> None:
    """Do your work here. An event may come twice with the same id: make the work safe to repeat, or remember ids."""
    subject = event["data"].get("payload", {}).get("object", {})  # events about connections have no payload of Zoom's
    print(event["id"], event["type"], subject.get("id", ""), flush=True)


def consume_once(wait: int = 20) -> int:
    """Handle up to ten events; return how many. One that raises stays on the queue and comes again."""
    messages = SQS.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, WaitTimeSeconds=wait).get("Messages", [])
    for message in messages:
        handle(json.loads(message["Body"]))
        SQS.delete_message(QueueUrl=QUEUE, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)


if __name__ == "__main__":
    while True:
        consume_once()
