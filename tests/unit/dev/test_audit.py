"""The dependency audit: what pip-audit's report means, and what counts as a pin."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dev import audit

SAFE = {"name": "requests", "version": "2.34.2", "vulns": []}
SKIPPED = {"name": "cffi", "skip_reason": "Dependency not found on PyPI and could not be audited: cffi (2.1.1)"}
BAD = {"name": "idna", "version": "3.6", "vulns": [{"id": "PYSEC-2024-60", "fix_versions": ["3.7"]}]}


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_what_was_skipped_is_not_clean() -> None:
    """Packages that the index has no advisories of are told apart from those that were looked up."""
    found = audit.read(report(SAFE, SKIPPED))
    assert (found.known, found.unasked, found.looked_up) == ((), ("cffi",), 1)


def test_a_vulnerability_says_where_it_is_mended() -> None:
    """Package, version, id, and the version to go to."""
    assert audit.read(report(SAFE, BAD)).known == ("idna 3.6: PYSEC-2024-60, mended in 3.7",)


@pytest.mark.parametrize("text", ["", "ERROR: no network"])
def test_no_report_is_an_error(text: str) -> None:
    """So that silence is never taken for a clean bill."""
    with pytest.raises(ValueError, match="Expecting value"):
        audit.read(text)


@pytest.mark.parametrize(
    ("strict", "packages", "status"),
    [
        (False, [SAFE, SKIPPED], 0),
        (True, [SAFE, SKIPPED], 1),
        (True, [SAFE], 0),
        (False, [SAFE, BAD], 1),
        (False, None, 0),
        (True, None, 1),
    ],
)
def test_ci_wants_an_answer(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    strict: bool,
    packages: list[dict[str, Any]] | None,
    status: int,
) -> None:
    """On a machine without advisories the audit says so and goes on; CI fails."""
    monkeypatch.setattr("sys.argv", ["audit", *(["--strict"] if strict else [])])
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(audit, "_asked", lambda: "" if packages is None else report(*packages))
    monkeypatch.setattr(audit, "_withdrawn", lambda: "")
    assert audit.main() == status
    assert ("NOT AUDITED" in capsys.readouterr().out) == (packages is None or SKIPPED in packages)


def test_loose_pins_are_found() -> None:
    """A version without a hash, a range, and an address."""
    text = "a==1.0 \\\n    --hash=sha256:00\n# b\nc==2.0\nd>=3\ne @ https://example.com/e.zip\n"
    assert audit.unpinned(text) == ["c==2.0", "d>=3", "e"]


def test_everything_shipped_is_pinned() -> None:
    """The layer's requirements name each version with its hashes."""
    assert audit.unpinned(audit.SHIPPED.read_text()) == []
