"""What operators see: alarms and dashboards name only what the code and AWS really emit, and cover every resource."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.template import OURS, metrics_of, rendered, without_references
from zoom_common.edge import call_log
from zoom_common.events.webhook.receiver import MEASURED, WATCHED
from zoom_common.gateway.context import CallStats
from zoom_common.observability import TOTALS, VALUES
from zoom_common.zoom.operations.table import operations

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "zoom_common" / "zoom_common"
SOURCES = sorted([*LAYER.rglob("*.py"), *ROOT.glob("functions/*/handler.py")])
RUNBOOK = ROOT / "docs" / "runbook.md"
Template = dict[str, Any]
type Metric = tuple[str, frozenset[str]]

# What AWS emits of the resources we have, by the dimensions it gives.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and the pages like it of the other services
OF_AWS: dict[str, tuple[str, set[str]]] = {
    "AWS/Lambda": ("FunctionName", {"Errors", "Throttles", "Duration", "ConcurrentExecutions", "UrlRequestLatency"}),
    "AWS/SQS": ("QueueName", {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}),
    "AWS/DynamoDB": ("TableName", {"ReadThrottleEvents", "WriteThrottleEvents"}),
    "AWS/ApiGateway": ("ApiId", {"4xx", "5xx", "Latency"}),
}


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def names_in(argument: ast.expr, module: ast.Module) -> Iterator[str]:
    """A metric's name as it stands in a call: a text, one of two, or what a function of the module returns."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from (*names_in(argument.body, module), *names_in(argument.orelse, module))
    elif isinstance(argument, ast.Call) and isinstance(argument.func, ast.Name):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name == argument.func.id:
                for each in ast.walk(node):
                    if isinstance(each, ast.Return) and each.value is not None:
                        yield from names_in(each.value, module)


def counted_in(path: Path) -> Iterator[str]:
    """The names in every call that counts or measures, and in `_refuse(status, name, reason)` of the webhook."""
    module = ast.parse(path.read_text())
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        called: str = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
        at = {"count": 0, "_count": 0, "_refuse": 1, "measure": 0}.get(called)
        if at is not None and len(node.args) > at:
            yield from names_in(node.args[at], module)


def of_calls() -> Iterator[str]:
    """What is counted of a call to Zoom, from a line that has all of it."""
    lines: list[str] = []
    stats = CallStats(function="f", operation="o", label="l", tries=2, status=429, refused=1, local_budget=True)
    stats.cache, stats.uncounted = "hit", True
    call_log.write(stats, "r", out=lines.append, clock=lambda: 0.0)
    yield from (name for name in json.loads(lines[0]) if name[0].isupper())


@pytest.fixture(scope="session")
def counted() -> set[str]:
    """Everything that code counts or measures, by name."""
    return {name for path in SOURCES for name in counted_in(path)} | set(of_calls()) | MEASURED


def of_code() -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Our code's metrics, each with each value of its dimensions."""
    found = {(name, frozenset[tuple[str, str]]()) for name in TOTALS}
    found |= {(name, frozenset({("service", "webhook")})) for name in WATCHED}
    found.add(("InitDurationWebhook", frozenset()))
    return found | {(name, frozenset({(kind, each)})) for name, (kind, values) in VALUES.items() for each in values}


@pytest.fixture(scope="session")
def emitted(template: Template) -> set[Metric]:
    """Our own metrics, each with each set of its dimensions."""
    found = {(name, frozenset(kind for kind, _ in dimensions)) for name, dimensions in of_code()}
    for metric_filter in of_type(template, "AWS::Logs::MetricFilter").values():
        for made in metric_filter["MetricTransformations"]:
            assert without_references(made["MetricNamespace"]) == OURS
            found.add((made["MetricName"], frozenset()))
    return found


# Metrics of ours at most: each costs 0.30 dollars a month while it has data (docs/cost.md).
BUDGET = 40


def test_the_number_of_metrics_is_bounded(template: Template, counted: set[str]) -> None:
    """By what the code can ever emit, whatever tenants, operations and events there are; each is counted somewhere."""
    filters = of_type(template, "AWS::Logs::MetricFilter")
    options = {
        (alarm["Properties"]["MetricName"], frozenset[tuple[str, str]]())
        for alarm in template["Resources"].values()
        if alarm["Type"] == "AWS::CloudWatch::Alarm" and "Condition" in alarm
    }
    assert len(of_code() - options) + len(filters) <= BUDGET  # an option that is off counts nothing
    assert {name for name, _ in of_code()} <= counted


