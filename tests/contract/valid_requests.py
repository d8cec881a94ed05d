"""Requests that Zoom's contract allows, made from the facts: what a query has to have, and every member of a body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.contract import facts
from tests.contract.test_operations_against_zoom import merged

BOUNDARY = "b0"
_UPLOAD = '--{}\r\nContent-Disposition: form-data; name="{}"; filename="a.png"\r\n\r\n\x89PNG\r\n--{}--\r\n'


@dataclass(frozen=True)
class ValidRequest:
    """A request below `/v2`."""

    method: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def valid_request(method: str, template: str, ids: Mapping[str, str]) -> ValidRequest:
    """Return a request for an operation of Zoom's; ids that `ids` does not have are any word."""
    fact = facts.operation(method, template)
    query = {each["name"]: each["schema"] for each in fact["parameters"] if each["in"] == "query" and _needed(each)}
    path = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "x"), template)
    path += f"?{urlencode({name: facts.value(schema) for name, schema in query.items()})}" if query else ""
    if "body" not in fact:
        return ValidRequest(method, path)
    body = merged(fact["body"])
    if fact["media"].startswith("multipart"):
        name = next(iter(body.get("required") or ["file"]))
        content = _UPLOAD.format(BOUNDARY, name, BOUNDARY).encode("latin-1")
        return ValidRequest(method, path, content, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    content = json.dumps(facts.value(body)).encode()
    return ValidRequest(method, path, content, {"Content-Type": "application/json"})


def _needed(parameter: dict[str, Any]) -> bool:
    return bool(parameter.get("required")) or parameter["name"] in {"from", "to"}
