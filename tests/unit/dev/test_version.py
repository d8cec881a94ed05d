"""One version, wherever it is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dev.version import PLACES, ROOT, change, current, found, notes
from tests.fakes.handlers import load
from zoom_common import __version__
from zoom_common.events.published_schema import document
from zoom_common.secret import Secret
from zoom_common.zoom.api import build
from zoom_common.zoom.operations.table import operations

LAYER = ROOT / "layers" / "zoom_common" / "zoom_common"


def test_every_place_has_the_projects_version() -> None:
    """`python -m dev.version X.Y.Z` keeps them equal."""
    assert found() == {place: [current()] * times for place, (_, times) in PLACES.items()}


def test_what_shows_a_version_shows_the_projects() -> None:
    """Health, OpenAPI and AsyncAPI."""
    shown = {json.loads(path.read_text())["info"]["version"] for path in (LAYER / "edge" / "openapi").glob("*.json")}
    shown |= {load("health").HealthSettings.from_env({}).version, document()["info"]["version"]}
    assert shown == {__version__} == {current()}


def test_zoom_sees_which_version_calls() -> None:
    """In the User-Agent of every call."""
    row = next(each for each in operations() if each.path == "/users/{userId}/meetings" and each.method == "GET")
    call = build(
        row, {"userId": "me"}, query_string="", body=b"", base_url="https://api.zoom.example/v2", token=Secret("t")
    )
    assert call.headers["User-Agent"] == f"integrato-zoom/{current()}"


def test_the_newest_release_in_the_changelog_is_the_version() -> None:
    """Below what is not released yet, and it has notes."""
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert headings[1].startswith(f"[{current()}] - ")
    assert notes(current())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of every place with a version."""
    for place in PLACES:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text((ROOT / place).read_text())
    return tmp_path


def test_a_version_is_changed_everywhere(project: Path) -> None:
    """And nothing else is."""
    change("12.34.56", project)
    assert {version for versions in found(project).values() for version in versions} == {"12.34.56"}
    for place in PLACES:
        assert (project / place).read_text().replace("12.34.56", current()) == (ROOT / place).read_text()


@pytest.mark.parametrize("new", ["1.0", "v1.0.0", "1.0.0rc1", "one"])
def test_only_a_version_is_taken(project: Path, new: str) -> None:
    """Anything else changes nothing."""
    with pytest.raises(SystemExit, match="is not a version"):
        change(new, project)
    assert current(project) == current()


def test_a_place_that_lost_its_version_stops_the_change(project: Path) -> None:
    """Before anything is written."""
    (project / "template.yaml").write_text("Description: none\n")
    with pytest.raises(SystemExit, match=r"template\.yaml has the version 0 times"):
        change("1.0.0", project)
    assert current(project) == current()


def test_notes_are_one_section(tmp_path: Path) -> None:
    """The one of the version asked for. A version without a section has none."""
    log = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2030-01-07\n\n### Added\n\n- A\n\n"
    log += "## [0.1.0] - 2030-01-01\n\n- B\n"
    (tmp_path / "CHANGELOG.md").write_text(log)
    assert notes("0.2.0", tmp_path) == "### Added\n\n- A"
    assert notes("0.1.0", tmp_path) == "- B"
    with pytest.raises(SystemExit, match="no dated section"):
        notes("0.3.0", tmp_path)
