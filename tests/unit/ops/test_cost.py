"""The cost model adds up, and follows its inputs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from samcli.yamlhelper import yaml_parse

from benchmarks.backend import SEND_SLOT
from ops.cost import (
    ASLEEP_METRICS,
    BATCH_LOG,
    PRICES,
    WEBHOOK_LOG,
    archive_terabyte,
    bill,
    in_template,
    memory_of,
    parser,
    snapstart,
    standing,
    units,
)
from ops.measured import READ, measured
from ops.project import ROOT
from tests.counts.test_calls import AN_EVENT, EXPECTED, OF_A_HOST, QUERY, REPEATS, UPDATE
from tests.template.test_operations import BUDGET
from zoom_common import observability
from zoom_common.events.webhook.receiver import MetricLines

ASKED = {
    "calls": 1.0,
    "webhooks": 1.0,
    "connections": 1.0,
    "deliveries": 1.0,
    "endpoint_ms": 100.0,
    "zoom_ms": 250.0,
    "core_ms": 4.0,
    "event_ms": 8.0,
    "aws_ms": 5.0,
    "batch": 5.0,
    "alarms": 80,
    "metrics": 100,
}


def total(changes: Mapping[str, float] = MappingProxyType({}), prices: Mapping[str, float] | None = None) -> float:
    costs = bill(Namespace(**{**ASKED, **changes}), {**PRICES, **(prices or {})})
    return sum(sum(services.values()) for services in costs.values())


@pytest.mark.parametrize(
    "more", ["calls", "webhooks", "connections", "zoom_ms", "core_ms", "event_ms", "aws_ms", "alarms", "metrics"]
)
def test_more_costs_more(more: str) -> None:
    """Whatever there is more of."""
    assert total({more: ASKED[more] * 2}) > total()


def test_larger_batches_cost_less() -> None:
    """One invocation for ten events instead of one each."""
    assert total({"batch": 10}) < total({"batch": 1})


@pytest.mark.parametrize("price", sorted(PRICES.keys() - {"dynamodb_gb_month", "dynamodb_pitr_gb_month"}))
def test_every_price_counts(price: str) -> None:
    """None is listed and forgotten; storage is left to the reader, who knows how much he keeps."""
    assert total(prices={price: PRICES[price] * 2}) > total()


def test_a_call_costs_what_its_parts_cost() -> None:
    """By hand: the template's memory while Zoom, DynamoDB as measured and a part of a core take their time."""
    memory = memory_of("zoom_api")
    of_one = units(zoom_ms=250, core_ms=4, event_ms=8, aws_ms=5, batch=5)
    parts = of_one["API call"].dollars(PRICES, 1_000_000)
    seconds = 0.250 + measured()[READ].waits_ms / 1000 + 0.004 * 1769 / memory
    assert parts["Lambda"] == pytest.approx(0.3 + 1_000_000 * seconds * memory / 1024 * 0.0000133334)
    assert parts["HTTP API"] == pytest.approx(1.0)
    assert parts["DynamoDB"] == pytest.approx(2 * 0.625 + 1.5 * 0.125)


def test_a_stack_that_sleeps_costs_at_most_fourteen_dollars() -> None:
    """A month of its first year at list prices, with every option off; the count follows the template by itself."""
    functions, alarms = (len(in_template(f"AWS::{kind}")) for kind in ("Serverless::Function", "CloudWatch::Alarm"))
    asleep = standing(PRICES, functions=functions, alarms=alarms, metrics=ASLEEP_METRICS)
    assert sum(asleep.values()) <= 14
    assert f"| asleep | {sum(asleep.values()):.2f} |" in (ROOT / "docs" / "cost.md").read_text()


def test_snapshots_cost_what_the_page_says() -> None:
    """By the memory of the functions that have them, as the template gives it."""
    dollars = snapstart(restores=1000)
    page = (ROOT / "docs" / "cost.md").read_text()
    assert f"| a month, for one version of six functions | {dollars['snapshots']:.2f} |" in page
    assert f"| a thousand restores | {dollars['restores']:.2f} |" in page


def test_every_alarm_watches_one_metric() -> None:
    """An alarm is billed by its metrics, and a composite one as five: the model counts alarms, so there are neither."""
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"].values()
    assert not any(each["Type"] == "AWS::CloudWatch::CompositeAlarm" for each in resources)
    alarms = in_template("AWS::CloudWatch::Alarm")
    assert all("MetricName" in each["Properties"] for each in alarms)
    assert parser().parse_args([]).alarms == len(alarms)


def test_the_page_says_what_the_model_says() -> None:
    """docs/cost.md has the bill of the defaults, to the cent; what stands follows the template, and is left out."""
    page = (ROOT / "docs" / "cost.md").read_text()
    defaults = parser().parse_args([])
    found = bill(defaults, PRICES)
    found.pop("standing")
    for cause, services in found.items():
        assert f"| {sum(services.values()):.2f} |" in page, cause


@pytest.mark.parametrize("speed", [10, 20, 40])
def test_the_page_says_what_a_terabyte_of_recordings_costs(speed: int) -> None:
    """For three speeds, to the cent; at 40 MB/s it stays under 0.40."""
    found = sum(archive_terabyte(PRICES, megabytes_a_second=speed).values())
    assert f"| {speed} MB/s | {found:.2f} |" in (ROOT / "docs" / "cost.md").read_text()
    assert found < 0.40 or speed < 40


def test_a_million_calls_cost_at_most_four_dollars_and_a_quarter() -> None:
    """With the defaults, by list prices."""
    found = bill(parser().parse_args([]), PRICES)
    assert sum(found["1 million API calls"].values()) <= 4.25


def test_a_million_webhooks_cost_at_most_five_dollars() -> None:
    """With the defaults, by list prices."""
    found = bill(parser().parse_args([]), PRICES)
    assert sum(found["1 million webhooks"].values()) <= 5.00


def test_the_model_knows_the_bytes_of_what_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """A webhook's line, with ids as long as Zoom's, and the processor's for each type of a batch."""
    lines: list[str] = []
    observability.begin_correlation("11111111_2222_3333_4444_555555555555")
    metrics = MetricLines("webhook", "ZoomGateway/prod", write=lines.append, clock=lambda: 1_790_000_000.123)
    metrics.count("WebhookAccepted", app="A" * 22, lag_ms=12345)
    observability.begin_correlation()
    observability.count("EventPublished", 5, type="meeting.participant_joined")
    assert len(lines[0]) <= WEBHOOK_LOG
    assert 2 * len(capsys.readouterr().out) <= BATCH_LOG


def test_the_model_counts_the_requests_that_the_code_makes() -> None:
    """Of a call and of an event, as tests/counts holds them."""
    of_one = units(zoom_ms=250, core_ms=4, event_ms=8, aws_ms=5, batch=5)
    for name in ("zoom_api", "webinars"):
        asked = EXPECTED[name].calls
        assert of_one["API call"].writes == (asked[UPDATE] + asked[SEND_SLOT]) / REPEATS
        assert of_one["API call"].reads == asked[QUERY] / REPEATS + 0.5  # half of the callers are new to the authorizer
    assert of_one["webhook"].writes == AN_EVENT["written"]
    assert of_one["webhook"].reads == AN_EVENT["read"] + OF_A_HOST["read"]  # in a batch, no two have one host


def test_the_model_has_as_many_metrics_as_there_can_be() -> None:
    """The bound that tests/template holds."""
    assert parser().parse_args([]).metrics == BUDGET
