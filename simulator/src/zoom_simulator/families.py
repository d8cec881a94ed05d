"""Families of Zoom's API that are not simulated: phone, team chat, rooms, contact center, SCIM and others.

Any request under them is answered with what arrived, so that a test can compare. `GET .../download/{id}` answers with a
redirect to another host name, as Zoom does for files, and `GET .../image/{id}` with bytes that are no text.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from zoom_simulator import asgi
from zoom_simulator.errors import ZoomError, invalid_token
from zoom_simulator.fault_responses import JSON_TYPE, after, before
from zoom_simulator.simulator import Simulator
from zoom_simulator.translations import translator

WORDS = ("phone", "chat", "rooms", "contact_center", "roles", "metrics", "zoom_events", "whiteboards")
STORAGE = "/storage/"
SEEN = "/_sim/families"

LABELS = {"GET": "Light", "DELETE": "Light"}
OTHER_NAME = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}
MOST_SEEN = 500
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class Families:
    """These families, and the storage that downloads are redirected to, as an ASGI application."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._seen: list[dict[str, Any]] = []

    @staticmethod
    def serves(path: str) -> bool:
        """Whether a path is one of these."""
        root, _, rest = path[1:].partition("/")
        in_family = root == "scim2" or (root == "v2" and rest.partition("/")[0] in WORDS)
        return in_family or path.startswith(STORAGE) or path == SEEN

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer one request."""
        body = await asgi.read_body(receive)
        path = str(scope["path"])
        if path == SEEN:
            await _json(send, 200, {"requests": self._seen})
            return
        self._see(scope, body)
        if path.startswith(STORAGE):
            await asgi.answer(send, 200, IMAGE, [("content-type", "image/png")])
            return
        rules = self._sim.faults.strike_request("families", "families." + self._family(path))
        if rules and await before(rules, receive, send):
            return
        content = IMAGE if "/image/" in path else json.dumps(self._seen[-1]).encode()
        if rules and await after(rules, send, content):
            return
        try:
            headers = self._admit(scope)
        except ZoomError as refusal:
            await _json(send, refusal.status, refusal.body(translator(self._sim.behaviour.language)), refusal.headers)
            return
        await self._answer(scope, send, path, headers, content)

    @staticmethod
    def _family(path: str) -> str:
        root, _, rest = path[1:].partition("/")
        return rest.partition("/")[0] if root == "v2" else root

    async def _answer(
        self, scope: asgi.Scope, send: asgi.Send, path: str, headers: dict[str, str], content: bytes
    ) -> None:
        named = [*headers.items()]
        if "/download/" in path:
            await asgi.answer(send, 302, b"", [*named, ("location", self._storage(path))])
        elif "/image/" in path:
            await asgi.answer(send, 200, content, [*named, ("content-type", "image/png")])
        else:
            status = 201 if scope["method"] == "POST" else 200
            await asgi.answer(send, status, content, [*named, ("content-type", JSON_TYPE)])

    def _admit(self, scope: asgi.Scope) -> dict[str, str]:
        kind, _, value = asgi.header(scope, b"authorization").partition(" ")
        if kind.lower() != "bearer" or not value:
            raise invalid_token()
        now = self._sim.clock.now()
        account = self._sim.grants.principal(value.strip(), now).grant.account_id
        label = LABELS.get(scope["method"], "Medium")
        return self._sim.limits.take(account, self._sim.state.accounts[account].plan, label, now)

    def _see(self, scope: asgi.Scope, body: bytes) -> None:
        self._seen.append(
            {
                "method": scope["method"],
                "path": asgi.raw_path(scope),
                "query": scope["query_string"].decode("latin-1"),
                "host": asgi.header(scope, b"host"),
                "bearer": bool(asgi.header(scope, b"authorization")),
                "content_type": asgi.header(scope, b"content-type"),
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        )
        del self._seen[:-MOST_SEEN]

    def _storage(self, path: str) -> str:
        parts = urlsplit(self._sim.base_url)
        name = OTHER_NAME.get(parts.hostname or "", parts.hostname or "")
        host = f"{name}:{parts.port}" if parts.port else name
        return urlunsplit((parts.scheme, host, STORAGE + path.rpartition("/")[2], "", ""))


async def _json(send: asgi.Send, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
    await asgi.answer(send, status, json.dumps(body).encode(), [("content-type", JSON_TYPE), *(headers or {}).items()])
