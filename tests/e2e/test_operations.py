"""What operators use, on the deployed stack: deep health, usage, alarms and dashboards, one id throughout."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.emulator import client_of
from tests.fakes.waiting import CALL_SECONDS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.e2e


def physical(stack: dict[str, Any], name: str) -> str:
    found = client_of(stack, "cloudformation").describe_stack_resource(
        StackName=stack["stack_name"], LogicalResourceId=name
    )["StackResourceDetail"]
    return str(found["PhysicalResourceId"])


def test_deep_health_reaches_everything_with_the_roles_it_has(api: httpx.Client) -> None:
    """Tables, key, queues and Zoom answer under the health function's own role; the route needs a key."""
    found = api.get("/health/deep")
    assert found.status_code == 200
    checks = found.json()["checks"]
    for name in ("connections_table", "events_table", "coordination_table", "data_key", "zoom", "queue_ingest"):
        assert checks[name]["status"] == "ok", checks[name]
    assert httpx.get(f"{api.base_url}/health/deep", timeout=CALL_SECONDS).status_code == 401


def test_usage_is_rolled_up_under_its_own_role(api: httpx.Client, stack: dict[str, Any]) -> None:
    """A day that is over is kept, and asked for over HTTP."""
    day = int(time.time() // 86_400) - 1
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(day * 86_400))
    client_of(stack, "dynamodb").put_item(
        TableName=stack["coordination_table"],
        Item={
            "pk": {"S": f"usage#{yesterday}"},
            "sk": {"S": f"{stack['tenant']}#con_rolled#meetings.get"},
            **{name: {"N": "3"} for name in ("calls", "requests", "refused")},
        },
    )
    function = physical(stack, "UsageFunction")
    answer = client_of(stack, "lambda").invoke(FunctionName=function, Payload=b'{"action":"roll_up"}')
    assert json.loads(answer["Payload"].read())["rows"] >= 1
    (item,) = client_of(stack, "dynamodb").query(
        TableName=stack["events_table"],
        KeyConditionExpression="pk = :pk",
        FilterExpression="calls = :three",
        ExpressionAttributeValues={":pk": {"S": f"{stack['tenant']}#usage"}, ":three": {"N": "3"}},
    )["Items"]
    assert item["sk"]["S"] == f"{yesterday}#con_rolled#meetings.get"
    listed = api.get("/usage", params={"connection": "con_rolled"}).json()
    assert (listed["totals"]["calls"], listed["usage"][0]["date"]) == (3, yesterday)


def test_alarms_and_dashboards_are_deployed(stack: dict[str, Any]) -> None:
    """Alarms and dashboards are as in the template, and each alarm has a description and an action."""
    cloudwatch = client_of(stack, "cloudwatch")
    alarms = cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]
    template = (ROOT / "template.yaml").read_text()
    assert len(alarms) == template.count("Type: AWS::CloudWatch::Alarm")
    assert all(each["AlarmDescription"] and each["AlarmActions"] for each in alarms)
    dashboards = template.count("Type: AWS::CloudWatch::Dashboard")
    assert len(cloudwatch.list_dashboards()["DashboardEntries"]) == dashboards


def test_a_callers_id_comes_back_with_the_answer(api: httpx.Client) -> None:
    """Through API and function."""
    answered = api.get("/usage", headers={"X-Correlation-Id": "order-4711"})
    assert answered.headers["x-correlation-id"] == "order-4711"
