"""The page under /docs."""

from __future__ import annotations

import subprocess
import sys

from dev.openapi import page


def test_the_page_lists_every_operation() -> None:
    """By method and path, with parameters, bodies and answers, and asks no other host for anything."""
    documents = page.documents()
    text = page.rendered(documents)
    for path, item in [each for document in documents for each in document["paths"].items()]:
        for method in set(item) & set(page.METHODS):
            assert f"<b>{method.upper()}</b> <code>{path}</code>" in text
    assert "first_name*" in text
    assert "<script" not in text
    assert "src=" not in text


def test_the_front_door_starts_without_the_layer() -> None:
    """It is a process of the laptop's tools."""
    subprocess.run(
        [sys.executable, "-c", "import dev.front_door"], cwd=page.FOLDER.parents[4], env={}, check=True, timeout=60
    )


def test_the_page_is_served_by_itself() -> None:
    """Nothing else of the front door is taken over."""
    assert [route.path for route in page.routes()] == ["/docs"]


def test_what_comes_from_the_document_is_text() -> None:
    """Never markup."""
    operation = {"operationId": "x", "summary": "<i>", "tags": ["T"], "responses": {"200": {"description": "&"}}}
    document = {
        "info": {"title": "t", "version": "1", "description": ""},
        "tags": [{"name": "T"}],
        "paths": {"/a": {"get": operation}},
    }
    text = page.rendered([document])
    assert "&lt;i&gt;" in text
    assert "<i>" not in text