def test_every_metric_is_looked_at(template: Template) -> None:
    """By an alarm or the dashboard: a metric that nobody looks at is a field of its log line instead."""
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    seen = {(a["MetricName"], frozenset((d["Name"], str(d["Value"])) for d in a.get("Dimensions", []))) for a in alarms}
    for dashboard in of_type(template, "AWS::CloudWatch::Dashboard").values():
        seen |= {(name, frozenset(each.items())) for _, name, each in metrics_of(rendered(dashboard["DashboardBody"]))}
    assert of_code() - seen == set()


@pytest.fixture(scope="session")
def words() -> set[str]:
    """Every text constant of the code: what a dimension's value can be."""
    constants = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return constants | {each.name for each in operations()}


def check(metric: tuple[str, str, dict[str, Any]], emitted: set[Metric], words: set[str]) -> None:
    """Fail unless somebody emits this."""
    namespace, name, dimensions = metric
    if namespace == OURS:
        assert (name, frozenset(dimensions)) in emitted, metric
        for value in dimensions.values():
            assert value in words or value.startswith("meeting."), metric
        return
    dimension, known = OF_AWS[namespace]
    assert name in known, metric
    assert set(dimensions) == {dimension} or (name, dimensions) == ("Throttles", {}), metric


def test_every_alarm_watches_a_metric_that_exists(template: Template, emitted: set[Metric], words: set[str]) -> None:
    """By name, dimensions and their values: an alarm on a misspelt metric never rings."""
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert alarms
    for alarm in alarms.values():
        for watched in (
            alarm,
            *(each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each),
        ):
            if "MetricName" in watched:
                dimensions = {each["Name"]: each["Value"] for each in watched.get("Dimensions", [])}
                namespace = without_references(watched["Namespace"])
                check((namespace, watched["MetricName"], dimensions), emitted, words)


def test_every_alarm_says_what_to_do_and_notifies_somebody(template: Template) -> None:
    """A sentence or more, to the topic, when it begins and when it is over; silence is judged on purpose."""
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        assert len(alarm["AlarmDescription"]) > 60, name
        assert alarm["AlarmDescription"].endswith("."), name
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm["TreatMissingData"] in {"notBreaching", "breaching"}, name


def test_every_function_is_watched(template: Template) -> None:
    """Callers see a crash as a 500, which is counted; every other function has an alarm on its errors."""
    integrations = of_type(template, "AWS::ApiGatewayV2::Integration").values()
    answering = {re.findall(r"\w+", each["IntegrationUri"]["Fn::Sub"])[0] for each in integrations}
    alone = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "Errors"
    }
    functions = set(of_type(template, "AWS::Serverless::Function"))
    assert answering | {"AuthorizerFunction"} | alone == functions
    queues = {name for name in functions if template["Resources"][name]["Properties"].get("Events")}
    machines = of_type(template, "AWS::StepFunctions::StateMachine").values()
    slices = {name for machine in machines for name in functions if name in str(machine["DefinitionSubstitutions"])}
    assert queues | slices | {"WebhookFunction"} == alone
    crashes = of_type(template, "AWS::Logs::MetricFilter")["ApiCrashes"]
    assert crashes["LogGroupName"] == {"Ref": "HttpApiLogs"}
    assert crashes["FilterPattern"] == '{ $.status = "500" }'
    assert '"status":"$context.status"' in str(template["Resources"]["HttpApiStage"])


def test_throttles_of_anybody_are_watched(template: Template) -> None:
    """Concurrency is the account's; deliveries of Zoom that are lost by it have an alarm of their own."""
    throttles = [a for a in of_type(template, "AWS::CloudWatch::Alarm").values() if a.get("MetricName") == "Throttles"]
    watched = [each.get("Dimensions", [{"Value": {"Ref": "the account"}}])[0]["Value"]["Ref"] for each in throttles]
    assert watched == ["the account", "WebhookFunction"]


# Queues whose oldest message nobody is woken for: a schedule finds the work again, and who fails at it has an alarm.
FOUND_AGAIN = {
    "RefreshQueue": "the next sweep; RefreshFailingAlarm and SweepMissingAlarm ring",
    "ReconcileQueue": "the next round; ReconcileErrorsAlarm and EventsReconciledAlarm ring",
    "RedeliveryQueue": "the next sweep of deliveries; RedeliverErrorsAlarm rings",
}


