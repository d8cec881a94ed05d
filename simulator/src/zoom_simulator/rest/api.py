"""The entry point of every REST request: faults, token, limits, scopes, then the operation itself."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.sax.saxutils import escape

from zoom_simulator import asgi
from zoom_simulator.authorization.grants import Principal
from zoom_simulator.errors import ZoomError, invalid_token, missing_scopes, unknown_endpoint
from zoom_simulator.fault_responses import JSON_TYPE, after, before, end_grants
from zoom_simulator.faults import Rule
from zoom_simulator.model import Json
from zoom_simulator.rest import table
from zoom_simulator.rest.call import Call, Operation, Reply
from zoom_simulator.rest.operations import Routes
from zoom_simulator.simulator import Simulator
from zoom_simulator.translations import language_of, translator

PREFIX = "/v2"
JSON = "application/json"
UNAUTHORISED = 401
FIRST_ERROR = 400
XML_TYPE = "application/xml;charset=UTF-8"
PRINTED_AS_400 = ("users.list", "users.token")


class RestApi:
    """The REST API as an ASGI application."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._routes = Routes([*table.rows(), *table.served_from_facts()])

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer one request under `/v2`."""
        body = await asgi.read_body(receive)
        found = self._routes.match(scope["method"], asgi.raw_path(scope)[len(PREFIX) :])
        name = found[0].name if found else "unknown"
        rules = self._struck(scope, name) if self._sim.faults.rules else []
        if rules and await before(rules, receive, send):
            return
        reply = self._answer(scope, found, body)
        content = json.dumps(reply.body, ensure_ascii=False).encode() if reply.body is not None else b""
        headers = [("x-zm-trackingid", "v=2.0;clid=us02;rid=WEB_" + name), *reply.headers.items()]
        kind = JSON_TYPE
        if reply.status >= FIRST_ERROR and self._answers_in_xml(scope):
            content, kind = _xml(reply.body or {}), XML_TYPE
        if content:
            headers.append(("content-type", kind))
        if rules and await after(rules, send, content):
            return
        await asgi.answer(send, reply.status, content, headers)

    def _answers_in_xml(self, scope: asgi.Scope) -> bool:
        return self._sim.behaviour.errors_without_accept == "xml" and "json" not in asgi.header(scope, b"accept")

    def _struck(self, scope: asgi.Scope, name: str) -> list[Rule]:
        bearer = asgi.header(scope, b"authorization").partition(" ")[2]
        people = self._sim.grants.people_behind
        rules = self._sim.faults.strike_request(name, "rest." + name, people=lambda: people(bearer))
        end_grants(self._sim, rules, bearer)
        return rules

    def _answer(self, scope: asgi.Scope, found: tuple[Operation, dict[str, str]] | None, body: bytes) -> Reply:
        headers: dict[str, str] = {}
        try:
            return self._perform(scope, found, body, headers)
        except ZoomError as refusal:
            if refusal.status == UNAUTHORISED and found and found[0].name in PRINTED_AS_400:
                refusal.status = self._sim.behaviour.invalid_token_status
            wanted = language_of(asgi.header(scope, b"accept-language"), self._sim.behaviour.language)
            return Reply(refusal.status, refusal.body(translator(wanted)), {**headers, **refusal.headers})

    def _perform(
        self, scope: asgi.Scope, found: tuple[Operation, dict[str, str]] | None, body: bytes, headers: dict[str, str]
    ) -> Reply:
        sim = self._sim
        now = sim.clock.now()
        query = asgi.query(scope)
        principal = self._principal(scope, query, now)
        if found is None:
            raise unknown_endpoint(sim.behaviour.unknown_endpoint_status)
        operation, params = found
        plan = sim.state.accounts[principal.grant.account_id].plan
        headers.update(sim.limits.take(principal.grant.account_id, plan, operation.label, now))
        self._check_scopes(principal, operation)
        call = Call(sim, principal, operation, params, query, _members(scope, operation.media, body), now)
        reply = operation.handler(call)
        return Reply(reply.status, reply.body, {**headers, **reply.headers})

    def _principal(self, scope: asgi.Scope, query: dict[str, str], now: float) -> Principal:
        if "access_token" in query:
            raise invalid_token("Invalid access token, this access token is not supported as query parameter string.")
        kind, _, value = asgi.header(scope, b"authorization").partition(" ")
        if kind.lower() != "bearer" or not value:
            raise invalid_token()
        return self._sim.grants.principal(value.strip(), now)

    def _check_scopes(self, principal: Principal, operation: Operation) -> None:
        if not self._sim.behaviour.enforce_scopes:
            return
        accepted = operation.accepted_scopes()
        if accepted and not any(scope in principal.scopes for scope in accepted):
            wanted = [f"{operation.scope}:admin"]
            if not operation.admin_only:
                wanted.insert(0, operation.scope)
            raise missing_scopes(wanted)


def _xml(body: Json) -> bytes:
    members = "".join(f"<{name}>{escape(str(body.get(name, '')))}</{name}>" for name in ("code", "message"))
    return f'<?xml version="1.0" encoding="UTF-8" standalone="no"?><response>{members}</response>'.encode()


def _members(scope: asgi.Scope, media: str, body: bytes) -> Json:
    """Return the members of a body; of an upload only their names, each with how much there is of it."""
    if not body.strip():
        return {}
    declared = asgi.header(scope, b"content-type")
    if media not in declared and not (media == JSON and "json" in declared):
        raise ZoomError(415, 300, "Unsupported Content Type")
    if media != JSON:
        names = re.findall(
            rb'^Content-Disposition:[^\r\n]*?[; ]name="?([^";\r\n]+)', body, re.IGNORECASE | re.MULTILINE
        )
        return {name.decode(errors="replace"): len(body) for name in names}
    try:
        value: Any = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ZoomError(400, 300, "Request Body should be a valid JSON object.")
    return value
