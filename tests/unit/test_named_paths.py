"""Files and folders that pages, comments and docstrings name exist."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from ops.project import ROOT
from tests.unit.dev.test_repository import FILES, MARKDOWN

FOLDERS = {str(folder) for name in FILES for folder in PurePosixPath(name).parents} - {"."}
TOP = {name.partition("/")[0] for name in FILES if "/" in name}
# What commands make: it is in no checkout.
MADE = (".local/", ".venv/", ".aws-sam/", "build/", "dist/", "web/dist/", "node_modules/")

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_FILE = r"(?:[\w.-]+/)*[\w-]+\.(?:py|mjs|ts|pem|ya?ml|toml)"
_FOLDER = r"(?:[\w.-]+/)+"
_IN_CODE = re.compile(rf"`({_FILE}|{_FOLDER})(?:::\w+)?`")
_BELOW_TOP = re.compile(rf"(?<![\w/.:-])((?:{'|'.join(map(re.escape, sorted(TOP)))})/[\w./-]*[\w/])")
_MODULE = re.compile(r"\b(?:python -m |`)((?:dev|ops|local|zoom_common|simulator)(?:\.\w+)+)\b")

PAGES = sorted({*MARKDOWN, *(name for name in FILES if name.startswith(".github/"))} - {"CHANGELOG.md"})
COMMENTED = ["template.yaml", "web/template.yaml", "Makefile", "functions/Makefile", "layers/zoom_common/Makefile"]
SOURCES = [name for name in FILES if name.endswith(".py") and name != "tests/unit/test_named_paths.py"]


def exists(path: str) -> bool:
    """Whether it is a file or folder of the repository, named in full or by its last parts; or a command makes it."""
    if path.startswith(MADE):
        return True
    path = path.rstrip("/")
    known = path in FOLDERS or path in FILES
    return known or any(name.endswith(f"/{path}") for name in (*FILES, *FOLDERS))


def missing(paths: list[str]) -> list[str]:
    """Those that do not exist."""
    return sorted({path for path in paths if not exists(path)})


def modules(text: str) -> list[str]:
    """The paths of modules and packages that a text names with dots, without attributes in them."""
    found = []
    for name in _MODULE.findall(text):
        path = name.replace(".", "/")
        found.append(path if path in FOLDERS or exists(path) else f"{path}.py")
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_what_exists(name: str) -> None:
    """Files, folders and modules in its inline code."""
    text = _FENCED.sub("", (ROOT / name).read_text())
    assert missing(_IN_CODE.findall(text) + modules(text)) == []


@pytest.mark.parametrize("name", COMMENTED)
def test_a_comment_names_what_exists(name: str) -> None:
    """Files below the top folders, in comments of templates and makefiles."""
    comments = [line.partition("# ")[2] for line in (ROOT / name).read_text().splitlines()]
    named = [path for line in comments for path in _BELOW_TOP.findall(line)]
    assert missing(named) == []


@pytest.mark.parametrize("name", SOURCES)
def test_code_names_what_exists(name: str) -> None:
    """Python files in backticks, in docstrings and comments."""
    text = (ROOT / name).read_text()
    assert missing([path for path in _IN_CODE.findall(text) if path.endswith(".py") and "/" in path]) == []


def test_the_check_itself_sees() -> None:
    """A file that is gone is found, by its path and as a module."""
    assert missing(_IN_CODE.findall("`dev/gone.py` and `dev/run.py`")) == ["dev/gone.py"]
    assert missing(modules("`python -m dev.gone` and `dev.run`")) == ["dev/gone.py"]
