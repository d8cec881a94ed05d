"""What `make deploy` checks in an AWS account: whether it has enough concurrent executions for the queues and for Zoom.

Zoom does not repeat a delivery that was answered with 429, and Lambda answers so when an account has no execution left.
A new account has 10 of them. So the most that all queues together may use has to stay 10 below the account's quota.

https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html : the quota, and what no function has reserved
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html : MaximumConcurrency of a queue, 2 to 1,000
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html : 100 executions can never be reserved
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.console import Stop

HEADROOM = 10
"""Executions that are left for Zoom's deliveries and for callers when every queue is at its maximum."""
UNRESERVABLE = 100
"""Executions that AWS keeps for functions without a reservation. Accounts with a smaller quota cannot reserve any."""
_QUOTA_CODE = "L-B99A9384"
"""The quota "Concurrent executions" of Lambda, in Service Quotas."""


@dataclass(frozen=True, slots=True)
class Account:
    """Concurrent executions of one account and region."""

    quota: int
    unreserved: int
    """What no function has reserved, plus the webhook's own reservation from an earlier deploy."""


def maxima(template: Mapping[str, Any], values: Mapping[str, str]) -> int:
    """Return how many executions all queues of the template may use together, with these parameters."""
    return sum(
        _number(event["Properties"]["ScalingConfig"]["MaximumConcurrency"], template, values)
        for resource in template["Resources"].values()
        if "Condition" not in resource or _holds(resource["Condition"], template, values)
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "SQS" and _is_on(event["Properties"].get("Enabled", True), template, values)
    )


def _is_on(enabled: Any, template: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Return whether a queue is read: `Enabled` is True, or an option that is on."""
    return _holds(enabled["Fn::If"][0], template, values) if isinstance(enabled, Mapping) else bool(enabled)


def _holds(condition: str, template: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Return whether an option is on: a condition that compares one parameter, as `HasSubscriptions` does."""
    compared = template["Conditions"][condition].get("Fn::Equals")
    if compared is None:  # another kind of condition, which no function with a queue has
        return True
    name = compared[0]["Ref"]
    return bool(values.get(name, template["Parameters"][name]["Default"]) == compared[1])


def reserved(template: Mapping[str, Any], values: Mapping[str, str]) -> int:
    """Return how many executions the webhook reserves, with these parameters."""
    return _number({"Ref": "WebhookReservedConcurrency"}, template, values)


def account(lambda_client: Any, webhook: str | None) -> Account:
    """Read the account's limits. `webhook` is the name of the deployed webhook function, if there is one."""
    limit = lambda_client.get_account_settings()["AccountLimit"]
    own = lambda_client.get_function_concurrency(FunctionName=webhook) if webhook else {}
    kept = int(own.get("ReservedConcurrentExecutions", 0))
    return Account(int(limit["ConcurrentExecutions"]), int(limit["UnreservedConcurrentExecutions"]) + kept)


def check(found: Account, *, queues: int, webhook: int) -> None:
    """Raise Stop when the account cannot reserve `webhook` executions, or `queues` would leave too little for Zoom."""
    if webhook and found.unreserved - webhook < UNRESERVABLE:
        most = max(0, found.unreserved - UNRESERVABLE)
        raise Stop(
            f"This account cannot give WebhookReservedConcurrency={webhook}: of its {found.unreserved} unreserved "
            f"executions {UNRESERVABLE} stay unreserved, so that {most} is the most.",
            f"Set it to {most}, or raise the quota first:\n{_request(found.quota + webhook - most)}",
        )
    needed = queues + webhook + HEADROOM
    missing = needed - found.unreserved
    if missing > 0:
        raise Stop(
            f"This account has {found.unreserved} free concurrent executions of Lambda, and this stack needs {needed}: "
            f"{queues} for its queues, {webhook} reserved for the webhook, {HEADROOM} for Zoom and for callers.",
            "Ask AWS for more, which costs nothing, and deploy when it is granted:\n"
            f"{_request(found.quota + missing)}\nOr lower EventConcurrency (docs/limits.md).",
        )


def _request(wanted: int) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --service-code lambda --quota-code {_QUOTA_CODE} "
        f"--desired-value {wanted}"
    )


def _number(value: Any, template: Mapping[str, Any], values: Mapping[str, str]) -> int:
    """Return a number of the template, or of the parameter that it refers to.

    For a condition on the emulator, take AWS.
    """
    if isinstance(value, Mapping) and "Fn::If" in value:
        return _number(value["Fn::If"][2], template, values)
    if isinstance(value, Mapping):
        name = str(value["Ref"])
        return int(values.get(name) or template["Parameters"][name]["Default"])
    return int(value)
