"""The catalogue of Zoom's operations without a row: method, path, rate limit label, host and scopes.

`python -m dev.catalogue` writes `catalogue.tsv` from Zoom's documents (https://developers.zoom.us/docs/api/). The file
is read when the pass-through first needs it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from zoom_common.zoom.operations.model import RateLabel

_FILE = Path(__file__).with_name("catalogue.tsv")

# The family under which all paths are counted whose family the catalogue does not know.
OTHER = "other"

# Families with rate limits of their own. https://developers.zoom.us/docs/api/rate-limits/
POOLS = {"phone": "phone", "contact_center": "contact_center"}

_PLACEHOLDER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation. `label` is None where Zoom's documents name none; `host` is empty for Zoom's usual host."""

    method: str
    path: str
    label: RateLabel | None
    host: str
    granular: tuple[str, ...]
    classic: tuple[str, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """Return all entries, in the order of their paths."""
    return tuple(map(_entry, _FILE.read_text(encoding="utf-8").splitlines()))


def _entry(line: str) -> Entry:
    method, path, label, host, granular, classic = line.split("\t")
    known = RateLabel(label) if label else None
    return Entry(method, path, known, host, tuple(granular.split()), tuple(classic.split()))


@cache
def families() -> frozenset[str]:
    """Return the names of all families: the first words of the catalogue's paths. There are a few dozen."""
    return frozenset(family_word(each.path) for each in entries())


def family_word(path: str) -> str:
    """Return the first word of a path below `/v2`."""
    return path.lstrip("/").partition("/")[0]


def family(path: str) -> str:
    """Return the family of a path below `/v2`, or OTHER for one that the catalogue does not know."""
    word = family_word(path)
    return word if word in families() else OTHER


@lru_cache(maxsize=256)
def find(method: str, path: str) -> Entry | None:
    """Return the entry for `path` below `/v2`, or None when there is none. Fixed words take precedence over ids."""
    parts = path.strip("/").split("/")
    found = [each for each in _of_shape().get((method, len(parts)), ()) if _fits(each.path, parts)]
    return min(found, key=lambda each: each.path.count("{"), default=None)


@cache
def _of_shape() -> dict[tuple[str, int], list[Entry]]:
    by_shape: dict[tuple[str, int], list[Entry]] = {}
    for each in entries():
        by_shape.setdefault((each.method, each.path.count("/")), []).append(each)
    return by_shape


def _fits(template: str, parts: list[str]) -> bool:
    words = zip(template.strip("/").split("/"), parts, strict=True)
    return all(word == part or (part and _PLACEHOLDER.search(word)) for word, part in words)
