"""The OpenAPI description: what is committed is what the table says, and others can read it."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from dev.openapi.files import generated
from dev.openapi.own import PATHS
from zoom_common.edge import api_document
from zoom_common.errors import NotFound
from zoom_common.gateway.context import CallStats
from zoom_common.zoom.operations.table import operations

DOCUMENT: dict[str, Any] = json.loads(api_document.described("https://gateway.example").body)
EVERY = [
    pytest.param(path, method, each, id=each["operationId"])
    for path, methods in DOCUMENT["paths"].items()
    for method, each in methods.items()
    if method != "parameters"
]


@pytest.mark.parametrize("path", list(generated()), ids=lambda path: path.name)
def test_what_is_committed_is_what_the_code_says(path: Path) -> None:
    """After a change of the table or the models: make openapi."""
    assert path.read_text() == generated()[path]


def test_it_is_valid_openapi() -> None:
    """By a validator that is not ours."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()


@pytest.mark.parametrize("family", ["", *sorted(api_document.families())])
def test_each_document_is_below_a_megabyte(family: str) -> None:
    """With the gateway's own address and all it refers to, and much smaller where gzip is accepted."""
    name = f"{family}.json" if family else ""
    answer = api_document.described("https://gateway.example", name=name)
    small = api_document.described("https://gateway.example", name=name, accept_encoding="br, gzip")
    document = json.loads(answer.body)
    references = {step["$ref"] for step in _objects(document) if "$ref" in step}
    assert all(_at(document, each) for each in references)
    assert document["servers"] == [{"url": "https://gateway.example"}]
    assert len(answer.body) < 1_000_000
    assert gzip.decompress(small.body) == answer.body
    assert len(small.body) < len(answer.body) / 5
    assert (small.headers["content-encoding"], small.to_event()["isBase64Encoded"]) == ("gzip", True)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(each)


def _at(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


@pytest.mark.parametrize("name", ["users", "unheard_of.json", "../openapi.json", ".json"])
def test_an_unknown_document_is_not_found(name: str) -> None:
    """Only the families have one."""
    with pytest.raises(NotFound):
        api_document.described("", name=name)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
    ],
)
def test_gzip_is_for_those_who_accept_it(header: str, *, accepted: bool) -> None:
    """Gzip is chosen by the weights in `Accept-Encoding`, as RFC 9110 says."""
    assert api_document.accepts_gzip(header) is accepted


def test_every_row_is_described() -> None:
    """Method, path, success status; and parameters by name."""
    for each in operations():
        reported = DOCUMENT["paths"][f"/v2{each.path}"][each.method.lower()]
        assert (reported["operationId"], str(each.success) in reported["responses"]) == (each.name, True)
        queries = {parameter["name"] for parameter in reported["parameters"] if parameter.get("in") == "query"}
        assert queries - {"all"} == {parameter.name for parameter in each.query}


@pytest.mark.parametrize(("path", "method", "operation"), EVERY)
def test_paths_and_parameters_agree(path: str, method: str, operation: dict[str, Any]) -> None:
    """Each id in a path is declared, and nothing else is."""
    shared = DOCUMENT["paths"][path].get("parameters", [])
    declared = {each["name"] for each in [*shared, *operation.get("parameters", [])] if each.get("in") == "path"}
    assert declared == set(re.findall(r"\{(\w+)\}", path)), method


def test_schemas_are_schemas_and_take_what_the_guide_shows() -> None:
    """A basic meeting, a weekly one, a webinar with a practice session."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("type") == "object", name
    meeting = {"topic": "Stand-up", "type": 2, "start_time": "2030-01-07T10:00:00Z", "duration": 30}
    recurrence = {"type": 2, "repeat_interval": 1, "weekly_days": "2,4", "end_times": 10}
    weekly = {**meeting, "type": 8, "recurrence": recurrence}
    webinar = {**meeting, "type": 5, "settings": {"practice_session": True}}
    for model, body in (("CreateMeeting", meeting), ("CreateMeeting", weekly), ("CreateWebinar", webinar)):
        schema = {"$ref": f"#/components/schemas/{model}", "components": DOCUMENT["components"]}
        Draft202012Validator(schema).validate(body)


def test_headers_of_answers_are_described() -> None:
    """Every one that a call's record can bring, and no invented one."""
    whole = CallStats(label="Light", local_budget=True, left_today=1, budget_left=1, waited=1, tries=2)
    whole.key, whole.cache = "made", "hit"
    sent = set(whole.headers())
    sent |= {"x-request-id", "etag", "retry-after", "x-zoom-limit", "x-gateway-not-applied", "x-gateway-overlaps"}
    assert sent == {name.lower() for name in DOCUMENT["components"]["headers"]}


def test_no_two_operations_share_a_name() -> None:
    """Generated clients name their methods by it."""
    names = [each.id for each in EVERY]
    assert len(names) == len(set(names))


# What browsers call on their way through Zoom is no API.
BROWSERS = {"/auth/zoom/start", "/auth/zoom/callback", "/auth/zoom/callback/"}


def own_routes() -> dict[tuple[str, str], str | None]:
    """Every route that a function declares, with the scope it asks for; ids have no names here."""
    declared = re.compile(r'@router\.route\("(\w+)", "([^"]+)", scope=(?:"([^"]+)"|None)\)')
    found: dict[tuple[str, str], str | None] = {}
    for handler in sorted((Path(__file__).parents[2] / "functions").glob("*/handler.py")):
        for method, path, scope in declared.findall(handler.read_text()):
            if path not in BROWSERS:
                found[method.lower(), re.sub(r"\{\w+\}", "{}", path)] = scope or None
    return found


def test_our_own_paths_are_those_the_functions_serve() -> None:
    """No more, no fewer, and each with its scope."""
    reported = {
        (method, re.sub(r"\{\w+\}", "{}", path)): each.get("x-gateway-scope")
        for path, item in PATHS.items()
        for method, each in item.items()
        if method != "parameters"
    }
    assert reported == own_routes()
