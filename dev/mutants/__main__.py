"""`make mutants`: change sampled lines of the core modules one at a time, and list the changes that no test notices.

    make mutants ARGS="--size 165 --seed 1"      the same sample each time; a run that was stopped goes on
    make mutants ARGS="--survivors"              try again what survived, after tests were added
    make mutants ARGS="--only connections/"      the modules of one room

Results are kept in `.local/mutants` until the layer's source changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.mutants.mutations import Mutant, mutants_of
from dev.mutants.recorder import LAYER
from dev.mutants.tests import Coverage, coverage, failing, preload, stages
from ops.console import say
from ops.project import ROOT

FLOOR = 0.92
# The contract tests cover tables and models, and tests/e2e covers the wiring.
_LEFT_OUT = ("zoom/models/", "zoom/operations/", "wiring/", "edge/api_document.py", "events/published_schema.py")


@dataclass(frozen=True, slots=True)
class Sampled:
    """A mutant of a module (its path inside the layer), and the module's source."""

    module: str
    original: str
    mutant: Mutant

    @property
    def source(self) -> str:
        """The module's source with the change."""
        return self.mutant.apply(self.original)

    @property
    def key(self) -> str:
        """Return a name that is the same in every run."""
        return hashlib.sha256(f"{self.module}\n{self.source}".encode()).hexdigest()[:16]


@dataclass(slots=True)
class Results:
    """What killed each mutant, on disk: "" for a survivor."""

    path: Path
    by_key: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Results:
        """Return the results of earlier runs."""
        lines = path.read_text().splitlines() if path.exists() else []
        return cls(path, dict(map(json.loads, lines)))

    def write(self, key: str, killer: str) -> None:
        """Store one result at once."""
        self.by_key[key] = killer
        with self.path.open("a") as file:
            file.write(json.dumps([key, killer]) + "\n")


def sources(only: str = "") -> dict[str, str]:
    """Return the source of each core module, by its path inside the layer."""
    paths = sorted(Path(LAYER).rglob("*.py"))
    found = {str(path.relative_to(LAYER)): path.read_text() for path in paths if path.name != "__init__.py"}
    return {name: text for name, text in found.items() if only in name and not name.startswith(_LEFT_OUT)}


def sample(modules: dict[str, str], *, size: int, seed: int) -> list[Sampled]:
    """Return one mutant of each of `size` lines: lines drawn evenly, then a kind of change, then a change."""
    by_line: dict[tuple[str, int], dict[str, list[Mutant]]] = defaultdict(lambda: defaultdict(list))
    for module, source in modules.items():
        for mutant in mutants_of(source):
            by_line[module, mutant.line][mutant.kind].append(mutant)
    chance = random.Random(seed)
    lines = chance.sample(sorted(by_line), min(size, len(by_line)))
    return [_one(module, modules[module], by_line[module, line], chance) for module, line in lines]


def _one(module: str, source: str, kinds: dict[str, list[Mutant]], chance: random.Random) -> Sampled:
    return Sampled(module, source, chance.choice(kinds[chance.choice(sorted(kinds))]))


def killer_of(each: Sampled, known: Coverage) -> str:
    """Return the test that notices a mutant, or "" for a survivor."""
    mutant = each.mutant
    tests = known.tests(each.module, range(mutant.start, mutant.end + 1), toplevel=mutant.toplevel)
    for part in stages(tests, known.seconds):
        if killer := failing(part, known.seconds, each.module, each.source):
            return killer
    return ""


def report(sampled: list[Sampled], results: Results) -> float:
    """Print each survivor with its diff, then the rate. Return the share that was killed."""
    done = [each for each in sampled if each.key in results.by_key]
    survivors = [each for each in done if not results.by_key[each.key]]
    for each in survivors:
        say(f"\nlayers/zoom_common/zoom_common/{each.module}:{each.mutant.line} survives ({each.mutant.kind})")
        say(each.mutant.diff(each.original))
    rate = 1 - len(survivors) / max(1, len(done))
    kinds = dict(Counter(each.mutant.kind for each in survivors))
    modules = len({each.module for each in done})
    say(f"\n{len(done)} mutants in {modules} modules: {rate:.1%} killed. Survivors: {kinds}")
    return rate


def _reliable(sampled: list[Sampled], results: Results, known: Coverage) -> Iterator[str]:
    """Yield the killers that fail without any change, and so prove nothing."""
    killers = {results.by_key.get(each.key, "") for each in sampled} & set(known.seconds)
    while killers and (broken := failing(killers, known.seconds)):
        yield broken
        if broken not in killers:
            return
        killers.remove(broken)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=165, help="how many lines are changed (165)")
    parser.add_argument("--seed", type=int, default=1, help="another number, another sample (1)")
    parser.add_argument("--only", default="", help="only modules whose path has this in it")
    parser.add_argument("--survivors", action="store_true", help="try the survivors of the sample again")
    return parser.parse_args()


def main() -> int:
    """Return 0 when enough of the sample is killed."""
    given = _arguments()
    everything = hashlib.sha256(repr(sorted(sources().items())).encode()).hexdigest()[:12]
    folder = ROOT / ".local" / "mutants" / everything
    (folder / "map").mkdir(parents=True, exist_ok=True)
    modules = sources(given.only)
    sampled = sample(modules, size=given.size, seed=given.seed)
    results = Results.read(folder / "results.jsonl")
    say(f"Looking up which tests run which lines (log: {folder / 'map' / 'record.log'}) ...")
    known = coverage(folder / "map")
    preload()
    failing({min(known.seconds, key=lambda test: known.seconds[test])}, known.seconds)
    for number, each in enumerate(sampled, start=1):
        if each.key not in results.by_key or (given.survivors and not results.by_key[each.key]):
            results.write(each.key, killer_of(each, known))
            killer = results.by_key[each.key] or "SURVIVES"
            say(f"{number}/{len(sampled)} {each.module}:{each.mutant.line} {each.mutant.kind}: {killer}")
    rate = report(sampled, results)
    for test in _reliable(sampled, results, known):
        say(f"{test} fails without any change: what it killed does not count.")
    return 0 if rate >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
