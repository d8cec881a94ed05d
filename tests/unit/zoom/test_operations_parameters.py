"""Query parameters: what Zoom's contract fixes is checked, all else passes."""

from __future__ import annotations

import pytest

from zoom_common.errors import InvalidRequest
from zoom_common.zoom.operations.model import Parameter, check_query, with_lowered_page_size
from zoom_common.zoom.operations.table import match

LIST = match("GET", "/v2/users/me/meetings")[0].query


@pytest.mark.parametrize(
    "query",
    [
        "",
        "type=upcoming&page_size=300&page_number=2&next_page_token=a%2Bb%3D",
        "from=2030-01-31&to=2030-02-28T10:00:00Z&timezone=America%2FLos_Angeles",
        "something_new=1&page_size=30",
        "page_size=&type=",
        "page_size=1000",
        "page_size=0",
        "type=past",
        "from=2030-01-31+00%3A00%3A00%2B00%3A00&to=2030-02-28 anything",
    ],
)
def test_what_the_contract_allows_passes(query: str) -> None:
    """Blank values are no values, unknown names are Zoom's business."""
    check_query(LIST, query)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page_size=-1", "page_size"),
        ("page_size=many", "page_size"),
        ("page_size=30.5", "page_size"),
        ("page_size=%D9%A3", "page_size"),
        ("page_number=x", "page_number"),
        ("type=sometime", "type"),
        ("from=yesterday", "from"),
        ("to=2030-02-30", "to"),
    ],
)
def test_what_zoom_is_sure_to_refuse_is_named(query: str, field: str) -> None:
    """Each fault names its parameter."""
    with pytest.raises(InvalidRequest) as refusal:
        check_query(LIST, query)
    assert [each.field for each in refusal.value.fields] == [field]


def test_each_parameter_is_named_once() -> None:
    """Two wrong values of one name are one fault, and all names are told at once."""
    with pytest.raises(InvalidRequest) as refusal:
        check_query(LIST, "page_size=-9&page_size=x&type=y")
    assert [each.field for each in refusal.value.fields] == ["type", "page_size"]


@pytest.mark.parametrize(("text", "right"), [("true", True), ("False", True), ("1", True), ("yes please", False)])
def test_booleans_are_true_or_false(text: str, *, right: bool) -> None:
    """In any case, as clients of many languages write them."""
    assert (Parameter("show_previous_occurrences", "boolean").fault(text) is None) is right


def test_a_required_parameter_is_missed() -> None:
    """Reports need their range."""
    with pytest.raises(InvalidRequest) as refusal:
        check_query([Parameter("from", "date", required=True)], "to=2030-01-01")
    assert refusal.value.fields[0].message == "This parameter is required."


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("page_size=1000&type=live", "page_size=300&type=live"),
        ("type=live&page_size=0000301", "type=live&page_size=300"),
        ("page_size=300", "page_size=300"),
        ("page_size=30&a_page_size=1000&q=%zz+", "page_size=30&a_page_size=1000&q=%zz+"),
        ("", ""),
    ],
)
def test_a_page_size_above_the_maximum_is_lowered(query: str, sent: str) -> None:
    """To the operation's own, and nothing else of the query changes."""
    assert with_lowered_page_size(LIST, query) == sent


def test_a_list_without_a_page_size_gets_none() -> None:
    """Zoom may know such a parameter there one day."""
    assert with_lowered_page_size([], "page_size=1000") == "page_size=1000"
