"""Every event type by name: bodies made on demand have the shape that Zoom documents."""

from __future__ import annotations

from typing import Any

import pytest

from local.zoom.emit.deliver import rows
from tests.contract import facts
from tests.contract.test_simulated_zoom_schemas import EXPECTED, problems
from tests.fakes.local_zoom import Zoom

Json = dict[str, Any]

BY_NAME = [row.name for row in rows()]
# where Zoom's example and its schema contradict each other
CONTRADICTED = {
    "app.authorization_request_created": "event_ts",
    "app_deauthorized": "payload/event_ts",
    "recording.renamed": "payload/time_stamp",
    "user.signed_in": "payload/object/login_type",
    "user.signed_out": "payload/object/login_type",
    "meeting.participant_feedback": "payload/object/participant/feedback/rating_quality",
}


@pytest.fixture(scope="module")
def emitted() -> dict[str, Json]:
    """The body of every event type, delivered by its name alone, before there is a single meeting."""
    zoom = Zoom(deauthorised_event_ts="number", keep_deliveries=10_000)
    zoom.connect()
    for name in BY_NAME:
        response = zoom.post("/_sim/events", {"event": name})
        assert response.status_code == 200, f"{name}: {response.text}"
    return {each.event: each.json for each in zoom.deliver().posted}


def test_every_sampled_event_can_be_delivered_by_name() -> None:
    """Whatever Zoom's documentation has an example of is in the catalogue."""
    assert set(facts.SAMPLES) <= set(BY_NAME)


def test_every_event_of_the_contracts_can_be_delivered_by_name() -> None:
    """So is whatever the contracts describe."""
    assert set(facts.EVENTS) <= set(BY_NAME)


def test_what_happens_by_itself_is_what_the_stories_show() -> None:
    """The catalogue does not boast: each event it says happens by itself was seen above."""
    itself = {row.name for row in rows() if row.itself}
    assert itself - {"endpoint.url_validation"} == EXPECTED


@pytest.mark.parametrize("name", BY_NAME)
def test_events_by_name_conform(emitted: dict[str, Json], name: str) -> None:
    """A body made for a name conforms to the contract where there is one, and has the shape of the sample."""
    body = emitted[name]
    if name in facts.EVENTS:
        assert problems(facts.EVENTS[name], body) == []
    if name in facts.SAMPLES:
        assert differences(facts.sample(name), body) <= {CONTRADICTED.get(name, "")}


def differences(sample: Any, body: Any, path: str = "") -> set[str]:
    """Where a value of `body` is of another JSON type than in `sample`; what only one of them has is no difference."""
    if isinstance(sample, dict) and isinstance(body, dict):
        shared = sample.keys() & body.keys()
        found = [differences(sample[key], body[key], f"{path}/{key}".strip("/")) for key in shared]
        return {each for some in found for each in some}
    if isinstance(sample, list) and isinstance(body, list):
        return differences(sample[0], body[0], path) if sample and body else set()
    return set() if _json_type(sample) is _json_type(body) else {path}


def _json_type(value: object) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
