"""`make search`: search deeper than `make test` does, and write what was searched into docs/search.md.

A row of the page stays until its search is run again, so that a part can be searched alone.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.search import creates, inbox, scenarios
from tests.search.clients import quiet
from tests.search.explore import Bounds, Found, Rules, Search
from tests.search.outside import Outside, World
from tests.search.replay import Run

PAGE = Path(__file__).parents[2] / "docs" / "search.md"
TEXT = Path(__file__).parent / "page.md"
PARTS = ("vault", "creates", "inbox")
_HEAD = "| {0} | faults | states | transitions | seconds | searched on |\n|---|---:|---:|---:|---:|---|"
_TABLE = r"\| {0} \| faults \|.*\n\|---.*\n((?:\|.*\n)*?)\| \*\*all\*\*"
_COUNTS = slice(3, 6)

# Rows of one part's table by what was searched: its name and its number of faults.
type Rows = dict[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Planned:
    """One search that is to be made. `is_quick` when `make test` makes it."""

    part: str
    name: str
    rules: Rules
    bounds: Bounds
    world: World
    runs: tuple[Run, ...]
    deliveries: int
    is_quick: bool


def plan(outside: Outside, more: int) -> Iterator[Planned]:
    """Yield every search. The vault's have `more` faults more than in `make test`, the inbox has two as well."""
    for zoom in sorted(scenarios.ZOOMS):
        for begun in scenarios.scenarios(outside, scenarios.ZOOMS[zoom]):
            rules, bounds = begun.rules(outside), Bounds(faults=1 + more)
            quick = begun.name in scenarios.QUICK
            name = f"{zoom} {begun.name}"
            yield Planned("vault", name, rules, bounds, begun.world, begun.runs, begun.deliveries, quick)
    for create in creates.scenarios(outside):
        bounds, quick = Bounds(faults=create.faults, jumps=()), create.name in creates.QUICK
        checks = creates.CreateRules(outside)
        yield Planned("creates", create.name, checks, bounds, create.world, create.runs, 0, quick)
    for each in inbox.scenarios():
        for faults in (1, 2):
            bounds, quick = Bounds(faults=faults, jumps=()), each.name in inbox.QUICK and faults == 1
            empty, checked = outside.empty(None), inbox.InboxRules(outside, each.events)
            yield Planned("inbox", each.name, checked, bounds, empty, each.runs, each.deliveries, quick)


def search(planned: list[Planned], outside: Outside) -> tuple[dict[str, Rows], list[Found]]:
    """Search, and return the rows of each part and the violations that were found."""
    rows: dict[str, Rows] = {part: {} for part in PARTS}
    broken = []
    with quiet():
        for each in planned:
            found = Search(outside, each.rules, each.bounds).run(each.world, each.runs, deliveries=each.deliveries)
            counts = f"{each.bounds.faults} | {found.states} | {found.transitions} | {found.seconds:.0f}"
            row = f"| {each.name} | {counts} | {datetime.now(UTC):%Y-%m-%d} |"
            sys.stdout.write(row + "\n")
            sys.stdout.flush()
            if found.broken:
                sys.stdout.write(f"{found}\n")
                broken.append(found)
            rows[each.part][each.name, each.bounds.faults] = row
    return rows, broken


def former(text: str, part: str) -> Rows:
    """Return the rows of a part in the page that is there."""
    found = re.search(_TABLE.format(part), text)
    cells = [(row.split("|"), row) for row in (found[1].splitlines() if found else [])]
    return {(each[1].strip(), int(each[2])): row for each, row in cells}


def page(text: str, rows: dict[str, Rows], known: dict[str, list[str]], before: str) -> str:
    """Return the page: `text`, with each part's table where it names the part.

    A row that is not among `rows` stays as it was `before`, unless its search is not `known` any more.
    """
    for part, found in rows.items():
        kept = former(before, part) | found
        ordered = [kept[each] for name in known[part] for each in sorted(kept) if each[0] == name]
        numbers = [[int(cell) for cell in row.split("|")[_COUNTS]] for row in ordered]
        total = " | ".join(str(sum(column)) for column in zip(*numbers, strict=True))
        table = "\n".join([_HEAD.format(part), *ordered, f"| **all** | | {total} | |"])
        text = text.replace(f"<{part}>", table)
    return text


def main() -> int:
    """Search, write the page, and return 1 where an invariant does not hold."""
    parser = argparse.ArgumentParser(prog="make search", description=__doc__)
    parser.add_argument("--more", type=int, default=0, help="how many more faults for the vault (default: 0)")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only searches of this name")
    parser.add_argument("--faults", type=int, help="only searches with so many faults")
    parser.add_argument("--quick", choices=PARTS, action="append", help="of this part, only what make test searches")
    asked = parser.parse_args()
    outside = Outside()
    with quiet():
        every = list(plan(outside, asked.more))
    planned = [
        each
        for each in every
        if each.part in (asked.part or PARTS)
        and (not asked.only or each.name in asked.only)
        and asked.faults in (None, each.bounds.faults)
        and (each.is_quick or each.part not in (asked.quick or ()))
    ]
    rows, broken = search(planned, outside)
    if not broken:
        known = {part: list(dict.fromkeys(each.name for each in every if each.part == part)) for part in PARTS}
        PAGE.write_text(page(TEXT.read_text(), rows, known, PAGE.read_text()))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
