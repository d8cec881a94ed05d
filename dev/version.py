"""The version of the project: `python -m dev.version` prints it, `python -m dev.version 0.2.0` changes it everywhere.

`pyproject.toml` is authoritative. Files that cannot read it at run time repeat it: the layer's package, the template's
description and the web client. OpenAPI, AsyncAPI, /health and the User-Agent take it from the layer's package.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMBER = r"\d+\.\d+\.\d+"

# The files that contain the version, with the text before it and how often.
PLACES = {
    "pyproject.toml": (r'^version = "', 1),
    "layers/zoom_common/zoom_common/__init__.py": (r'^__version__ = "', 1),
    "template.yaml": (r"^  Integrato Zoom ", 1),
    "web/package.json": (r'^  "version": "', 1),
    "web/package-lock.json": (r'"name": "integrato-zoom-web",\s+"version": "', 2),
}


def main() -> None:
    """Print the version, change it, check a tag, or print a release's notes."""
    parser = argparse.ArgumentParser(prog="python -m dev.version")
    parser.add_argument("new", nargs="?", help="the next version, for example 0.2.0")
    parser.add_argument("--tag", help="fail unless this tag is v and the version")
    parser.add_argument("--notes", action="store_true", help="print what CHANGELOG.md says about the version")
    options = parser.parse_args()
    if options.new:
        change(options.new)
        print(f"{options.new} is written. Next: make openapi event-schema, and a dated section in CHANGELOG.md.")
    elif options.tag and options.tag != f"v{current()}":
        sys.exit(f"The tag is {options.tag}, the version {current()}.")
    else:
        print(notes(current()) if options.notes else current())


def current(root: Path = ROOT) -> str:
    """Return the version in pyproject.toml."""
    version: str = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    return version


def found(root: Path = ROOT) -> dict[str, list[str]]:
    """Return the versions in each file."""
    return {
        place: re.findall(rf"{before}({NUMBER})", (root / place).read_text(), re.MULTILINE)
        for place, (before, _) in PLACES.items()
    }


def change(new: str, root: Path = ROOT) -> None:
    """Write `new` into every file. Exits when it is not MAJOR.MINOR.PATCH, or when a file is not as it should be."""
    if not re.fullmatch(NUMBER, new):
        sys.exit(f"{new} is not a version: say MAJOR.MINOR.PATCH.")
    changed = {}
    for place, (before, times) in PLACES.items():
        text = (root / place).read_text()
        changed[place], count = re.subn(rf"({before}){NUMBER}", rf"\g<1>{new}", text, flags=re.MULTILINE)
        if count != times:
            sys.exit(f"{place} has the version {count} times instead of {times}. Nothing was changed.")
    for place, text in changed.items():
        (root / place).write_text(text)


def notes(version: str, root: Path = ROOT) -> str:
    """Return the section of CHANGELOG.md about `version`. Exits when there is none with a date."""
    text = (root / "CHANGELOG.md").read_text()
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        heading, _, body = section.partition("\n")
        if re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", heading):
            return body.strip()
    sys.exit(f"CHANGELOG.md has no dated section [{version}].")


if __name__ == "__main__":
    main()
