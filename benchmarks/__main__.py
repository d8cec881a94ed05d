"""`python -m benchmarks` runs every part and writes the page; `python -m benchmarks webhook calls` only prints two."""

from __future__ import annotations

import argparse
import os
import sys
import traceback

from benchmarks import figures, report
from benchmarks.authority import authority
from benchmarks.cold import measuring_core
from benchmarks.figures import Section
from benchmarks.goodput import goodput
from benchmarks.growth import growth
from benchmarks.memory import memory
from benchmarks.profile import profile
from benchmarks.scenario import servers
from benchmarks.sections import SECTIONS, Run
from benchmarks.variants import Made
from benchmarks.waits import waits
from benchmarks.workspace import BENCH, ROOT

_PARTS = {**SECTIONS, "waits": waits, "memory": memory, "scale": growth, "goodput": goodput, "profile": profile}


def main() -> None:
    """Build, measure, compare with the ratios committed last, and keep what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of: {', '.join(_PARTS)}, build (default: all)")
    parser.add_argument("--rounds", type=int, default=9, help="how often everything is measured (default: 9)")
    parser.add_argument("--write", action="store_true", help="put the parts that are named into the page as well")
    parser.add_argument("--keep", action="store_true", help="compare only: leave the page and the ratios as they are")
    asked = parser.parse_args()
    unknown = set(asked.parts) - {*_PARTS, "build"}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    load = os.getloadavg()[0]
    print("Building ...", flush=True)
    trusted = authority(BENCH / "authority")
    made = Made.all(trusted)
    if asked.parts == ["build"]:
        return
    if made.node_peers is None:
        print("node and npm were not found: the Node peers are left out.")
    _measure(made, asked, load=load)


def _measure(made: Made, asked: argparse.Namespace, *, load: float) -> None:
    parts, rounds = asked.parts, asked.rounds
    trusted = authority(BENCH / "authority")
    core = measuring_core()
    found: list[Section] = []
    failed: list[str] = []
    with servers(trusted, core=None if core is None else 0) as started:
        for name in parts or _PARTS:
            print(f"Measuring {name} ...", flush=True)
            try:
                found.append(_PARTS[name](Run(made, started, rounds)))
            except Exception:  # noqa: BLE001 - one part that breaks must not lose what the others took half an hour for
                traceback.print_exc()
                failed.append(name)
    print("\n".join(report.said(found)))
    every = [figure for section in found for figure in section.figures]
    print("\nBeyond the spread of the ratios committed last:")
    print("\n".join(figures.moved(every, figures.committed())) or "nothing")
    if parts and asked.write:
        figures.write(every)
        for section in found:
            report.write_part(section)
    if not parts and not asked.keep:
        figures.write(every)
        report.write(found, rounds=rounds, load=load, failed=failed)
        print(f"\nWritten: {report.PAGE.relative_to(ROOT)}, benchmarks/ratios.json")
    if failed:
        sys.exit(f"Failed, and left out: {', '.join(failed)}")


if __name__ == "__main__":
    main()
