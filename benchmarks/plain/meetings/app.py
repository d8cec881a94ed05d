"""Create a meeting for a caller: the stack a team would pick today, doing what our function does."""

import json
import os
import time
from typing import Any

import boto3
import requests
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from boto3.dynamodb.conditions import Key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, Field

logger = Logger(service="meetings")
metrics = Metrics(namespace="ZoomGateway", service="meetings")
app = APIGatewayHttpResolver()
table = boto3.resource("dynamodb").Table(os.environ["CONNECTIONS_TABLE"])
kms = boto3.client("kms")
session = requests.Session()
tokens: dict[tuple[str, int], str] = {}


class Recurrence(BaseModel):
    """A series."""

    type: int = Field(ge=1, le=3)
    repeat_interval: int | None = Field(default=None, ge=1, le=90)
    weekly_days: str | None = None
    monthly_day: int | None = Field(default=None, ge=1, le=31)
    end_times: int | None = Field(default=None, ge=1, le=60)
    end_date_time: str | None = None


class MeetingSettings(BaseModel):
    """A meeting's settings."""

    host_video: bool | None = None
    participant_video: bool | None = None
    join_before_host: bool | None = None
    mute_upon_entry: bool | None = None
    waiting_room: bool | None = None
    approval_type: int | None = Field(default=None, ge=0, le=2)
    audio: str | None = None
    auto_recording: str | None = None
    alternative_hosts: str | None = None


class Meeting(BaseModel):
    """A meeting to create."""

    topic: str = Field(max_length=200)
    type: int = 2
    start_time: str | None = None
    duration: int | None = Field(default=None, ge=1)
    timezone: str | None = None
    agenda: str | None = Field(default=None, max_length=2000)
    password: str | None = Field(default=None, max_length=10)
    recurrence: Recurrence | None = None
    settings: MeetingSettings | None = None


@app.post("/v2/users/me/meetings")
def create() -> Response[str]:
    """Zoom's answer."""
    authorizer = app.current_event.raw_event["requestContext"]["authorizer"]["lambda"]
    principal = json.loads(authorizer["principal"])
    if not {"*", "meetings:write"} & set(principal["scopes"]):
        return Response(403, "application/json", json.dumps({"code": 200, "message": "No permission."}))
    meeting = Meeting.model_validate_json(app.current_event.body or "")
    answer = session.post(
        f"{os.environ['ZOOM_API_BASE_URL']}/users/me/meetings",
        headers={"Authorization": f"Bearer {_token(principal['tenant'])}"},
        json=meeting.model_dump(exclude_none=True),
        timeout=25,
    )
    return Response(answer.status_code, "application/json", answer.text)


def _token(tenant: str) -> str:
    found = table.query(
        KeyConditionExpression=Key("pk").eq(f"{tenant}#connections") & Key("sk").begins_with("con_"),
        ConsistentRead=True,
    )
    item: dict[str, Any] = found["Items"][0]
    if item["state"] != "connected" or item["access_expires_at"] < time.time():
        raise RuntimeError("not connected")
    known = item["sk"], int(item["version"])
    if known not in tokens:
        tokens[known] = _opened(bytes(item["sealed_access"].value), tenant, item["sk"])
    return tokens[known]


def _opened(sealed: bytes, tenant: str, connection: str) -> str:
    at = 3 + int.from_bytes(sealed[1:3])
    context = {"tenant": tenant, "connection": connection, "kind": "access_token"}
    key = kms.decrypt(CiphertextBlob=sealed[3:at], KeyId=os.environ["DATA_KEY_ID"], EncryptionContext=context)
    known = json.dumps([1, tenant, connection, "access_token"], separators=(",", ":")).encode()
    return AESGCM(key["Plaintext"]).decrypt(sealed[at : at + 12], sealed[at + 12 :], known).decode()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Route the request."""
    return app.resolve(event, context)
