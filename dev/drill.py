"""`make drill`: runs every procedure of docs/runbook.md on the running local stack, block by block as the page has it.

Each procedure has a director here, which gives its variables and checks between the blocks whether they did what the
page says. Afterwards the stack is as before, except for a used-up API key.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import requests
from botocore.exceptions import BotoCoreError, ClientError

from dev import configuration, drill_subscriptions
from dev.demo import PERSON, Story
from dev.drill_bulk import failed_file, still_job
from dev.drilling import Director, Drill, Failed, expect
from dev.runbook import procedures
from dev.workspace import Workspace
from ops.console import moving, say
from ops.deployed import deployed
from ops.key_table import STACK_FILE, NoStack, local_stack, on_local_stack
from ops.project import ROOT

OTHER_REGION = "eu-west-1"
# The emulator derives roles' names from the stack's, for all regions: a stack of the same name would replace our roles.
ELSEWHERE = "zoom-gateway-far"
_FILES = ("both.json", "new.json", "answer.json", "secret.json", "payload.json")
_CONFIG = ROOT / "samconfig.toml"


def not_delivering(drill: Drill) -> Director:  # noqa: ARG001 - a director's signature
    """Run it once: it measures, and does not fail."""
    printed = yield {}
    expect("FunctionError" not in printed and "errorType" not in printed, printed)


def webhook_secret(drill: Drill) -> Director:
    """Check that both secrets work, then only the new one. Restore Zoom's own at the end."""
    former, new = drill.secret("ZoomWebhookSecret"), secrets.token_urlsafe(16)
    variables = {"OLD_SECRET": drill.facts["webhook_secret"], "NEW_SECRET": new}
    try:
        yield variables
        expect(len(json.loads(drill.secret("ZoomWebhookSecret"))["apps"][0]["secrets"]) == 2, "not both")  # noqa: PLR2004
        yield variables
        yield variables
        expect(json.loads(drill.secret("ZoomWebhookSecret"))["apps"][0]["secrets"] == [{"secret": new}], "not one")
    finally:
        drill.put_secret("ZoomWebhookSecret", former)


def client_secret(drill: Drill) -> Director:
    """Change the secret to itself. tests/e2e/test_vault_runbook.py tests a wrong one."""
    former, signing = drill.secret("ZoomAppSecret"), drill.secret("ZoomMeetingSdkSecret")
    (ROOT / "secret.json").write_text(former)
    yield {}
    expect(drill.secret("ZoomMeetingSdkSecret") == former, "the other secret was not written")
    drill.put_secret("ZoomMeetingSdkSecret", signing)


def api_key(drill: Drill) -> Director:
    """Check that the new secret and the old one work, and that the other key does not any more."""
    (key_id, old), (other_id, other) = drill.new_key(), drill.new_key()
    printed = yield {"KEY_ID": key_id, "OLD_KEY_ID": other_id}
    new = next(line for line in printed.splitlines() if line.startswith("zk_"))
    expect(new != old, "no new secret")
    expect([drill.status("/health/deep", each) for each in (new, old, other)] == [200, 200, 401], "keys")


def too_often(drill: Drill) -> Director:
    """Check that a limit takes effect and is removed."""
    key_id, _ = drill.new_key()
    yield {"KEY_ID": key_id}
    kept = on_local_stack(drill.facts).get(key_id)
    expect(kept is not None and kept.requests_per_minute is None, "the limit stayed")


def kms_keys(drill: Drill) -> Director:  # noqa: ARG001 - a director's signature
    """Run the block, which checks by itself."""
    yield {}


def reconnect(drill: Drill) -> Director:
    """End a person's grant at Zoom. The printed link leads them back to the same connection."""
    with Story(drill.facts) as story:
        connection = story.connect()
    requests.post(f"{drill.facts['zoom_url']}/_sim/users/{PERSON}/revoke", json={}, timeout=10).raise_for_status()
    drill.client("dynamodb").update_item(
        TableName=drill.stack.resource("ConnectionsTable"),
        Key={"pk": {"S": f"{drill.facts['tenant']}#connections"}, "sk": {"S": connection}},
        UpdateExpression="SET access_expires_at = :over",
        ExpressionAttributeValues={":over": {"N": str(time.time() - 1)}},
    )
    expect(drill.status("/v2/users/me/meetings", drill.facts["api_key"], connection) == 409, "still connected")  # noqa: PLR2004
    printed = yield {}
    expect("/auth/zoom/start?ticket=" in printed, "no link")
    with Story(drill.facts) as story:
        expect(story.connect() == connection, "another connection")


