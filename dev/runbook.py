"""Reads docs/runbook.md for programs: its procedures, and the shell blocks of each."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from ops.project import ROOT

RUNBOOK = ROOT / "docs" / "runbook.md"
_BLOCK = re.compile(r"^(?P<indent> *)```sh\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[str]:
    """Return the shell blocks of a piece of Markdown, without the indent of their list."""
    return [textwrap.dedent(found["body"]) for found in _BLOCK.finditer(text)]


def procedures(runbook: Path = RUNBOOK) -> tuple[str, dict[str, list[str]]]:
    """Return the common beginning of every procedure, and the blocks of each by its heading."""
    chapter = runbook.read_text().partition("\n## Procedures\n")[2]
    chapter = re.split(r"^## ", chapter, maxsplit=1, flags=re.MULTILINE)[0]
    first, *sections = re.split(r"^### ", chapter, flags=re.MULTILINE)
    (shorthands,) = blocks(first)
    return shorthands, {
        heading.strip(): blocks(body) for heading, _, body in (each.partition("\n") for each in sections)
    }
