"""Which documents there are, and what they say now."""

from __future__ import annotations

import json
from pathlib import Path

from dev.openapi.document import document
from dev.openapi.table import table

ROOT = Path(__file__).resolve().parents[2]
# In the layer, because a function serves it.
OPENAPI = ROOT / "layers" / "zoom_common" / "zoom_common" / "edge" / "openapi.json"
OPERATIONS = ROOT / "docs" / "api" / "operations.md"


def generated() -> dict[Path, str]:
    """The documents by path."""
    return {OPENAPI: json.dumps(document(), indent=1, ensure_ascii=False) + "\n", OPERATIONS: table()}
