"""`make search`: search deeper than `make test` does, and write docs/search.md from what was searched."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.search.explore import Bounds, Found, Search
from tests.search.outside import Outside
from tests.search.scenarios import QUICK, ZOOMS, scenarios
from tests.search.vault import VaultRules, quiet

PAGE = Path(__file__).parents[2] / "docs" / "search.md"

_HEAD = """# The search of the vault

`make search` has written this page. It visits every state that two actors can reach, over the real decisions of
linking, redeeming, refreshing, disconnecting and restoring, and over the real conditions of the stores. `make test`
searches all pairs in every order, and a choice of them with one fault (`QUICK` in `tests/search/scenarios.py`).

* **Actors**: the sweep's refresh (`due`), a program's call whose token has ended (`call`), the owner's disconnect, the
  person who removes the app at Zoom (`uninstall`), a callback of the owner (`reconnect`), of another tenant
  (`stranger`), and of another Zoom user (`wrong`), redeeming, and messages from the queues.
* **Outcomes of each call to the outside**: it succeeds; fails before it is carried out; is carried out and the answer
  is lost; is carried out and sent again by the client below; the run crashes before it. Time jumps by 1000 seconds,
  and a message is delivered once more, late. Everything but success costs one of the faults.
* **Zoom**: `strict` never accepts a rotated refresh token again, and a later authorisation of a user ends the former.
  `lenient` accepts it, and lets both live. Nobody has promised which of them Zoom is.
* **Invariants**: no live pair is let go; at most one token request in a lease; no connection is given up while a live
  copy is in reach; no link is left pending. In the end, when queues are empty and sweeps have run, every live pair is
  held by a connection that counts as connected, and published states equal stored states. A pair is excused when
  Zoom's answer was lost, or when the only process that had it crashed before its next step. A pair that waits in escrow
  for more than a quarter of an hour no longer keeps its connection from being given up; it revives it when it comes.

Polls and tries to write are shortened, because each is a state more. A call to KMS is carried out before anything else
moves: nobody else can see it.

"""


def search(zooms: list[str], faults: int, only: list[str]) -> tuple[list[str], list[Found]]:
    """Search, and return a row of the table for each search and the violations that were found."""
    rows, broken, outside = [], [], Outside()
    with quiet():
        for zoom in zooms:
            for scenario in scenarios(outside, ZOOMS[zoom]):
                if only and scenario.name not in only:
                    continue
                search = Search(outside, VaultRules(outside), Bounds(faults=faults))
                found = search.run(scenario.world, scenario.runs, deliveries=scenario.deliveries)
                counts = f"{faults} | {found.states} | {found.transitions} | {found.seconds:.0f}"
                rows.append(f"| {zoom} | {scenario.name} | {counts} |")
                sys.stdout.write(rows[-1] + "\n")
                sys.stdout.flush()
                if found.broken:
                    sys.stdout.write(f"{found}\n")
                    broken.append(found)
    return rows, broken


def main() -> int:
    """Search, write the page, and return 1 where an invariant does not hold."""
    parser = argparse.ArgumentParser(prog="make search", description=__doc__)
    parser.add_argument("--faults", type=int, default=1, help="how many faults in one history (default: 1)")
    parser.add_argument("--zoom", choices=sorted(ZOOMS), action="append", help="only this Zoom")
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO", help="only this scenario")
    parser.add_argument("--quick", action="store_true", help="what make test searches")
    asked = parser.parse_args()
    rows, broken = search(asked.zoom or sorted(ZOOMS), asked.faults, QUICK if asked.quick else asked.only)
    if not (broken or asked.only or asked.zoom) and asked.faults:
        total = f"| | **all** | | {_sum(rows, 4)} | {_sum(rows, 5)} | {_sum(rows, 6)} |"
        head = "| Zoom | actors | faults | states | transitions | seconds |\n|---|---|---:|---:|---:|---:|"
        PAGE.write_text(_HEAD + "\n".join([head, *rows, total]) + "\n")
    return 1 if broken else 0


def _sum(rows: list[str], column: int) -> int:
    return sum(int(row.split("|")[column].strip()) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
