"""`python -m dev.openapi`: writes the documents again after a change of the table or the models."""

from __future__ import annotations

from dev.openapi.files import generated

for path, text in generated().items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(path)
