"""The members of the log line of a call to Zoom: saved queries, metrics and alarms read these names."""

from __future__ import annotations

import json

from zoom_common.edge.call_log import write
from zoom_common.gateway.context import CallStats


def test_the_line_has_these_members_and_values() -> None:
    """Everything that is known about a call, under the names that the saved queries use."""
    record = CallStats(function="meetings", operation="meetings.get", label="Light", connection="con_1", status=404)
    record.tries, record.waited, record.latency, record.refused = 3, 0.25, 1.2346, 2
    record.local_budget, record.uncounted, record.cache, record.key = True, True, "hit", "made"
    lines: list[str] = []
    write(record, "request-1", out=lines.append, clock=lambda: 1.5)
    written = json.loads(lines[0])
    written.pop("_aws")
    assert written == {
        "message": "zoom call",
        "service": "meetings",
        "operation": "meetings.get",
        "label": "Light",
        "outcome": "zoom_refused",
        "status": 404,
        "connection": "con_1",
        "key": "made",
        "cache": "hit",
        "request_id": "request-1",
        "ZoomCalls": 1,
        "ZoomRequests": 3,
        "ZoomRetries": 2,
        "ZoomWait": 250,
        "ZoomLatency": 1235,
        "ZoomRateRefusals": 2,
        "BudgetFallback": 1,
        "UsageUncounted": 1,
        "ReadCacheHits": 1,
        "ReadCacheReads": 1,
    }


def test_a_call_that_was_not_sent_has_no_latency_and_no_retries() -> None:
    """Zero retries, never minus one; a latency of nothing would lower the average."""
    lines: list[str] = []
    write(CallStats(operation="meetings.get", reason="budget_spent"), None, out=lines.append, clock=lambda: 1.5)
    written = json.loads(lines[0])
    assert (written["ZoomRequests"], written["ZoomRetries"], written["outcome"]) == (0, 0, "budget_spent")
    absent = {"ZoomLatency", "ZoomRateRefusals", "BudgetFallback", "UsageUncounted", "ReadCacheHits", "ReadCacheReads"}
    assert not absent & written.keys()


def test_a_call_is_a_metric_over_all_and_by_the_outcomes_that_are_watched() -> None:
    """Operation, label and service are fields of the line: as dimensions they would be hundreds of metrics."""
    lines: list[str] = []
    record = CallStats(function="meetings", operation="meetings.get", label="Light", status=200)
    write(record, None, out=lines.append, clock=lambda: 1.5)
    requests, calls = json.loads(lines[0])["_aws"]["CloudWatchMetrics"]
    assert requests["Dimensions"] == [[]]
    assert [each["Name"] for each in requests["Metrics"]] == ["ZoomWait"]
    assert calls["Dimensions"] == [[], ["outcome"]]
    assert [each["Name"] for each in calls["Metrics"]] == ["ZoomCalls"]
