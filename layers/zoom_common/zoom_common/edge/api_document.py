"""The API's OpenAPI description, as generated into this folder by `python -m dev.openapi`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from zoom_common.edge.response import JSON, Response

_FILE = Path(__file__).with_name("openapi.json")


@cache
def _compact() -> bytes:
    # The file is for reviews, one member a line; what travels is a third of it.
    return json.dumps(json.loads(_FILE.read_bytes()), ensure_ascii=False, separators=(",", ":")).encode()


def described() -> Response:
    """The description. It is the same for everybody, and readable from any page: tools fetch it from elsewhere."""
    headers = {"content-type": JSON, "access-control-allow-origin": "*", "cache-control": "public, max-age=300"}
    return Response(200, _compact(), headers)
