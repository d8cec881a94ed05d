"""Metrics as lines."""

from __future__ import annotations

import json

from tests.fakes.events import NOW
from zoom_common.events.webhook.receiver import MetricLines


def test_a_count_is_one_line_of_embedded_metrics() -> None:
    """CloudWatch finds namespace, dimension and value in the line; the reason is a field of it, and no metric."""
    lines: list[str] = []
    metrics = MetricLines("webhook", "ZoomGateway/prod", write=lines.append, clock=lambda: NOW)
    metrics.count("WebhookRejected", reason="wrong_signature", request_id="r")
    metrics.count("WebhookFailed")
    rejected, failed = (json.loads(line) for line in lines)
    assert [line[-1] for line in lines] == ["\n", "\n"]
    assert rejected["_aws"]["Timestamp"] == NOW * 1000
    assert rejected["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "ZoomGateway/prod",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "WebhookRejected", "Unit": "Count"}],
        }
    ]
    assert rejected["WebhookRejected"] == 1
    assert (rejected["service"], rejected["reason"], rejected["request_id"]) == ("webhook", "wrong_signature", "r")
    assert failed["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert "reason" not in failed


def test_a_length_of_time_is_a_metric_without_a_dimension() -> None:
    """Of a start, in milliseconds."""
    lines: list[str] = []
    MetricLines("webhook", "ZoomGateway/prod", write=lines.append, clock=lambda: NOW).measure(
        "InitDurationWebhook", 123
    )
    line = json.loads(lines[0])
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "ZoomGateway/prod",
            "Dimensions": [[]],
            "Metrics": [{"Name": "InitDurationWebhook", "Unit": "Milliseconds"}],
        }
    ]
    assert line["InitDurationWebhook"] == 123


def test_what_nobody_watches_is_in_the_line_only() -> None:
    """Queries add it up; a metric of it would cost for nothing."""
    lines: list[str] = []
    MetricLines("webhook", "ZoomGateway/prod", write=lines.append, clock=lambda: NOW).count(
        "WebhookChallenged", app="a"
    )
    line = json.loads(lines[0])
    assert "_aws" not in line
    assert (line["WebhookChallenged"], line["app"]) == (1, "a")
