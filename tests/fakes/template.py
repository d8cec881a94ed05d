"""The template's metrics, as CloudWatch gets to see them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# Our metrics' namespace, once the references are out (`rendered`).
OURS = "ZoomGateway/<AWS::StackName>"

# A namespace with anything but letters and digits stands in quotes.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
SEARCH = re.compile(
    r"""SEARCH\('\{"(?P<namespace>[^"]+)",(?P<dimensions>[\w,]+)\} MetricName="(?P<metric>\w+)"', '\w+', \d+\)"""
)


def without_references(value: Any) -> str:
    """A text of the template, with `<name>` for each `${name}` in it."""
    return re.sub(r"\$\{([\w:.]+)\}", r"<\1>", value["Fn::Sub"] if isinstance(value, dict) else value)


def rendered(body: Any) -> dict[str, Any]:
    """A dashboard as CloudWatch gets it, with names in place of references."""
    dashboard: dict[str, Any] = json.loads(without_references(body))
    return dashboard


def metrics_of(dashboard: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every metric a dashboard shows, those it searches for included."""
    for widget in dashboard["widgets"]:
        before: list[str] = []
        for row in widget["properties"].get("metrics", []):
            *named, options = row if isinstance(row[-1], dict) else (*row, {})
            if named[:1] == ["..."]:  # the fields of the row before, but for the last
                named = [*before[:-1], *named[1:]]
            before = named
            if "expression" in options:
                if options["expression"].startswith("SEARCH("):
                    search = SEARCH.match(options["expression"])
                    assert search is not None, options["expression"]
                    yield search["namespace"], search["metric"], dict.fromkeys(search["dimensions"].split(","), "*")
                continue
            namespace, name, *pairs = named
            yield namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True))
