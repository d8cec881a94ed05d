"""Log lines and counters as they reach CloudWatch."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from zoom_common import observability
from zoom_common.edge import call_log
from zoom_common.gateway.context import CallStats


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of the stack `prod`."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ZoomGateway/prod")


def test_a_count_is_one_embedded_metric_line(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch reads the counter's total from a line of standard output; the reason is a field of the line."""
    observability.begin_correlation("req-1")
    observability.count("Denied", 2, reason="unknown_key")
    line = json.loads(capsys.readouterr().out)
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "ZoomGateway/prod"
    assert described["Metrics"] == [{"Name": "Denied", "Unit": "Count"}]
    assert described["Dimensions"] == [[]]
    assert (line["Denied"], line["reason"], line["correlation_id"]) == (2, "unknown_key", "req-1")


@pytest.mark.parametrize(
    ("outcome", "dimensions"), [("refresh_failing", [["outcome"]]), ("refreshed", None)], ids=["watched", "not watched"]
)
def test_a_value_is_a_metric_where_an_alarm_watches_it(
    capsys: pytest.CaptureFixture[str], outcome: str, dimensions: list[list[str]] | None
) -> None:
    """Each metric costs, so that all other values are counted by queries over the lines."""
    observability.count("Refreshes", outcome=outcome)
    line = json.loads(capsys.readouterr().out)
    assert (line["Refreshes"], line["outcome"]) == (1, outcome)
    described = line.get("_aws", {}).get("CloudWatchMetrics")
    assert (described and described[0]["Dimensions"]) == dimensions


@pytest.mark.parametrize("of", ["measure", "call"])
def test_whatever_is_measured_belongs_to_the_stack(capsys: pytest.CaptureFixture[str], of: str) -> None:
    """Lengths of time and calls to Zoom as well as counts."""
    if of == "measure":
        observability.measure("WebhookVerifiedAge", 2.4, app="a")
    else:
        call_log.write(CallStats(function="meetings", operation="meetings.get", label="Light"), None)
    reported = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    assert {each["Namespace"] for each in reported} == {"ZoomGateway/prod"}


def test_a_count_never_fails_for_want_of_a_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the one that tells of it."""
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")
    observability.count("UnexpectedErrors")
    [reported] = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    assert reported["Namespace"] == "ZoomGateway"


def test_every_log_line_says_what_it_belongs_to() -> None:
    """The id of the request or delivery that is being handled, not of the one before."""
    script = (
        "from zoom_common.observability import begin_correlation, logger\n"
        "for known_as in ('first', 'second', ''): begin_correlation(known_as); logger().warning('refused', reason='r')"
    )
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], check=True, env=environ, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("correlation_id") for line in lines] == ["first", "second", None]


def test_powertools_is_not_loaded_before_it_is_needed() -> None:
    """A function that answers without a word does not pay for the logger, nor one that only counts."""
    script = (
        "import sys, zoom_common.edge.http, zoom_common.observability as o; o.count('A', reason='b');"
        "sys.exit('aws_lambda_powertools' in sys.modules)"
    )
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script], check=False, env=environ, capture_output=True).returncode == 0
