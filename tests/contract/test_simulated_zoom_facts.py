"""Operations that the simulated Zoom serves from facts: each answers in the form of Zoom's contract."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.contract import facts
from tests.contract.test_operations_against_zoom import merged
from tests.contract.test_simulated_zoom_schemas import problems
from tests.contract.valid_requests import valid_request
from zoom_simulator.testing import Zoom, from_facts, served_from_facts

Json = dict[str, Any]
ROWS = {f"{each.method} {each.path}": each for each in served_from_facts()}


class Account:
    """A simulated account with a meeting and a webinar, and what was made at each path."""

    def __init__(self) -> None:
        self.zoom = Zoom()
        self.zoom.connect("owner@zoom.example")
        start = "2026-11-20T10:00:00Z"
        self.ids = {
            "userId": "me",
            "meetingId": str(self.zoom.meeting(start_time=start)["id"]),
            "webinarId": str(self.zoom.webinar(start_time=start)["id"]),
        }

    def path(self, template: str) -> str:
        """A path with ids: one that exists where something has to, else any word."""
        place, _, last = template.rpartition("/")
        if last.startswith("{") and f"POST {place}" in ROWS:
            self.call("POST", place)
            (made,) = [kept for kept in self.zoom.sim.state.resources.values() if kept][-1:]
            self.ids[last.strip("{}")] = next(reversed(made))
        return "/v2" + re.sub(r"\{(\w+)\}", lambda found: self.ids.get(found[1], "x"), template)

    def call(self, method: str, template: str) -> Any:
        """Make a call that the contract allows."""
        path = self.path(template)
        request = valid_request(method, template, self.ids)
        _, question, query = request.path.partition("?")
        return self.zoom.request(
            method, path + question + query, content=request.content, headers=dict(request.headers)
        )


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: f"{row.method} {row.path}")
def test_an_answer_has_the_form_of_the_contract(row: from_facts.FactOperation) -> None:
    """The answer has the contract's status and form, and needs the contract's label and scopes."""
    zoom = facts.operation(row.method, row.path)
    answer = Account().call(row.method, row.path)
    schema = zoom["responses"][str(answer.status_code)]
    assert answer.status_code < 300, answer.text
    assert row.label.upper().replace("-", "_") == (zoom["label"] or "HEAVY")
    assert set(row.listed) == {*zoom["scopes"]["granular"], *zoom["scopes"]["classic"]}
    if schema is None:
        assert answer.content == b""
    else:
        assert problems(merged(schema), answer.json()) == []
