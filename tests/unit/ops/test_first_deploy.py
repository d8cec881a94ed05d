"""A first deploy ends with a stack that has worked once, and of which no alarm rings."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops import deploy as aws_deploy
from ops import first_deploy
from ops.project import ROOT

CONFIGURED = {stage: {"deploy": {"parameters": {"stack_name": stage}}} for stage in aws_deploy.STAGES}
NAMES = [*first_deploy.ONCE, *first_deploy.SILENCE]


class Aws:
    """One account: each call is kept, and the alarms are in these states, one after the other."""

    def __init__(self, *states: str, fails: str = "") -> None:
        self.states = list(states)
        self.fails = fails
        self.invoked: list[tuple[str, bytes]] = []

    def client(self, _service: str) -> Any:
        return self

    def describe_stack_resources(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if self.fails == "AccessDenied":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStackResources")
        return {"StackResources": [{"LogicalResourceId": n, "PhysicalResourceId": f"{StackName}-{n}"} for n in NAMES]}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.invoked.append((FunctionName, Payload))
        return {"FunctionError": "Unhandled"} if self.fails == "function" else {"StatusCode": 200}

    def describe_alarms(self, *, AlarmNames: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert AlarmNames == ["s-SweepMissingAlarm", "s-RollupMissingAlarm"]
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"MetricAlarms": [{"StateValue": state} for _ in AlarmNames]}


def test_sweep_and_rollup_run_and_the_alarms_are_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Through the alias, with what the schedules send; the wait ends as soon as both alarms are OK."""
    aws = Aws("ALARM", "INSUFFICIENT_DATA", "OK")
    slept: list[float] = []
    first_deploy.work_once(aws, "s", slept.append)
    assert aws.invoked == [
        ("s-TokenRefreshFunction:live", b'{"action":"sweep"}'),
        ("s-UsageFunction:live", b'{"action":"roll_up"}'),
    ]
    assert len(slept) == 2
    assert capsys.readouterr().out == ""


def test_the_template_has_the_same_inputs() -> None:
    """What runs once is what the two schedules ask for."""
    text = (ROOT / "template.yaml").read_text()
    for asked in first_deploy.ONCE.values():
        assert f"Input: '{asked.decode()}'" in text


@pytest.mark.parametrize(
    ("aws", "said"),
    [
        (Aws("OK", fails="function"), "TokenRefreshFunction failed"),
        (Aws("OK", fails="AccessDenied"), "could not be started"),
        (Aws("ALARM"), "still wait for data"),
    ],
    ids=["function", "refused", "no data"],
)
def test_what_fails_is_said_and_the_deploy_goes_on(aws: Aws, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The schedules run both again; nothing here ends a deploy that has succeeded."""
    first_deploy.work_once(aws, "s", lambda _: None)
    assert said in capsys.readouterr().out


def test_nobody_is_subscribed_before_the_alarms_are_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mailbox comes with the second deploy, after the first work."""
    done: list[Any] = []

    def deployed(_stage: str, values: dict[str, str], *_others: object) -> int:
        done.append(dict(values))
        return 0

    monkeypatch.setattr(aws_deploy, "_sam_deploy", deployed)
    monkeypatch.setattr(first_deploy, "work_once", lambda _session, stack: done.append(stack))
    values = {"AlarmEmail": "ops@example.com", "ZoomPlan": "pro"}
    assert aws_deploy.deploy("dev", values, CONFIGURED, [], first=True) == 0
    assert done == [{"ZoomPlan": "pro"}, "dev", values]
