"""What the proof calls exact: every genuine event out and in the log, and nothing else in either."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dev.newcomer import Newcomer
from dev.proof import Delivery, Outcome, _deliveries, _ids, _report

STACK = {"zoom_client_id": "App", "webhook_secret": "s"}
SOMEBODY = Newcomer(STACK, tenant="proof-1", email="p@zoom.example", connection="con_1", zoom_user="user-1")


def proven(outcome: Outcome, expected: set[str], simulator: frozenset[str] = frozenset()) -> bool:
    return _report([Delivery(b"")], expected, set(simulator), outcome, 1.0) == 0


def out(*names: str, copies: int = 1) -> dict[str, list[str]]:
    return {name: ["digest"] * copies for name in names}


def test_the_same_ids_in_both_places_are_exact() -> None:
    """Ids that came out more than once are accepted, as at-least-once delivery allows."""
    assert proven(Outcome(published=out("a", "b"), logged={"a", "b"}), {"a", "b"})
    assert proven(Outcome(published=out("a", "b", copies=3), logged={"a", "b"}), {"a", "b"})


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(published=out("a"), logged={"a", "b"}),
        Outcome(published=out("a", "b", "forged"), logged={"a", "b"}),
        Outcome(published=out("a", "b"), logged={"a"}),
        Outcome(published=out("a", "b"), logged={"a", "b", "stale"}),
        Outcome(published={"a": ["one", "another"], "b": ["one"]}, logged={"a", "b"}),
    ],
    ids=["lost", "not genuine", "not logged", "logged and not genuine", "repeated with another content"],
)
def test_anything_else_is_not(outcome: Outcome) -> None:
    """One event is enough."""
    assert not proven(outcome, {"a", "b"})


def test_the_simulated_zooms_own_events_are_known_by_name() -> None:
    """They may come, and no other may in their place."""
    assert proven(Outcome(published=out("a", "own"), logged={"a", "own"}), {"a"}, frozenset({"own"}))
    assert not proven(Outcome(published=out("a", "other"), logged={"a"}), {"a"}, frozenset({"own"}))


def test_what_is_sent_is_what_it_says() -> None:
    """Seven in ten are events, all different; twins of them are no others, nor is what must not come out."""
    made: list[Any] = list(_deliveries(1000, random.Random(3), SOMEBODY))  # noqa: S311 - a test's dice
    genuine = [each for each in made if each.genuine]
    assert (len(made), len(genuine)) == (1000, 900)
    ids = _ids(SOMEBODY, [each.body for each in genuine])
    assert len(ids) == 700
    assert not ids & _ids(SOMEBODY, [each.body for each in made if not each.genuine])
