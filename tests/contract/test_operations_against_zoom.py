"""Our operations against Zoom's contracts, as distilled in zoom_facts.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from tests.contract import facts
from zoom_common.zoom.models.fields import ZoomModel, faults
from zoom_common.zoom.operations.model import Operation, check_query
from zoom_common.zoom.operations.table import operations

SHAPES = {facts.shape(row["method"], row["path"]) for row in facts.FACTS["operations"].values()}
BY_NAME = [pytest.param(each, id=each.name) for each in operations() if not each.own]
WITH_BODY = [pytest.param(each, id=each.name) for each in operations() if each.body is not None]
# All switches of a user's settings pass: there is nothing to declare.
DECLARED = [each for each in WITH_BODY if each.id != "users.settings_update"]


def declared(operation: Operation) -> dict[str, Any]:
    """Zoom's declaration of `operation`."""
    return facts.operation(operation.method, operation.path)


def body_schema(operation: Operation) -> dict[str, Any]:
    """Zoom's schema of the body."""
    return merged(declared(operation)["body"])


def merged(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in one piece, where Zoom's is a list of parts."""
    whole: dict[str, Any] = {key: value for key, value in schema.items() if key not in {"allOf", "anyOf"}}
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        each = merged(part)
        whole["properties"] = {**whole.get("properties", {}), **each.get("properties", {})}
        whole["required"] = [*whole.get("required", []), *each.get("required", [])]
        whole.setdefault("type", each.get("type", "object"))
    if "properties" in whole:
        whole["properties"] = {name: merged(member) for name, member in whole["properties"].items()}
    if "items" in whole:
        whole["items"] = merged(whole["items"])
    return whole


def test_every_operation_of_zoom_has_a_row() -> None:
    """All 255 of the two contracts, once each, and beside them only our own."""
    ours = [facts.shape(each.method, each.path) for each in operations() if not each.own]
    assert sorted(ours) == sorted(SHAPES)
    assert len(ours) == 255


@pytest.mark.parametrize("operation", BY_NAME)
def test_status_label_and_scopes_agree(operation: Operation) -> None:
    """What Zoom prints beside an operation is what its row says."""
    zoom = declared(operation)
    assert operation.path == zoom["path"]
    assert str(operation.success) in zoom["responses"]
    # Zoom prints no label for a few, which then count as the dearest of the usual ones.
    assert operation.label.upper().replace("-", "_") == (zoom["label"] or "HEAVY")
    for ours, kind in ((operation.scopes.granular, "granular"), (operation.scopes.classic, "classic")):
        assert set(ours) == {scope for scope in zoom["scopes"][kind] if not scope.endswith(":master")}


@pytest.mark.parametrize("operation", BY_NAME)
def test_query_parameters_agree(operation: Operation) -> None:
    """Every parameter of Zoom's is declared, with its type, values and limit, and takes a value of Zoom's form."""
    zoom = {each["name"]: each for each in declared(operation)["parameters"] if each["in"] == "query"}
    ours = {each.name: each for each in operation.query}
    assert set(ours) == set(zoom)
    for name, parameter in ours.items():
        schema = zoom[name]["schema"]
        kind = "date" if schema.get("format") in {"date", "date-time"} else schema["type"]
        assert parameter.kind == kind, name
        assert list(parameter.values) == [str(each) for each in schema.get("enum", [])], name
        assert parameter.maximum == schema.get("maximum"), name
        assert parameter.required == zoom[name].get("required", False), name
        value = facts.value(schema)
        text = json.dumps(value) if isinstance(value, bool) else str(value)
        check_query([parameter], f"{name}={text}")


@pytest.mark.parametrize("operation", BY_NAME)
def test_a_body_is_declared_where_zoom_has_one(operation: Operation) -> None:
    """And nowhere else; without a model its row names the members that Zoom requires of it."""
    zoom = declared(operation)
    assert operation.media == zoom.get("media", "").partition(";")[0]
    if operation.model is None:
        schema = body_schema(operation) if operation.media else {}
        assert set(operation.required) == set(schema.get("required", ())) & schema.get("properties", {}).keys()


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


@pytest.mark.parametrize("operation", WITH_BODY)
def test_what_zoom_requires_is_required(operation: Operation) -> None:
    """A body without it is refused here, and one with nothing else but it is not."""
    assert operation.body is not None
    schema = body_schema(operation)
    required = set(schema.get("required", []))
    missing = {each.field for each in faults(operation.body, {}) if each.message == "This field is required."}
    assert missing == required
    assert _told(operation.body, {name: facts.value(schema["properties"][name]) for name in required}) == []


@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_of_all_members_passes(operation: Operation) -> None:
    """Values of Zoom's form in every member together, and each member alone."""
    assert operation.body is not None
    whole = facts.value(body_schema(operation))
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
        reported = [each for each in faults(operation.body, body) if each.message != "This field is required."]
        assert reported == [], (path, value)
        tried += 1
    assert tried >= 1


def _allowed(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, member in schema.get("properties", {}).items():
        yield from _allowed(member, (*path, name))
    if "items" in schema:
        yield from _allowed(schema["items"], (*path, "[]"))
    values = list(schema.get("enum", []))
    values += [schema[key] for key in ("minimum", "maximum", "default", "shape") if key in schema]
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
