"""The gate every REST request passes: faults, token, limits, scopes, then the operation itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from zoom_simulator import wire
from zoom_simulator.failures import ZoomError, invalid_token, missing_scopes, unknown_endpoint
from zoom_simulator.faults import Rule
from zoom_simulator.messages import language_of, translator
from zoom_simulator.model import Json
from zoom_simulator.oauth.grants import Principal
from zoom_simulator.rest import table
from zoom_simulator.rest.call import Call, Operation, Reply
from zoom_simulator.rest.operations import Routes
from zoom_simulator.simulator import Simulator

JSON_TYPE = "application/json;charset=UTF-8"
PREFIX = "/v2"
UNAUTHORISED = 401
PRINTED_AS_400 = ("users.list", "users.token")
HTML_PAGE = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center>\
<hr><center>nginx</center></body>\r\n</html>\r\n"


class Gate:
    """The REST API as an ASGI application."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._routes = Routes(table.rows())

    async def __call__(self, scope: wire.Scope, receive: wire.Receive, send: wire.Send) -> None:
        """Answer one request under `/v2`."""
        body = await wire.read_body(receive)
        found = self._routes.match(scope["method"], wire.raw_path(scope)[len(PREFIX) :])
        name = found[0].name if found else "unknown"
        rules = self._struck(scope, name) if self._sim.faults.rules else []
        if rules and await before(rules, receive, send):
            return
        reply = self._answer(scope, found, body)
        content = json.dumps(reply.body, ensure_ascii=False).encode() if reply.body is not None else b""
        headers = [("x-zm-trackingid", "v=2.0;clid=us02;rid=WEB_" + name), *reply.headers.items()]
        if content:
            headers.append(("content-type", JSON_TYPE))
        if rules and await after(rules, send, content):
            return
        await wire.answer(send, reply.status, content, headers)

    def _struck(self, scope: wire.Scope, name: str) -> list[Rule]:
        bearer = wire.header(scope, b"authorization").partition(" ")[2]
        people = self._sim.grants.people_behind
        rules = self._sim.faults.strike_request(name, "rest." + name, people=lambda: people(bearer))
        end_grants(self._sim, rules, bearer)
        return rules

    def _answer(self, scope: wire.Scope, found: tuple[Operation, dict[str, str]] | None, body: bytes) -> Reply:
        headers: dict[str, str] = {}
        try:
            return self._perform(scope, found, body, headers)
        except ZoomError as refusal:
            if refusal.status == UNAUTHORISED and found and found[0].name in PRINTED_AS_400:
                refusal.status = self._sim.behaviour.invalid_token_status
            wanted = language_of(wire.header(scope, b"accept-language"), self._sim.behaviour.language)
            return Reply(refusal.status, refusal.body(translator(wanted)), {**headers, **refusal.headers})

    def _perform(
        self, scope: wire.Scope, found: tuple[Operation, dict[str, str]] | None, body: bytes, headers: dict[str, str]
    ) -> Reply:
        sim = self._sim
        now = sim.clock.now()
        query = wire.query(scope)
        principal = self._principal(scope, query, now)
        if found is None:
            raise unknown_endpoint(sim.behaviour.unknown_endpoint_status)
        operation, params = found
        plan = sim.state.accounts[principal.grant.account_id].plan
        headers.update(sim.limits.take(principal.grant.account_id, plan, operation.label, now))
        self._check_scopes(principal, operation)
        call = Call(sim, principal, operation, params, query, _json(scope, body), now)
        reply = operation.handler(call)
        return Reply(reply.status, reply.body, {**headers, **reply.headers})

    def _principal(self, scope: wire.Scope, query: dict[str, str], now: float) -> Principal:
        if "access_token" in query:
            raise invalid_token("Invalid access token, this access token is not supported as query parameter string.")
        kind, _, value = wire.header(scope, b"authorization").partition(" ")
        if kind.lower() != "bearer" or not value:
            raise invalid_token()
        return self._sim.grants.principal(value.strip(), now)

    def _check_scopes(self, principal: Principal, operation: Operation) -> None:
        if not self._sim.behaviour.enforce_scopes:
            return
        if not any(scope in principal.scopes for scope in operation.accepted_scopes()):
            wanted = [f"{operation.scope}:admin"]
            if not operation.admin_only:
                wanted.insert(0, operation.scope)
            raise missing_scopes(wanted)


def end_grants(sim: Simulator, rules: list[Rule], token: str) -> None:
    """Apply the faults that end the grant behind a token just before it is used."""
    for rule in rules:
        grant = sim.grants.grant_behind(token) if rule.effect in ("revoke", "deauthorize") else None
        if grant is not None and not grant.revoked:
            sim.grants.end(grant, f"fault {rule.id}")
            if rule.effect == "deauthorize":
                sim.account_events.deauthorized(grant)


async def before(rules: list[Rule], receive: wire.Receive, send: wire.Send) -> bool:
    """Apply the faults that come before any effect; True when one of them ended the request."""
    for rule in rules:
        if rule.effect == "delay":
            await asyncio.sleep(rule.seconds)
        elif rule.effect == "hang":
            if not await wire.pause(receive, rule.seconds):
                await wire.close(send)
            return True
        elif rule.effect == "reset":
            await wire.close(send)
            return True
        elif rule.effect == "status":
            await _refuse(rule, send)
            return True
        elif rule.effect == "html":
            await wire.answer(send, rule.status, HTML_PAGE, [("content-type", "text/html"), *rule.headers.items()])
            return True
    return False


async def after(rules: list[Rule], send: wire.Send, content: bytes) -> bool:
    """Apply the faults that come after the effect; True when one of them took the place of the answer."""
    for rule in rules:
        if rule.effect == "lost_response":
            await wire.close(send)
            return True
        if rule.effect == "late_status":
            await _refuse(rule, send)
            return True
        if rule.effect == "truncate":
            await wire.truncated(send, 200, content, [("content-type", JSON_TYPE)])
            return True
        if rule.effect == "not_json":
            await wire.answer(send, 200, b"OK", [("content-type", JSON_TYPE)])
            return True
    return False


async def _refuse(rule: Rule, send: wire.Send) -> None:
    content = rule.body
    if content is None:
        code = rule.code or rule.status
        content = json.dumps({"code": code, "message": rule.message or "Internal Server Error."})
    await wire.answer(send, rule.status, content.encode(), [("content-type", JSON_TYPE), *rule.headers.items()])


def _json(scope: wire.Scope, body: bytes) -> Json:
    if not body.strip():
        return {}
    if "json" not in wire.header(scope, b"content-type"):
        raise ZoomError(415, 300, "Unsupported Content Type")
    try:
        value: Any = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ZoomError(400, 300, "Request Body should be a valid JSON object.")
    return value
