"""Verify a delivery and queue it, with boto3: the webhook most teams would write, done correctly."""

import base64
import hashlib
import hmac
import json
import os
import time
from typing import Any

import boto3

sqs = boto3.client("sqs")
secrets_manager = boto3.client("secretsmanager")
QUEUE_URL = os.environ["INGEST_QUEUE_URL"]
SECRETS = json.loads(
    secrets_manager.get_secret_value(SecretId=os.environ["ZOOM_WEBHOOK_SECRET_ARN"])["SecretString"],
)
WINDOW = 5 * 60


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes both
    """Answer 200 once the delivery is in SQS."""
    headers = {name.lower(): value for name, value in event["headers"].items()}
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()
    stamp = headers.get("x-zm-request-timestamp", "0")
    if abs(time.time() - int(stamp)) > WINDOW:
        return {"statusCode": 401, "body": ""}
    message = b"v0:" + stamp.encode() + b":" + body
    for app in SECRETS["apps"]:
        for entry in app["secrets"]:
            expected = "v0=" + hmac.new(entry["secret"].encode(), message, hashlib.sha256).hexdigest()
            if hmac.compare_digest(expected, headers.get("x-zm-signature", "")):
                return _accept(app["app"], entry["secret"], body)
    return {"statusCode": 401, "body": ""}


def _accept(app: str, secret: str, body: bytes) -> dict[str, Any]:
    payload = json.loads(body)
    if payload.get("event") == "endpoint.url_validation":
        token = payload["payload"]["plainToken"]
        encrypted = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        return {"statusCode": 200, "body": json.dumps({"plainToken": token, "encryptedToken": encrypted})}
    sqs.send_message(
        QueueUrl=QUEUE_URL,
        MessageBody=body.decode(),
        MessageAttributes={"app": {"DataType": "String", "StringValue": app}},
    )
    return {"statusCode": 200, "body": "{}"}
