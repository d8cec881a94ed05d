"""Least privilege against the code, and how long each kind of data is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "zoom_common"
Template = dict[str, Any]

# What AWS asks for on behalf of a function, or of the service that calls it: no line of code says its name.
BY_AWS = {
    "logs:CreateLogStream": "Lambda writes the log",
    "logs:PutLogEvents": "Lambda writes the log",
    "xray:PutTraceSegments": "Lambda writes the trace",
    "xray:PutTelemetryRecords": "Lambda writes the trace",
    "sqs:ReceiveMessage": "Lambda polls the queue",
    "sqs:DeleteMessage": "Lambda polls the queue",
    "sqs:GetQueueAttributes": "Lambda polls the queue",
    "s3:ListBucket": "S3 says 404 of a missing object, and not 403",
    "sqs:SendMessageBatch": "IAM's SendMessage, as the emulator names it",
}
# IAM's name of what the code calls otherwise.
CALLED = {
    "lambda:InvokeFunction": {"invoke"},
    "dynamodb:ConditionCheckItem": {"condition_check", "ConditionCheck"},
    "dynamodb:PutItem": {"put_item", "to_put", "PutItem", '"Put"'},
    "dynamodb:UpdateItem": {"update_item", "to_update", "UpdateItem"},
    "dynamodb:DeleteItem": {"delete_item", "to_delete", "DeleteItem"},
    "dynamodb:Scan": {'"scan"'},
    "sqs:SendMessage": {"send_message", "SendMessage"},
    "secretsmanager:GetSecretValue": {"get_secret_value", "GetSecretValue"},
    "s3:GetObject": {"get_object", 'self._send("HEAD"', ".storage.read("},
    "s3:PutObject": {"put_object", ".put_part("},
    "s3:PutObjectTagging": {"x-amz-tagging"},
    "s3:ListBucket": {
        "list_objects",
        "head_object",
        'self._send("HEAD"',
    },  # without it S3 answers 403 for a key that is not there
    "s3:ListBucketVersions": {".versions("},
    "s3:ListBucketMultipartUploads": {".uploads("},
    "s3:ListMultipartUploadParts": {".parts("},
    "s3:DeleteObject": {"delete_object", ".delete(key, version)"},
    "s3:DeleteObjectVersion": {".delete(key, version)"},
    "s3:AbortMultipartUpload": {".abort("},
}


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def imported(path: Path) -> Iterator[Path]:
    """The modules of the layer that one file imports, at the top or later."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("zoom_common"):
            names = [str(node.module), *(f"{node.module}.{each.name}" for each in node.names)]
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names if each.name.startswith("zoom_common")]
        else:
            continue
        for name in names:
            base = LAYER.joinpath(*name.split("."))
            yield from (file for file in (base.with_suffix(".py"), base / "__init__.py") if file.exists())


def reachable(handler: Path) -> str:
    """All the code that a function can reach, as text."""
    seen, waiting = set[Path](), [handler]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(imported(file))
    return "\n".join(file.read_text() for file in sorted(seen))


def actions(role: dict[str, Any]) -> set[str]:
    found = set()
    for policy in role["Policies"]:
        for each in policy["PolicyDocument"]["Statement"]:
            statement = each["Fn::If"][1] if "Fn::If" in each else each  # an option adds it
            named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            found |= {each if isinstance(each, str) else each["Fn::If"][1] for each in named}
    return found


def snake(action: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", action).lower()


HANDLERS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))


@pytest.mark.parametrize("folder", HANDLERS)
def test_no_role_may_do_what_its_function_never_does(template: Template, folder: str) -> None:
    """Each action is called by name somewhere in the code that this function's handler imports."""
    (function,) = (
        f for f in of_type(template, "AWS::Serverless::Function").values() if f["CodeUri"].endswith(f"/{folder}")
    )
    role = template["Resources"][function["Role"]["Fn::GetAtt"][0]]["Properties"]
    code = reachable(ROOT / "functions" / folder / "handler.py")
    for action in actions(role) - BY_AWS.keys():
        wanted = CALLED.get(action, {snake(action.partition(":")[2]), action.partition(":")[2]})
        assert any(word in code for word in wanted), (folder, action)


