"""The OpenAPI description as a page to read, under `/docs` of the local front door. No script, no other host."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

# A folder of the layer, which this process does not have on its path.
FOLDER = Path(__file__).resolve().parents[2] / "layers/zoom_common/zoom_common/edge/openapi"
METHODS = ("get", "post", "put", "patch", "delete")
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
details { border: 1px solid #8885; border-radius: 4px; margin: .4rem 0; padding: .3rem .7rem }
summary { cursor: pointer } code { font-size: .95em } b { display: inline-block; min-width: 4.2rem }
table { border-collapse: collapse; margin: .5rem 0 } td { border: 1px solid #8885; padding: .15rem .5rem }
"""


def routes() -> list[Route]:
    """The one page."""

    async def docs(_: Request) -> Response:
        return HTMLResponse(rendered(documents()))

    return [Route("/docs", docs)]


def documents() -> list[dict[str, Any]]:
    """The description of each family."""
    return [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]


def rendered(described: Sequence[Mapping[str, Any]]) -> str:
    """The whole page."""
    about = described[0]["info"]
    tags = [each["name"] for document in described for each in document["tags"]]
    links = " &middot; ".join(f'<a href="#{_text(tag)}">{_text(tag)}</a>' for tag in tags)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(about["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{_text(about['title'])} {_text(about['version'])}</h1><p>{_text(about['description'])}</p>"
        f'<p>For tools: <a href="/openapi.json">/openapi.json</a>. {links}</p>'
        + "".join(_section(document, each["name"]) for document in described for each in document["tags"])
        + "</html>"
    )


def _section(document: Mapping[str, Any], tag: str) -> str:
    found = [
        _operation(document, path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and tag in item[method]["tags"]
    ]
    return f'<h2 id="{_text(tag)}">{_text(tag)}</h2>{"".join(found)}'


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    title = f"<b>{method.upper()}</b> <code>{_text(path)}</code> {_text(operation['summary'])}"
    parts = [f"<p>{_text(operation.get('description', ''))}</p>"]
    parameters = [_resolved(document, each) for each in operation.get("parameters", ())]
    rows = [(each["name"], each["in"], _kind(each["schema"]), each.get("description", "")) for each in parameters]
    parts += [_table("Parameters", rows)] if rows else []
    for media in operation.get("requestBody", {}).get("content", {}).values():
        schema = _resolved(document, media["schema"])
        required = set(schema.get("required", ()))
        members = [
            (name + "*" * (name in required), _kind(member), member.get("description", ""))
            for name, member in schema.get("properties", {}).items()
        ]
        parts.append(_table("Body (* required; all else passes through)", members) if members else "")
    answers = [(code, _resolved(document, each)["description"]) for code, each in operation["responses"].items()]
    parts.append(_table("Answers", answers))
    return f"<details><summary>{title}</summary>{''.join(parts)}</details>"


def _table(title: str, rows: Iterable[Iterable[str]]) -> str:
    cells = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{title}</caption>{cells}</table>"


def _kind(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    for many in ("anyOf", "oneOf"):
        if many in schema:
            return " or ".join(_kind(each) for each in schema[many] if each.get("type") != "null")
    kind = str(schema.get("type", "anything"))
    limits = [f"{name} {schema[name]}" for name in ("minimum", "maximum", "maxLength", "maxItems") if name in schema]
    inner = f" of {_kind(schema['items'])}" if kind == "array" and "items" in schema else ""
    return ", ".join([kind + inner, *limits])


def _resolved(document: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in value:
        return value
    found: Any = document
    for step in str(value["$ref"]).removeprefix("#/").split("/"):
        found = found[step]
    resolved: Mapping[str, Any] = found
    return resolved


def _text(value: object) -> str:
    return html.escape(str(value))
