"""What the functions of this gateway asked of AWS and counted, judged as in the other end-to-end tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Gateway
from tests.e2e.test_metrics import lines, metrics_in
from tests.e2e.test_permissions import refused
from tests.template.test_operations import of_code

pytestmark = pytest.mark.e2e


def test_every_request_of_background_work_is_allowed_on_aws(gateway: Gateway, request: pytest.FixtureRequest) -> None:
    """The transformed template's own roles allow every recorded request, with all condition keys."""
    assert refused(gateway, request.config, "gateway/recorded-background") == set()


def test_background_work_makes_no_metric_that_the_code_does_not_declare(stack: dict[str, Any]) -> None:
    """The number of those is bounded by the budget of `tests/e2e/test_metrics.py`."""
    found = {metric for line in lines(stack) for metric in metrics_in(line)}
    assert found
    assert found <= of_code()
