"""Which function an event file is for, and what counts as an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dev.sam_local_check import function_of, functions, verdict

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """The functions of the template."""
    return functions()


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("token-refresh-sweep", "TokenRefreshFunction"),
        ("token-wrong-secret", "TokenFunction"),
        ("health-get", "HealthFunction"),
        ("event-processor-batch", "EventProcessorFunction"),
        ("nobody-knows", None),
    ],
)
def test_a_file_belongs_to_the_function_it_is_named_after(
    known: dict[str, str], name: str, function: str | None
) -> None:
    """The longest name that fits: a refresh of tokens is not for the token function."""
    assert function_of(Path(f"{name}.json"), known) == function


def test_every_event_file_names_a_function(known: dict[str, str]) -> None:
    """Otherwise nobody would run it."""
    assert [file.name for file in (ROOT / "events").glob("*.json") if function_of(file, known) is None] == []


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        (json.dumps({"statusCode": 404, "body": ""}), ""),
        ("a line of the log\n" + json.dumps({"batchItemFailures": []}), ""),
        (json.dumps({"statusCode": 502}), "HTTP 502"),
        (json.dumps({"errorType": "KeyError", "errorMessage": "x"}), "KeyError"),
        ("", "no answer"),
        ("a line of the log", "no answer"),
    ],
)
def test_an_answer_is_one_that_the_function_gave(output: str, wrong: str) -> None:
    """A refusal is an answer, an exception is not."""
    assert verdict(output) == wrong
