"""The API's OpenAPI description, from the files that `python -m dev.openapi` writes into the folder `openapi`.

There is a document for each family of operations, and one with all of them.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from zoom_common.edge.response import JSON, Response
from zoom_common.errors import NotFound

_FOLDER = Path(__file__).with_name("openapi")
_SUFFIX = ".json"
# The document is the same for everybody, so pages and tools of any origin may read it.
_HEADERS = {
    "content-type": JSON,
    "access-control-allow-origin": "*",
    "cache-control": "public, max-age=300",
    "vary": "accept-encoding",
}


def described(server: str, *, name: str = "", accept_encoding: str = "") -> Response:
    """Return the description of the family in `name`, such as `users.json`, or of the whole API.

    `server` is the gateway's own address. The answer is compressed for callers that accept gzip. Raises NotFound for
    an unknown family.
    """
    family = name.removesuffix(_SUFFIX)
    if name and (name == family or family not in families()):
        raise NotFound("This API endpoint is not recognized.", reason="unknown_route", code=2300)
    text = _compact(family, server)
    if not accepts_gzip(accept_encoding):
        return Response(200, text, _HEADERS)
    return Response(200, _compressed(text), {**_HEADERS, "content-encoding": "gzip"})


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether a header `Accept-Encoding` accepts gzip: it names gzip or `*`, without `q=0`.

    https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
    """
    weights = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameters = part.partition(";")
        weight = parameters.replace(" ", "").removeprefix("q=")
        weights[coding.strip()] = weight.strip("0.") != "" if weight else True
    return weights.get("gzip", weights.get("*", False))


@cache
def families() -> frozenset[str]:
    """Return the names of the families with a document of their own."""
    return frozenset(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}"))


@cache
def _compact(family: str, server: str) -> bytes:
    # The files have one member a line, for reviews. The answer is a third of their size.
    document = _read(family) if family else _together()
    document = {**document, "servers": [{"url": server or "/"}]}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _compressed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


def _together() -> dict[str, Any]:
    """Return one document with everything."""
    whole: dict[str, Any] = {}
    for each in (_read(family) for family in sorted(families())):
        if not whole:
            whole = each
            continue
        whole["tags"] += each["tags"]
        for path, item in each["paths"].items():
            whole["paths"].setdefault(path, {}).update(item)
        for kind, components in each["components"].items():
            whole["components"][kind] |= components
    return whole


def _read(family: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((_FOLDER / f"{family}{_SUFFIX}").read_bytes())
    return document