def restore(drill: Drill) -> Director:
    """Check that an item lost after the backup comes back, and that the function refreshes again."""
    dynamodb, table = drill.client("dynamodb"), drill.stack.resource("ConnectionsTable")
    item = {"pk": {"S": "drill#restore"}, "sk": {"S": "drill"}}
    dynamodb.put_item(TableName=table, Item={**item, "kept": {"S": "yes"}})
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    yield {}
    yield {"MOMENT": moment}
    dynamodb.delete_item(TableName=table, Key=item)
    printed = yield {}
    expect("1 copied" in printed, printed)
    found = dynamodb.get_item(TableName=table, Key=item, ConsistentRead=True).get("Item", {})
    expect(found.get("kept") == {"S": "yes"}, "the item did not come back")
    dynamodb.delete_item(TableName=table, Key=item)
    yield {}
    function = drill.stack.resource("TokenRefreshFunction")
    reserved = drill.client("lambda").get_function_concurrency(FunctionName=function)
    expect("ReservedConcurrentExecutions" not in reserved, "the function is still stopped")


def zoom_outage(drill: Drill) -> Director:
    """Check that the deep health names Zoom in an outage of Zoom, and is well again afterwards."""
    faults = drill.facts["zoom_url"] + "/_sim/faults"
    fault = requests.post(faults, json={"fault": "503", "target": "users.*"}, timeout=10).json()
    try:
        printed = yield {}
    finally:
        requests.delete(f"{faults}/{fault['id']}", timeout=10)
    expect("'degraded'" in printed or "failing" in printed.split()[1:], printed)


def region_loss(drill: Drill) -> Director:
    """Deploy the whole stack in another region, where it answers."""
    build = Workspace(ROOT / ".local").path("build") / "template.yaml"
    parameters = tomllib.loads(_CONFIG.read_text())["local"]["deploy"]["parameters"]
    parameters["parameter_overrides"] = _parameters(drill)  # values with spaces: a file takes them unchanged
    parameters |= {"stack_name": ELSEWHERE, "s3_bucket": f"{ELSEWHERE}-artifacts"}
    here = {"LocationConstraint": OTHER_REGION}
    with suppress(ClientError):  # left by an earlier drill
        drill.client("s3", OTHER_REGION).create_bucket(Bucket=parameters["s3_bucket"], CreateBucketConfiguration=here)
    lines = [f"{name} = {json.dumps(value)}" for name, value in parameters.items()]
    file = Workspace(ROOT / ".local").path("drill.toml")
    file.write_text("\n".join(["version = 0.1", "[local.deploy.parameters]", *lines, ""]))
    file.chmod(0o600)
    options = f"--config-file {file} --template-file {build}"
    yield {"STACK": ELSEWHERE, "ENVIRONMENT": "local", "OTHER_REGION": OTHER_REGION, "DEPLOY_OPTIONS": options}
    file.unlink()
    there = drill.client("cloudformation", OTHER_REGION).describe_stack_resources(StackName=ELSEWHERE)
    health = next(each for each in there["StackResources"] if each["LogicalResourceId"] == "HealthFunction")
    event = (ROOT / "events" / "health-get.json").read_bytes()
    answer = drill.client("lambda", OTHER_REGION).invoke(
        FunctionName=health["PhysicalResourceId"], Qualifier="live", Payload=event
    )
    expect(json.loads(answer["Payload"].read())["statusCode"] == 200, "no health there")  # noqa: PLR2004


def usage(drill: Drill) -> Director:  # noqa: ARG001 - a director's signature
    """Check that the answer has rows."""
    printed = yield {}
    expect('"rows"' in printed and "FunctionError" not in printed, printed)


