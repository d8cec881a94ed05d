"""What strangers expect of a repository is there, and points to things that exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.version import ROOT

GITHUB = ROOT / ".github"
MADE = {".git", ".venv", ".local", ".aws-sam", "node_modules", "dist", "test-results", "__pycache__"}


def committed() -> Iterator[str]:
    """Yield the path of every file, without what commands make and git ignores."""
    for folder, folders, names in ROOT.walk():
        folders[:] = [name for name in folders if name not in MADE and not name.endswith("_cache")]
        yield from ((folder / name).relative_to(ROOT).as_posix() for name in names)


FILES = sorted(committed())
MARKDOWN = [path for path in FILES if path.endswith(".md")]


def test_the_licence_is_apache_2() -> None:
    """The whole text, and every package names it."""
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
    assert '"license": "Apache-2.0"' in (ROOT / "web" / "package.json").read_text()


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings, and those written by hand."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}
    return made | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links, without those to other sites."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\(<?([^)\s>]+)", text) + re.findall(r'(?:href|src)="([^"]+)"', text)
    return [each for each in found if not re.match(r"\w+:", each)]


def leads_nowhere(name: str, link: str) -> bool:
    """Return whether a page's link names no file that exists, or no heading in it."""
    page = ROOT / name
    # A page in benchmarks is a part of docs/benchmarks.md, and one in tests/search of docs/search.md.
    folder = ROOT / "docs" if name.startswith(("benchmarks/", "tests/search/")) else page.parent
    path, _, anchor = link.partition("#")
    target = folder / path if path else page
    return not target.exists() or bool(anchor and target.suffix == ".md" and anchor not in anchors(target))


def test_links_lead_somewhere() -> None:
    """Every link of every page leads to a file that exists, and to a heading in it."""
    assert [(name, link) for name in MARKDOWN for link in links(ROOT / name) if leads_nowhere(name, link)] == []


def test_the_contributors_guide_names_folders_that_exist() -> None:
    """Each folder in its tables."""
    named = re.findall(r"`([\w/]+/)`|\| `(tests/\w+)` \|", (ROOT / "CONTRIBUTING.md").read_text())
    missing = [name for pair in named for name in pair if name and not (ROOT / name).is_dir()]
    assert missing == []


def document(name: str) -> Any:
    """Return a YAML file of .github."""
    return yaml.safe_load((GITHUB / name).read_text())


def test_dependabot_looks_where_libraries_are() -> None:
    """Every folder with pinned libraries, but not at the versions that a benchmark compares with."""
    updates = {each["package-ecosystem"]: each for each in document("dependabot.yml")["updates"]}
    pinned = {"/" + name.rpartition("/")[0] for name in FILES if re.search(r"requirements.*\.in$", name)}
    pinned = {folder for folder in pinned if not folder.startswith("/benchmarks")}
    packages = {"/" + name.rpartition("/")[0] for name in FILES if name.endswith("/pyproject.toml")}
    assert set(updates["pip"]["directories"]) == pinned | packages
    assert (ROOT / updates["npm"]["directory"].lstrip("/") / "package-lock.json").is_file()
    assert "github-actions" in updates


def test_owned_paths_exist() -> None:
    """Every path of CODEOWNERS exists, also in the lines that are examples."""
    text = (GITHUB / "CODEOWNERS").read_text()
    patterns = re.findall(r"^(?:# )?(/\S+|\*) +@\w", text, re.MULTILINE)
    assert len(patterns) == text.count("@")
    for pattern in patterns:
        assert any(fnmatch(f"/{name}", pattern + "*") for name in FILES), pattern


def test_generated_files_exist() -> None:
    """Each pattern of .gitattributes matches a file."""
    patterns = re.findall(r"^(\S+) linguist-generated$", (ROOT / ".gitattributes").read_text(), re.MULTILINE)
    assert patterns
    for pattern in patterns:
        assert any(fnmatch(name, pattern.removeprefix("**")) or fnmatch(name, pattern) for name in FILES), pattern


@pytest.mark.parametrize("form", ["bug_report.yml", "feature_request.yml"])
def test_issue_forms_have_what_github_needs(form: str) -> None:
    """Name, description and fields with ids and labels (docs.github.com, "Syntax for GitHub's form schema")."""
    content = document(f"ISSUE_TEMPLATE/{form}")
    assert {"name", "description", "body"} <= content.keys()
    fields = [each for each in content["body"] if each["type"] != "markdown"]
    assert fields
    assert all(each["id"] and each["attributes"]["label"] for each in fields)


def test_hooks_run_what_make_lint_runs() -> None:
    """The same tools, installed by `make install`."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    hooked = {each["entry"].partition(".venv/bin/")[2].partition(" --force")[0] for each in hooks}
    command = r"^\t\$\(BIN\)/(ruff check|ruff format|lint-imports|mypy)(?= --check$|$)"
    made = set(re.findall(command, (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert hooked == made


def test_a_release_runs_what_a_change_runs() -> None:
    """Before anything is built; and only the job that publishes may write."""
    jobs = document("workflows/release.yml")["jobs"]
    steps = [each.get("run", "") for each in jobs["test"]["steps"]]
    assert {"make test", "make security"} <= set(steps)
    assert (jobs["build"]["needs"], jobs["publish"]["needs"]) == ("test", "build")
    writers = [name for name, job in jobs.items() if "write" in job["permissions"].values()]
    assert writers == ["publish"]


def test_a_checkout_has_unix_line_ends() -> None:
    """Scripts and hashes depend on them, on Windows too."""
    command = ["git", "check-attr", "eol", "--", "Makefile", "template.yaml"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert answer in ("", "Makefile: eol: lf\ntemplate.yaml: eol: lf\n")  # "" outside a git repository
