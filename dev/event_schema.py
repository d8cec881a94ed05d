"""Writes docs/api/asyncapi.json from the code. A test fails while the two differ."""

from __future__ import annotations

import json

from ops.project import ROOT
from zoom_common.events.published_schema import document

TARGET = ROOT / "docs" / "api" / "asyncapi.json"


def rendered() -> str:
    """Return the file's text."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(rendered())
    print(f"Wrote {TARGET.relative_to(ROOT)}.")