def roll_back(drill: Drill) -> Director:
    """Move two functions back a version, then check that the next deploy, of only a parameter, reaches every alias."""
    functions, changed = drill.client("lambda"), ("MeetingsFunction", "ZoomApiFunction")
    resources = drill.client("cloudformation").describe_stack_resources(StackName=drill.stack.name)["StackResources"]
    names = [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::Lambda::Function"]

    def live() -> dict[str, str]:
        return {each: functions.get_alias(FunctionName=each, Name="live")["FunctionVersion"] for each in names}

    def levels() -> set[str]:
        found = [functions.get_function_configuration(FunctionName=each, Qualifier="live") for each in names]
        return {each["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] for each in found}

    before = live()
    for each in map(drill.stack.resource, changed):
        functions.update_function_configuration(FunctionName=each, Description=f"drill {time.time()}")
        version = functions.publish_version(FunctionName=each, Description="settings drill")["Version"]
        functions.update_alias(FunctionName=each, Name="live", FunctionVersion=version)
    yield {"FUNCTIONS": " ".join(changed)}
    expect(live() == before, "an alias is not where it was")
    for level in ("WARNING", "INFO"):
        _deploy(drill, f'LogLevel="{level}"')
        expect(levels() == {level}, f"a changed parameter did not reach the aliases: {levels()}")


def delete(drill: Drill) -> Director:
    """Delete the stack in the other region; its tables stay."""
    asked = {"StackName": ELSEWHERE, "LogicalResourceId": "ConnectionsTable"}
    found = drill.client("cloudformation", OTHER_REGION).describe_stack_resource(**asked)["StackResourceDetail"]
    yield {"STACK": ELSEWHERE, "OTHER_REGION": OTHER_REGION, "RETAINED_TABLE": found["PhysicalResourceId"]}
    kept = drill.client("dynamodb", OTHER_REGION)
    for table in kept.list_tables()["TableNames"]:  # the emulator would give the next drill's tables the same names
        if table.startswith(ELSEWHERE):
            kept.delete_table(TableName=table)


DIRECTORS: dict[str, Callable[[Drill], Director]] = {
    "Zoom has stopped delivering": not_delivering,
    "Rotate the webhook secret token": webhook_secret,
    "Rotate the Zoom app's client secret": client_secret,
    "Rotate an API key": api_key,
    "A caller asks too often": too_often,
    "Rotate the KMS keys": kms_keys,
    "Reconnect at scale": reconnect,
    "Restore from backup": restore,
    "Zoom outage": zoom_outage,
    "Region loss": region_loss,
    "Roll usage up by hand": usage,
    "A job stands still": still_job,
    "An endpoint was disabled": drill_subscriptions.disabled,
    "A subscriber says that events are missing": drill_subscriptions.missing,
    "A signing secret is known to others": drill_subscriptions.secret_is_known,
    "A file does not get into the archive": failed_file,
    "Roll back": roll_back,
    "Delete a stack and keep the data": delete,
}


def _parameters(drill: Drill, *changed: str) -> list[str]:
    described = drill.client("cloudformation").describe_stacks(StackName=drill.stack.name)["Stacks"][0]
    aws_port = int(str(drill.facts["aws_endpoint_url"]).rpartition(":")[2])
    port = int(str(drill.facts["api_url"]).rpartition(":")[2])
    zoom_port = int(str(drill.facts["zoom_url"]).rpartition(":")[2])
    identity = str(drill.facts["oidc_issuer"]).rpartition(":")[2]
    settings = configuration.load(
        Workspace(ROOT / ".local"),
        port=port,
        zoom_port=zoom_port,
        aws_port=aws_port,
        identity_port=int(identity) if identity.isdigit() else None,
    )
    expect(described["StackStatus"].endswith("_COMPLETE"), f"the stack is {described['StackStatus']}")
    return [*settings.parameter_overrides(), *changed]


def _deploy(drill: Drill, *changed: str) -> None:
    sam = str(Path(sys.executable).with_name("sam"))
    build = Workspace(ROOT / ".local").path("build") / "template.yaml"
    command = [sam, "deploy", "--config-file", str(_CONFIG), "--config-env", "local", "--template-file", str(build)]
    done = subprocess.run(
        [*command, "--parameter-overrides", *_parameters(drill, *changed)],
        cwd=ROOT,
        env=drill.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    expect(done.returncode == 0, done.stdout[-600:] + done.stderr[-600:])


def carry_out(drill: Drill, heading: str, shorthands: str, blocks: list[str]) -> None:
    """Run one procedure from its first block to its last. Raises Failed."""
    director = DIRECTORS[heading](drill)
    variables = next(director)
    try:
        for number, block in enumerate(blocks):
            printed = drill.run(shorthands, block, variables)
            try:
                variables = director.send(printed)
            except StopIteration:
                expect(number == len(blocks) - 1, f"the page has {len(blocks)} blocks, the drill fewer")
                return
    finally:
        director.close()
    raise Failed(f"the page has {len(blocks)} blocks, the drill more")


def main() -> int:
    """Return 1 when a procedure failed."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--only", help="procedures whose heading has this in it")
    parser.add_argument("--stack-file", type=Path, default=STACK_FILE, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.stack_name = None
    try:
        drill = Drill(deployed(arguments), local_stack(arguments.stack_file))
    except NoStack as problem:
        say(str(problem))
        return 1
    shorthands, found = procedures()
    failed = 0
    try:
        for heading, blocks in found.items():
            if arguments.only and arguments.only.lower() not in heading.lower():
                continue
            began = time.monotonic()
            try:
                with moving(lambda: f"...    {time.monotonic() - began:6.0f} s  {heading}"):  # noqa: B023 - ends with it
                    carry_out(drill, heading, shorthands, blocks)
            except (Failed, BotoCoreError, ClientError, subprocess.TimeoutExpired) as problem:
                failed += 1
                say(f"FAILED {time.monotonic() - began:6.1f} s  {heading}: {problem}")
            else:
                say(f"ok     {time.monotonic() - began:6.1f} s  {heading}")
    finally:
        for name in _FILES:
            (ROOT / name).unlink(missing_ok=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