def test_polling_is_for_functions_with_a_queue(template: Template) -> None:
    """Receiving and deleting messages is what an event source needs, and who looks at dead letters for operators."""
    for function in of_type(template, "AWS::Serverless::Function").values():
        role = template["Resources"][function["Role"]["Fn::GetAtt"][0]]["Properties"]
        polls = any(event["Type"] == "SQS" for event in function.get("Events", {}).values())
        polls = polls or function["CodeUri"] == "functions/operator"
        assert ("sqs:ReceiveMessage" in actions(role)) == polls


def test_whoever_answers_callers_may_count_their_requests(template: Template) -> None:
    """A function behind the authorizer without this right would answer 500 to a key with a limit."""
    integrations = of_type(template, "AWS::ApiGatewayV2::Integration")
    closed = {
        re.findall(r"\w+", route["Target"]["Fn::Sub"])[-1]
        for route in of_type(template, "AWS::ApiGatewayV2::Route").values()
        if route["AuthorizationType"] == "CUSTOM"
    }
    assert closed
    for name in closed:
        function = re.findall(r"\w+", integrations[name]["IntegrationUri"]["Fn::Sub"])[0]
        role = template["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]
        counting = [
            statement
            for policy in template["Resources"][role]["Properties"]["Policies"]
            for each in policy["PolicyDocument"]["Statement"]
            for statement in [each["Fn::If"][1] if "Fn::If" in each else each]
            if "dynamodb:UpdateItem" in statement["Action"]
            and statement["Resource"] == {"Fn::GetAtt": ["CoordinationTable", "Arn"]}
        ]
        assert counting, function


# Every kind of data that somebody may ask about, the parameter that says how long it is kept, and who is told.
KEPT = {
    "LogRetentionDays": "AWS::Logs::LogGroup",
    "EventRetentionDays": "EVENT_RETENTION_DAYS",
    "ProjectionRetentionDays": "PROJECTION_RETENTION_DAYS",
    "UsageRetentionDays": "USAGE_RETENTION_DAYS",
}


@pytest.mark.parametrize("parameter", KEPT)
def test_how_long_data_is_kept_is_a_parameter(template: Template, parameter: str) -> None:
    """With bounds, a default, and somebody who keeps to it."""
    described = template["Parameters"][parameter]
    assert described["Type"] == "Number"
    assert "Default" in described
    assert "AllowedValues" in described or {"MinValue", "MaxValue"} <= described.keys()
    configured = KEPT[parameter]
    if configured.startswith("AWS::"):
        assert all(group["RetentionInDays"] == {"Ref": parameter} for group in of_type(template, configured).values())
        return
    readers = [
        function
        for function in of_type(template, "AWS::Serverless::Function").values()
        if function["Environment"]["Variables"].get(configured) == {"Ref": parameter}
    ]
    assert readers


def test_every_retention_parameter_is_on_the_list(template: Template) -> None:
    """A new kind of data is a new line above, and in docs/compliance.md."""
    named = {name for name in template["Parameters"] if name.endswith("RetentionDays")}
    assert named == set(KEPT)
    page = (ROOT / "docs" / "compliance.md").read_text()
    assert [name for name in named if name not in page] == []


def test_no_queue_keeps_a_message_for_longer_than_two_weeks(template: Template) -> None:
    """Every queue sets its retention, and none above two weeks."""
    assert all(queue["MessageRetentionPeriod"] <= 1_209_600 for queue in of_type(template, "AWS::SQS::Queue").values())


def test_every_bucket_is_private_and_encrypted(template: Template, web_template: Template) -> None:
    """Whatever is put there."""
    buckets = of_type(template, "AWS::S3::Bucket") | of_type(web_template, "AWS::S3::Bucket")
    assert buckets
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: str(path.name))
def test_workflows_pin_their_actions_and_keep_no_keys(workflow: Path) -> None:
    """By commit, with the version beside it; permissions are named; AWS is reached by OIDC."""
    text = workflow.read_text()
    uses = re.findall(r"uses: (\S+)(.*)", text)
    assert uses
    for action, comment in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    assert "\npermissions:" in text
    assert "write-all" not in text
    assert not re.search(r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)", text)
