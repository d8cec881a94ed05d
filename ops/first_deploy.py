"""What follows a first deploy: the sweep and the rollup run once, so that their alarms have data.

Two alarms are on when something has not run. A new stack has no data yet, which CloudWatch treats at once like a
missing run. So nobody is subscribed yet (AlarmEmail comes with the second deploy), both run now, and this waits for
their metrics. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.console import say

LATER = ("AlarmEmail", "ProtectTables")
"""Parameters that a first deploy leaves out."""
ONCE = {"TokenRefreshFunction": b'{"action":"sweep"}', "UsageFunction": b'{"action":"roll_up"}'}
"""What runs, by the function's logical id, with the event that its schedule sends."""
SILENCE = ("SweepMissingAlarm", "RollupMissingAlarm")
_TRIES, _SECONDS = 40, 15


def work_once(session: Any, stack: str, sleep: Callable[[float], object] = time.sleep) -> None:
    """Run both and wait until the alarms have the data. Failures are printed; the schedules run both again anyway."""
    try:
        resources = session.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
        for function, asked in ONCE.items():
            answer = session.client("lambda").invoke(FunctionName=f"{names[function]}:live", Payload=asked)
            if "FunctionError" in answer:
                say(f"{function} failed: read its log (saved query failures).")
                return
        if not _are_quiet(session.client("cloudwatch"), [names[each] for each in SILENCE], sleep):
            say(f"{' and '.join(SILENCE)} still wait for data; docs/runbook.md says what to look at.")
    except (BotoCoreError, ClientError) as problem:
        say(f"The first sweep and rollup could not be started: {problem}")


def _are_quiet(cloudwatch: Any, alarms: list[str], sleep: Callable[[float], object]) -> bool:
    for _ in range(_TRIES):
        found = cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"]
        if found and all(each["StateValue"] == "OK" for each in found):
            return True
        sleep(_SECONDS)
    return False
