"""The Makefile explains itself, and documents name targets that exist."""

from __future__ import annotations

import re
import subprocess

import pytest

from dev.version import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)
GROUPS = set(re.findall(r"^##@ (.+)$", MAKEFILE, re.MULTILINE))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]


def help_text() -> list[str]:
    """Return what `make help` prints."""
    command = ["make", "--no-print-directory", "help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_help_lists_every_target_once() -> None:
    """With a description; a target without one would be missing."""
    listed = [line.split()[0] for line in help_text() if line.startswith("  ")]
    assert len(TARGETS) > 40
    assert sorted(listed) == sorted(TARGETS)


def test_help_has_groups() -> None:
    """Each heading once, with targets under it."""
    lines = help_text()
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert sorted(headings) == sorted(GROUPS)
    for heading in headings:
        assert lines[lines.index(heading) + 1].startswith("  ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_targets_that_exist(page: str) -> None:
    """Wherever it shows `make ...` as code."""
    text = (ROOT / page).read_text()
    shown = re.findall(r"`make ([a-z][a-z -]*)", text) + re.findall(r"^make ([a-z][a-z -]*)", text, re.MULTILINE)
    files = {"web/node_modules/installed"}
    named = {name for each in shown for name in each.split() if not name.startswith("-")}
    assert named - files <= set(TARGETS)
