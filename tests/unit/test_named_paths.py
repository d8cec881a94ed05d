"""Files and folders that pages, comments and docstrings name exist."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import PurePosixPath

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


@cache
def exists(path: str) -> bool:
    """Whether it is a file or folder of the repository, named in full or by its last parts; or a command makes it."""
    if path.startswith(MADE):
        return True
    path = path.rstrip("/")
    known = path in FOLDERS or path in FILES
    return known or any(name.endswith(f"/{path}") for name in (*FILES, *FOLDERS))


def missing(paths: Iterable[str]) -> list[str]:
    """Those that do not exist."""
    return sorted({path for path in paths if not exists(path)})


def modules(text: str) -> list[str]:
    """The paths of modules and packages that a text names with dots, without attributes in them."""
    found = []
    for name in _MODULE.findall(text):
        path = name.replace(".", "/")
        found.append(path if path in FOLDERS or exists(path) else f"{path}.py")
    return found


def missing_in(names: Iterable[str], named: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """What the texts of files name and does not exist, by file."""
    found = {name: missing(named((ROOT / name).read_text())) for name in names}
    return {name: paths for name, paths in found.items() if paths}


def in_page(text: str) -> list[str]:
    """Files, folders and modules in a page's inline code."""
    text = _FENCED.sub("", text)
    return _IN_CODE.findall(text) + modules(text)


def in_comments(text: str) -> list[str]:
    """Files below the top folders in lines' comments."""
    return [path for line in text.splitlines() for path in _BELOW_TOP.findall(line.partition("# ")[2])]


def in_code(text: str) -> list[str]:
    """Python files in backticks."""
    return [path for path in _IN_CODE.findall(text) if path.endswith(".py") and "/" in path]


def test_pages_name_what_exists() -> None:
    """Every file, folder and module in the inline code of a page exists."""
    assert missing_in(PAGES, in_page) == {}


def test_comments_name_what_exists() -> None:
    """Every file that a comment of a template or a makefile names exists."""
    assert missing_in(COMMENTED, in_comments) == {}


def test_code_names_what_exists() -> None:
    """Every Python file that a docstring or a comment names exists."""
    assert missing_in(SOURCES, in_code) == {}


def test_the_check_itself_sees() -> None:
    """A file that is gone is found, by its path and as a module."""
    assert missing(_IN_CODE.findall("`dev/gone.py` and `dev/run.py`")) == ["dev/gone.py"]
    assert missing(modules("`python -m dev.gone` and `dev.run`")) == ["dev/gone.py"]
