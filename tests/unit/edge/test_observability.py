"""Log lines and counters as they reach CloudWatch."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from zoom_common.edge import observability


def test_a_count_is_one_embedded_metric_line(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch reads the counter, its namespace and its dimensions from a line of standard output."""
    observability.count("Denied", 2, reason="unknown_key")
    line = json.loads(capsys.readouterr().out)
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "ZoomGateway"
    assert described["Metrics"] == [{"Name": "Denied", "Unit": "Count"}]
    assert described["Dimensions"] == [["reason"]]
    assert (line["Denied"], line["reason"]) == ([2.0], "unknown_key")


def test_powertools_is_not_loaded_before_it_is_needed() -> None:
    """A function that answers without a word does not pay for the logger."""
    script = "import sys, zoom_common.edge.http; sys.exit('aws_lambda_powertools' in sys.modules)"
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script], check=False, env=environ).returncode == 0
