"""What a run finds: named ratios, some with a target, and the comparison with the ones committed last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.rounds import Ratio
from benchmarks.workspace import HERE

COMMITTED = HERE / "ratios.json"
_ONCE = 0.02


@dataclass(frozen=True, slots=True)
class Figure:
    """One ratio, smaller is better. `key` names it from run to run, `text` says what over what, `at_most` aims."""

    key: str
    text: str
    ratio: Ratio
    at_most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the median is within the target."""
        return self.at_most is None or self.ratio.median <= self.at_most


@dataclass(slots=True)
class Table:
    """A table of the report; the first cell of a row names it."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    note: str = ""


@dataclass(slots=True)
class Section:
    """One part of a run. `bars` are drawn: contender and its multiple of `bars_of`."""

    name: str
    title: str
    text: str
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    bars: dict[str, Ratio] = field(default_factory=dict)
    bars_of: str = ""


def committed(path: Path = COMMITTED) -> dict[str, Ratio]:
    """The ratios committed last."""
    if not path.is_file():
        return {}
    return {key: Ratio(*values) for key, values in json.loads(path.read_text()).items()}


def write(figures: Iterable[Figure], path: Path = COMMITTED) -> None:
    """Keep this run's ratios, and those of parts that it did not run."""
    kept = committed(path) | {figure.key: figure.ratio for figure in figures}
    values = {key: [round(each, 3) for each in (r.median, r.low, r.high)] for key, r in sorted(kept.items())}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def moved(figures: Iterable[Figure], before: Mapping[str, Ratio]) -> Iterator[str]:
    """A line for every ratio whose median left what was spread before, and whose own spread does not reach back.

    What is measured once has no spread to tell: it has to move by more than a fiftieth.
    """
    for figure in figures:
        old, new = before.get(figure.key), figure.ratio
        if old is None:
            yield f"new      {figure.key}: {new}"
        elif new.low > old.high * (1 + _slack(old)) or new.high < old.low * (1 - _slack(old)):
            yield f"{'slower' if new.median > old.median else 'faster':8} {figure.key}: {old} -> {new}"


def _slack(old: Ratio) -> float:
    return _ONCE if old.low == old.high else 0.0
