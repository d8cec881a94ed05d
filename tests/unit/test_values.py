"""The webhook's frozen values beside the standard library's."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common import values
from zoom_common.deadline import Deadline
from zoom_common.zoom.webhooks import SigningSecret


def made(kind: Any) -> type[Any]:
    """The same class by either library."""

    @kind.dataclass(frozen=True, slots=True)
    class Sample:
        """A sample."""

        first: int
        second: str = kind.field(repr=False)
        third: int | None = None
        fourth: dict[str, int] = kind.field(default_factory=dict, repr=False)

        @classmethod
        def of(cls, first: int) -> Any:
            """One."""
            build: Any = cls
            return build(first, "s")

        @property
        def twice(self) -> int:
            """Twice the first."""
            return self.first * 2

    return Sample


OURS, THEIRS = made(values), made(dataclasses)


def outcome(kind: type[Any], arguments: list[Any], named: dict[str, Any]) -> Any:
    """What comes of making one: its fields and its look, or the kind of error."""
    try:
        value = kind(*arguments, **named)
    except TypeError:
        return TypeError
    return value.first, value.second, value.third, value.fourth, repr(value).rpartition(".")[2], value == kind.of(1)


@given(
    st.lists(st.integers(), max_size=5),
    st.dictionaries(st.sampled_from(["first", "second", "third", "fourth", "fifth"]), st.integers()),
)
def test_they_are_made_alike(arguments: list[Any], named: dict[str, Any]) -> None:
    """By place and by name, with defaults; too many, too few, twice and unknown are errors."""
    assert outcome(OURS, arguments, named) == outcome(THEIRS, arguments, named)


@pytest.mark.parametrize("kind", [OURS, THEIRS], ids=["ours", "theirs"])
def test_they_behave_alike(kind: type[Any]) -> None:
    """Equal and hashed by content, changed by nobody, without a dictionary, with a default made for each."""
    one, same, other = kind(1, "s"), kind.of(1), kind(2, "s")
    assert (one == same, one == other, one == "one", one.twice) == (True, False, False, 2)
    assert one.fourth is not same.fourth
    assert "second" not in repr(one)
    for name in ("first", "unknown"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(one, name, 2)
    with pytest.raises(AttributeError):
        del one.first
    assert not hasattr(one, "__dict__")
    assert kind.__match_args__ == ("first", "second", "third", "fourth")
    assert kind.__doc__ == "A sample."


def test_values_without_containers_are_hashed_by_content() -> None:
    """As keys of a cache they have to be."""
    assert hash(Deadline(1.0)) == hash(Deadline(1.0))
    assert {Deadline(1.0): 1}[Deadline(1.0)] == 1
    assert "Secret" in SigningSecret.__name__


@pytest.mark.parametrize("wrong", [{"frozen": False, "slots": True}, {"frozen": True, "slots": False}])
def test_other_kinds_are_refused(wrong: dict[str, bool]) -> None:
    """What is not there is not silently something else."""
    with pytest.raises(TypeError):
        values.dataclass(**wrong)
