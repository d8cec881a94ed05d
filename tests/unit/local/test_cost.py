"""The cost model adds up, and follows its inputs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from local.cost import PRICES, bill, units

ASKED = {
    "calls": 1.0,
    "webhooks": 1.0,
    "connections": 1.0,
    "zoom_ms": 250.0,
    "cpu_ms": 30.0,
    "batch": 5.0,
    "alarms": 80,
    "metrics": 100,
}


def total(changes: Mapping[str, float] = MappingProxyType({}), prices: Mapping[str, float] | None = None) -> float:
    costs = bill(Namespace(**{**ASKED, **changes}), {**PRICES, **(prices or {})})
    return sum(sum(services.values()) for services in costs.values())


@pytest.mark.parametrize("more", ["calls", "webhooks", "connections", "zoom_ms", "cpu_ms", "alarms", "metrics"])
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
    """By hand: half a gigabyte for 280 ms, one and a half invocations, one request, two writes, a read and a half."""
    parts = units(zoom_ms=250, cpu_ms=30, batch=5)["API call"].dollars(PRICES, 1_000_000)
    assert parts["Lambda"] == pytest.approx(0.3 + 1_000_000 * 0.28 * 0.5 * 0.0000133334)
    assert parts["HTTP API"] == pytest.approx(1.0)
    assert parts["DynamoDB"] == pytest.approx(2 * 0.625 + 1.5 * 0.125)
