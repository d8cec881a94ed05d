"""One id for what belongs together."""

from __future__ import annotations

import pytest

from zoom_common import observability


@pytest.mark.parametrize("unusable", ["", "two words", "x" * 129, "line\nbreak", '{"a":1}', "ü"])
def test_only_what_is_fit_for_a_log_is_taken(unusable: str) -> None:
    """Anyone can send an id: what could forge a log line is replaced by our own."""
    assert observability.begin_correlation(unusable, "ours") == "ours"
    assert observability.correlation_id() == "ours"


def test_nothing_of_the_one_before_stays() -> None:
    """Without any usable id there is none, rather than a stranger's."""
    observability.begin_correlation("first")
    observability.begin_correlation("", "not usable")
    assert observability.correlation_id() == ""
