"""Lints IAM policies with parliament: actions, resources and condition keys that AWS does not know or that do not fit.

Runs with parliament's own Python: `uv tool run --from parliament==... python dev/lint_policies.py FOLDER`.
https://github.com/duo-labs/parliament
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# Findings that are intended, by the file's name and parliament's name for the issue, with the reason. None so far.
WAIVED: dict[tuple[str, str], str] = {}


def findings(file: Path) -> list[tuple[str, Any]]:
    """Return parliament's findings in a policy that are not intended: the issue and its place."""
    import parliament  # type: ignore[import-not-found]  # noqa: PLC0415 - only parliament's own Python has it

    found = parliament.analyze_policy_string(file.read_text()).findings
    return [(each.issue, each.location) for each in found if (file.stem, each.issue) not in WAIVED]


def main(folder: Path) -> int:
    """Print each finding; return 1 when there is one, or when there are no policies."""
    files = sorted(folder.glob("*.json"))
    found = [(file.stem, *each) for file in files for each in findings(file)]
    for each in found:
        print(*each)
    print(f"parliament: {len(found)} findings in {len(files)} policies")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