def test_every_queue_is_watched(template: Template) -> None:
    """A dead-letter queue for what is in it, every other one for what waits too long, but where it is found again."""
    watched = {
        (alarm.get("MetricName"), each["Value"]["Fn::GetAtt"][0])
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        for each in alarm.get("Dimensions", [])
        if each["Name"] == "QueueName"
    }
    queues = of_type(template, "AWS::SQS::Queue")
    assert not {("ApproximateAgeOfOldestMessage", name) for name in FOUND_AGAIN} & watched
    for name, queue in ((name, queue) for name, queue in queues.items() if name not in FOUND_AGAIN):
        metric = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
        assert (metric, name) in watched, name


def test_every_alarm_has_a_place_in_the_runbook(template: Template) -> None:
    """Under its own name, in docs/runbook.md; and no procedure is about an alarm that is gone."""
    configured = set(re.findall(r"\b\w+Alarm\b", RUNBOOK.read_text()))
    assert configured == set(of_type(template, "AWS::CloudWatch::Alarm"))


def test_every_dead_letter_queue_has_a_place_in_the_runbook(template: Template) -> None:
    """What is in it, why, and how it goes back."""
    headings = re.findall(r"^### (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    for queue in of_type(template, "AWS::SQS::Queue"):
        if "DeadLetter" in queue:
            assert queue in headings


def test_lambdas_lines_about_runs_are_kept_where_they_cost_little(template: Template) -> None:
    """Deliveries are many: of the webhook and the processor only runs that failed have such a line."""
    functions = of_type(template, "AWS::Serverless::Function")
    without = {name for name, each in functions.items() if each["LoggingConfig"].get("SystemLogLevel") == "WARN"}
    assert without == {"WebhookFunction", "EventProcessorFunction"}
    assert all(functions[name]["LoggingConfig"]["LogFormat"] == "JSON" for name in without)


def test_the_dashboard_shows_only_what_exists(template: Template, emitted: set[Metric], words: set[str]) -> None:
    """Rendered from the template: valid JSON, every metric emitted, every reference a resource of ours."""
    shown: list[Any] = []
    for dashboard in of_type(template, "AWS::CloudWatch::Dashboard").values():
        shown += metrics_of(rendered(dashboard["DashboardBody"]))
        for name in re.findall(r"\$\{(\w+)[}.]", dashboard["DashboardBody"]["Fn::Sub"]):
            assert name in template["Resources"]
    for metric in shown:
        check(metric, emitted, words | {"*"})
    # A dashboard cannot name what an option leaves out: functions of an option are on its own one, if it has one.
    named = set(of_type(template, "AWS::Serverless::Function"))
    always = {f"<{name}>" for name in named if "Condition" not in template["Resources"][name]}
    functions = {f"<{name}>" for name in named}
    for wanted in ("Errors", "Throttles", "Duration", "ConcurrentExecutions"):
        assert always <= {each["FunctionName"] for _, name, each in shown if name == wanted} <= functions


@pytest.mark.parametrize(
    "wanted",
    ["ZoomCalls", "EventPublished", "WebhookLag", "ConnectionStateChanges", "ReadThrottleEvents", "meetings.create"],
)
def test_the_dashboard_answers_the_usual_questions(template: Template, wanted: str) -> None:
    """Calls, meetings made, events by type, engagement, error rate, lag, connections."""
    body = rendered(of_type(template, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"])
    assert wanted in {name for _, name, _ in metrics_of(body)} or any(wanted in query for query in queries_of(body))


def queries_of(dashboard: dict[str, Any]) -> list[str]:
    return [each["properties"]["query"] for each in dashboard["widgets"] if each["type"] == "log"]


def test_the_dashboards_queries_ask_for_what_is_logged(template: Template, counted: set[str], words: set[str]) -> None:
    """Each counter by its name, out of log groups of ours; what is compared with is a word of the code."""
    body = rendered(of_type(template, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"])
    groups = {f"<{name}>" for name in of_type(template, "AWS::Logs::LogGroup")}
    for query in queries_of(body):
        assert set(re.findall(r"SOURCE '([^']+)'", query)) <= groups
        assert set(re.findall(r"\b[A-Z][a-z]+[A-Z]?\w*\b(?=[),])", query)) - {"Logs"} <= counted
        known = words | {"meeting.participant_joined", "meeting.started"}
        assert set(re.findall(r"'([^'<>]+)'", query.partition("| filter")[2])) <= known


@pytest.mark.parametrize("missing", [(OURS, "ZoomCall", {}), (OURS, "ZoomCalls", {"lable": "x"})])
def test_the_check_catches_a_misspelling(
    missing: tuple[str, str, dict[str, str]], emitted: set[Metric], words: set[str]
) -> None:
    """Of a name or a dimension: these tests can fail."""
    with pytest.raises(AssertionError):
        check(missing, emitted, words)
