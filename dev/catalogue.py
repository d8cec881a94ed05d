"""Writes the catalogue of the pass-through from Zoom's other API documents: `python -m dev.catalogue FOLDER`.

Zoom publishes an OpenAPI document for each product (https://developers.zoom.us/api-hub/phone/methods/endpoints.json).
This project commits no text of them. FOLDER holds such documents as `*.json`. This module keeps method, path, rate
limit label, host and scopes, one operation on a line. It leaves out the operations of the two contracts that the
gateway has rows for (`tests/contract/zoom_facts.json`). A document may be a list of paths without labels. Its
operations count as Heavy until Zoom's answers name a label.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "tests" / "contract" / "zoom_facts.json"
TARGET = ROOT / "layers" / "zoom_common" / "zoom_common" / "zoom" / "catalogue.tsv"

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
LABELS = {"light": "Light", "medium": "Medium", "heavy": "Heavy", "resourceintensive": "Resource-intensive"}

_LABEL = re.compile(r"Rate Limit Label.*?`([A-Za-z_-]+)`", re.DOTALL)
# Zoom names the other host in the description: "use https://fileapi.zoom.us/v2 as the base URL".
_HOST = re.compile(r"https://((?:file|fileapi)\.zoom\.us)\b")


@dataclass(frozen=True, slots=True)
class Row:
    """One operation of the catalogue. `host` is empty for api.zoom.us."""

    method: str
    path: str
    label: str = ""
    host: str = ""
    granular: tuple[str, ...] = field(default=())
    classic: tuple[str, ...] = field(default=())

    @property
    def line(self) -> str:
        """Return the row as it is stored: fields separated by tabs, scopes by spaces."""
        return "\t".join(
            (self.method, self.path, self.label, self.host, " ".join(self.granular), " ".join(self.classic))
        )


def rows(folder: Path, left_out: frozenset[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """Return the rows of all documents. If two documents have an operation, the one with a label is used."""
    found: dict[tuple[str, str], Row] = {}
    for file in sorted(folder.glob("*.json")):
        for row in _read(json.loads(file.read_text())):
            key = (row.method, _shape(row.path))
            if key not in left_out and (key not in found or (row.label and not found[key].label)):
                found[key] = row
    return found


def _read(document: dict[str, Any]) -> Iterator[Row]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            operation = item[method]
            text, extensions = operation.get("description", ""), operation.get("x-extensions", {})
            label, host = _LABEL.search(text), _HOST.search(text)
            yield Row(
                method.upper(),
                "/" + path.removeprefix("/v2/").strip("/"),
                LABELS.get(re.sub("[^a-z]", "", label[1].lower()), "") if label else "",
                host[1] if host else "",
                tuple(sorted(extensions.get("x-granular-scopes", ()))),
                tuple(sorted(extensions.get("x-macro-scopes", ()))),
            )


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def contract_operations(facts: Path = FACTS) -> frozenset[tuple[str, str]]:
    """Return method and path of every operation of the two contracts, with ids left blank."""
    operations = json.loads(facts.read_text())["operations"].values()
    return frozenset((each["method"], _shape(each["path"])) for each in operations)


def rendered(folder: Path) -> str:
    """Return the file, sorted by path and method."""
    every = rows(folder, contract_operations()).values()
    return "".join(f"{row.line}\n" for row in sorted(every, key=lambda row: (row.path, row.method)))


def main() -> None:
    """Write the catalogue."""
    parser = argparse.ArgumentParser(prog="python -m dev.catalogue", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    text = rendered(options.folder)
    options.target.write_text(text)
    print(f"{options.target}: {text.count(chr(10))} operations, {len(text) // 1024} KB")


if __name__ == "__main__":
    main()
