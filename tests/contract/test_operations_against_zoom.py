"""Our operations against Zoom's own OpenAPI documents, where these are at hand.

They are Zoom's and not part of this project: the variable ZOOM_REFERENCE says where they lie.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from zoom_common.zoom.models.base import ZoomModel, faults
from zoom_common.zoom.operations import OPERATIONS, Operation, check_query

ROOT = Path(__file__).parents[2]
CONTRACTS = Path(os.environ.get("ZOOM_REFERENCE") or ROOT.parent / "shared" / "reference") / "zoom-contracts"
BY_NAME = [pytest.param(each, id=each.name) for each in OPERATIONS if not each.own]
WITH_BODY = [pytest.param(each, id=each.name) for each in OPERATIONS if each.body is not None]
# All switches of a user's settings pass: there is nothing to declare.
DECLARED = [each for each in WITH_BODY if each.id != "users.settings_update"]
# What Zoom's documents leave out, and Zoom takes.
UNPRINTED = {"report:read:daily_usage:admin", "report:read:cloud_recording:admin", "recording:read:admin"}

pytestmark = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="Zoom's contracts are not at hand (ZOOM_REFERENCE)")


@cache
def _paths() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for document in sorted(CONTRACTS.glob("zoom-*-openapi.*.json")):
        found |= json.loads(document.read_text())["paths"]
    return found


def declared(operation: Operation) -> dict[str, Any]:
    """Zoom's declaration of `operation`."""
    found: dict[str, Any] = _paths()[operation.path][operation.method.lower()]
    return found


def body_schema(operation: Operation) -> dict[str, Any]:
    """Zoom's schema of the body."""
    return merged(declared(operation)["requestBody"]["content"]["application/json"]["schema"])


def merged(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in one piece, where Zoom's is a list of parts."""
    whole: dict[str, Any] = {key: value for key, value in schema.items() if key not in {"allOf", "oneOf"}}
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ())):
        each = merged(part)
        whole["properties"] = {**whole.get("properties", {}), **each.get("properties", {})}
        whole["required"] = [*whole.get("required", []), *each.get("required", [])]
        whole.setdefault("type", each.get("type", "object"))
    if "properties" in whole:
        whole["properties"] = {name: merged(member) for name, member in whole["properties"].items()}
    if "items" in whole:
        whole["items"] = merged(whole["items"])
    return whole


@pytest.mark.parametrize("operation", BY_NAME)
def test_status_label_and_scopes_agree(operation: Operation) -> None:
    """What Zoom prints beside an operation is what its row says."""
    zoom = declared(operation)
    assert str(operation.success) in zoom["responses"]
    label = re.search(r"Rate Limit Label.*`(\w+)`", zoom["description"])
    assert label is not None
    assert operation.label.upper().replace("-", "_") == label[1].upper()
    extensions = zoom["x-extensions"]
    for ours, theirs in (
        (operation.scopes.granular, extensions.get("x-granular-scopes")),
        (operation.scopes.classic, extensions.get("x-macro-scopes")),
    ):
        printed = {scope for scope in theirs or () if not scope.endswith(":master")}
        assert set(ours) - UNPRINTED == printed - UNPRINTED


@pytest.mark.parametrize("operation", BY_NAME)
def test_query_parameters_agree(operation: Operation) -> None:
    """Every parameter of Zoom's is declared, with its type, values and limit, and its example passes."""
    zoom = {each["name"]: each for each in declared(operation).get("parameters", []) if each["in"] == "query"}
    ours = {each.name: each for each in operation.query}
    assert set(ours) == set(zoom)
    for name, parameter in ours.items():
        schema = zoom[name]["schema"]
        kind = "date" if schema.get("format") == "date" else schema["type"]
        assert parameter.kind == kind, name
        assert list(parameter.values) == [str(each) for each in schema.get("enum", [])], name
        assert parameter.maximum == schema.get("maximum"), name
        assert parameter.required == zoom[name].get("required", False), name
        example = schema.get("example", schema.get("default"))
        if example is not None:
            text = json.dumps(example) if isinstance(example, bool) else str(example)
            check_query([parameter], f"{name}={text}")


