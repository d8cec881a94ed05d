"""The saved queries of Logs Insights: every field and message they name is one that somebody logs.

Insights answers a query for a field that nobody writes with an empty column, and says nothing.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from zoom_common.edge import call_log
from zoom_common.gateway.context import CallStats

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "layers" / "zoom_common").rglob("*.py"), *ROOT.glob("functions/*/handler.py")])
Template = dict[str, Any]

# What Powertools puts into each line: https://docs.aws.amazon.com/powertools/python/latest/core/logger/#standard-structured-keys
STANDARD = {"level", "message", "service", "correlation_id", "timestamp"}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
DISCOVERED = {"@timestamp", "@message", "@log", "@type", "@duration", "@initDuration", "@maxMemoryUsed", "@memorySize"}
LANGUAGE = {
    *("fields", "filter", "sort", "limit", "stats", "by", "as", "and", "or", "in", "like", "asc", "desc"),
    *("count", "sum", "pct", "max", "bin"),
}


def queries(template: Template) -> dict[str, dict[str, Any]]:
    found = {n: r["Properties"] for n, r in template["Resources"].items() if r["Type"] == "AWS::Logs::QueryDefinition"}
    assert found
    return found


def fields(query: str) -> set[str]:
    """The fields that a query reads: its words, without texts, patterns, durations and the names it gives itself."""
    bare = re.sub(r'"[^"]*"|/[^/\n]*[A-Za-z][^/\n]*/', " ", query)
    given = set(re.findall(r"\bas (\w+)", bare))
    words = {word.split(".")[0] for word in re.findall(r"@?[A-Za-z_][\w.]*", bare)}
    return words - given - LANGUAGE - {"m", "h"}


def texts(query: str) -> set[str]:
    """The texts that a query compares a message or service with."""
    return set(re.findall(r'(?:message|service) = "([^"]+)"', query))


@pytest.fixture(scope="session")
def logged() -> set[str]:
    """Names of fields in our log lines, and the fixed texts in them."""
    found = set(STANDARD)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
    lines: list[str] = []
    stats = CallStats(function="f", operation="o", label="l", tries=2, status=429, refused=1, local_budget=True)
    call_log.write(stats, "r", out=lines.append, clock=lambda: 0.0)
    return found.union(*(json.loads(line).keys() for line in lines))


def test_every_query_reads_what_is_logged(template: Template, logged: set[str]) -> None:
    """The API's own log has the fields of its format, the functions' logs those of the code."""
    access = template["Resources"]["HttpApiStage"]["Properties"]["AccessLogSettings"]["Format"]
    in_access_log = set(json.loads(re.sub(r"\$context[\w.]+", "x", access))) | DISCOVERED
    for name, query in queries(template).items():
        of_api = query["LogGroupNames"] == [{"Ref": "HttpApiLogs"}]
        known = in_access_log if of_api else logged | DISCOVERED
        read = fields(query["QueryString"])
        assert read, name
        assert read <= known, (name, read - known)
        assert texts(query["QueryString"]) <= logged | {"webhook"}, name


def test_the_queries_for_everything_ask_every_log(template: Template) -> None:
    """Also that of a function which is added later."""
    functions = [r for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    every = {function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for function in functions}
    for name in ("FailuresQuery", "FollowQuery", "ColdStartsQuery"):
        asked = [each.get("Fn::If", [None, each])[1] for each in queries(template)[name]["LogGroupNames"]]
        assert {each["Ref"] for each in asked} == every, name


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('fields @timestamp, at.0 | filter level in ["A B"]', {"@timestamp", "at", "level"}),
        ("stats sum(Calls) as calls by reason, bin(5m) | sort calls desc", {"Calls", "reason"}),
        ("filter @message like /Task timed out|x/ | limit 200", {"@message"}),
        ("stats max(@maxMemoryUsed / 1000 / 1000) as used by @log", {"@maxMemoryUsed", "@log"}),
    ],
)
def test_fields_are_distinguished_from_the_language(query: str, found: set[str]) -> None:
    """So that a misspelt one is found."""
    assert fields(query) == found
