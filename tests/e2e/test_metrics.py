"""What the functions counted while the other tests ran: the metrics that CloudWatch would have made of it, and bill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dev.emulator import client_of
from tests.template.test_operations import BUDGET, of_code

pytestmark = pytest.mark.e2e

type Metric = tuple[str, frozenset[tuple[str, str]]]


def metrics_in(line: str) -> Iterator[Metric]:
    """The metrics of one line: each name, with each set of dimensions and their values.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    document = json.loads(line)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            for names in directive["Dimensions"]:
                yield metric["Name"], frozenset((name, str(document[name])) for name in names)


def lines(stack: dict[str, Any]) -> Iterator[str]:
    """Every line with metrics in the log groups of the stack's functions."""
    resources = client_of(stack, "cloudformation").describe_stack_resources(StackName=stack["stack_name"])[
        "StackResources"
    ]
    for group in (each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::Logs::LogGroup"):
        for page in client_of(stack, "logs").get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                yield from (line for line in event["message"].splitlines() if line.startswith('{"_aws"'))


def test_a_full_run_makes_no_more_metrics_than_the_budget(stack: dict[str, Any]) -> None:
    """By name and values of dimensions, as CloudWatch bills them; all are among those that the code declares."""
    found = {metric for line in lines(stack) for metric in metrics_in(line)}
    assert found
    assert found <= of_code()
    assert len(found) <= BUDGET