@pytest.mark.parametrize("operation", BY_NAME)
def test_a_body_is_declared_where_zoom_has_one(operation: Operation) -> None:
    """And nowhere else."""
    assert (operation.body is not None) == ("requestBody" in declared(operation))


def members(schema: dict[str, Any], model: type[BaseModel], at: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every member of Zoom's schema, with the model that should declare it."""
    for name, member in schema.get("properties", {}).items():
        yield f"{at}{name}", model
        inner = member.get("items", member)
        nested = _model_in(model.model_fields[name].annotation) if name in model.model_fields else None
        if nested is not None and "properties" in inner:
            yield from members(inner, nested, f"{at}{name}.")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each))), None)


@pytest.mark.parametrize("operation", DECLARED)
def test_every_member_of_a_body_is_declared(operation: Operation) -> None:
    """Our models cover what Zoom lists; objects are models, not anything."""
    assert operation.body is not None
    schema = body_schema(operation)
    missing = [at for at, model in members(schema, operation.body) if at.rpartition(".")[2] not in model.model_fields]
    assert missing == []
    assert len(list(members(schema, operation.body))) == len(list(_every_member(schema)))


def _every_member(schema: dict[str, Any]) -> Iterator[str]:
    for name, member in schema.get("properties", {}).items():
        yield name
        yield from _every_member(member.get("items", member))


def example(schema: dict[str, Any]) -> Any:
    """A value made of the examples in Zoom's schema."""
    if "example" in schema:
        return schema["example"]
    if "properties" in schema:
        return {name: example(member) for name, member in schema["properties"].items()}
    if "items" in schema:
        return [example(schema["items"])]
    return schema.get("default", {"string": "text", "integer": 1, "boolean": True}.get(schema["type"]))


@pytest.mark.parametrize("operation", WITH_BODY)
def test_what_zoom_requires_is_required(operation: Operation) -> None:
    """A body without it is refused here, and one with nothing else but it is not."""
    assert operation.body is not None
    schema = body_schema(operation)
    required = set(schema.get("required", []))
    missing = {each.field for each in faults(operation.body, {}) if each.message == "This field is required."}
    assert missing == required
    assert _told(operation.body, {name: example(schema["properties"][name]) for name in required}) == []


@pytest.mark.parametrize("operation", WITH_BODY)
def test_the_whole_example_passes(operation: Operation) -> None:
    """All examples of a body together, and each member alone."""
    assert operation.body is not None
    whole = example(body_schema(operation))
    assert _told(operation.body, whole) == []
    required = {name: whole[name] for name in body_schema(operation).get("required", [])}
    for name, value in whole.items():
        assert _told(operation.body, {**required, name: value}) == []


@pytest.mark.parametrize("operation", WITH_BODY)
def test_every_value_the_contract_names_passes(operation: Operation) -> None:
    """Each enumerated value, each limit, text of the greatest length."""
    assert operation.body is not None
    tried = 0
    for path, value in _allowed(body_schema(operation)):
        body: Any = value
        for step in reversed(path):
            body = [body] if step == "[]" else {step: body}
        # Objects around the value get what Zoom requires of them.
        told = [each for each in faults(operation.body, body) if each.message != "This field is required."]
        assert told == [], (path, value)
        tried += 1
    assert tried >= 1


def _allowed(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, member in schema.get("properties", {}).items():
        yield from _allowed(member, (*path, name))
    if "items" in schema:
        yield from _allowed(schema["items"], (*path, "[]"))
    values = list(schema.get("enum", []))
    values += [schema[key] for key in ("minimum", "maximum", "default", "example") if key in schema]
    if schema["type"] == "array":
        values = []
    if schema["type"] == "boolean":
        values += [True, False]
    if "maxLength" in schema and schema["type"] == "string" and path[-1:] != ("email",):
        values.append("\N{GRINNING FACE}" * schema["maxLength"])
    if schema.get("format") == "date-time":
        values.append(datetime(2030, 1, 7, 9, 30, tzinfo=UTC).isoformat())
    for value in values:
        yield path, value


def _told(model: type[ZoomModel], body: Any) -> list[str]:
    return [f"{each.field}: {each.message}" for each in faults(model, body)]
