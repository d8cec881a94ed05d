"""The list of generated documents, and their current content."""

from __future__ import annotations

import json
from pathlib import Path

from dev.openapi.document import documents
from dev.openapi.table import table

ROOT = Path(__file__).resolve().parents[2]
# In the layer, because a function serves them.
OPENAPI = ROOT / "layers" / "zoom_common" / "zoom_common" / "edge" / "openapi"
OPERATIONS = ROOT / "docs" / "api" / "operations.md"


def generated() -> dict[Path, str]:
    """Return the documents by path."""
    described = {
        OPENAPI / f"{name}.json": json.dumps(each, indent=1, ensure_ascii=False) + "\n"
        for name, each in documents().items()
    }
    return {**described, OPERATIONS: table()}
