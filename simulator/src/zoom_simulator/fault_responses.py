"""Applies request faults to HTTP: delays, closed connections and wrong answers."""

from __future__ import annotations

import asyncio
import json

from zoom_simulator import asgi
from zoom_simulator.faults import Rule
from zoom_simulator.simulator import Simulator

JSON_TYPE = "application/json;charset=UTF-8"
HTML_PAGE = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center>\
<hr><center>nginx</center></body>\r\n</html>\r\n"


def end_grants(sim: Simulator, rules: list[Rule], token: str) -> None:
    """Apply the faults that end the grant behind a token just before it is used."""
    for rule in rules:
        grant = sim.grants.grant_behind(token) if rule.effect in ("revoke", "deauthorize") else None
        if grant is not None and not grant.revoked:
            sim.grants.end(grant, f"fault {rule.id}")
            if rule.effect == "deauthorize":
                sim.account_events.deauthorized(grant)


async def before(rules: list[Rule], receive: asgi.Receive, send: asgi.Send) -> bool:
    """Apply the faults that come before any effect; True when one of them ended the request."""
    for rule in rules:
        if rule.effect == "delay":
            await asyncio.sleep(rule.seconds)
        elif rule.effect == "hang":
            if not await asgi.pause(receive, rule.seconds):
                await asgi.close(send)
            return True
        elif rule.effect == "reset":
            await asgi.close(send)
            return True
        elif rule.effect == "status":
            await _refuse(rule, send)
            return True
        elif rule.effect == "html":
            await asgi.answer(send, rule.status, HTML_PAGE, [("content-type", "text/html"), *rule.headers.items()])
            return True
    return False


async def after(rules: list[Rule], send: asgi.Send, content: bytes) -> bool:
    """Apply the faults that come after the effect; True when one of them took the place of the answer."""
    for rule in rules:
        if rule.effect == "lost_response":
            await asgi.close(send)
            return True
        if rule.effect == "late_status":
            await _refuse(rule, send)
            return True
        if rule.effect == "truncate":
            await asgi.truncated(send, 200, content, [("content-type", JSON_TYPE)])
            return True
        if rule.effect == "not_json":
            await asgi.answer(send, 200, b"OK", [("content-type", JSON_TYPE)])
            return True
    return False


async def _refuse(rule: Rule, send: asgi.Send) -> None:
    content = rule.body
    if content is None:
        code = rule.code or rule.status
        content = json.dumps({"code": code, "message": rule.message or "Internal Server Error."})
    await asgi.answer(send, rule.status, content.encode(), [("content-type", JSON_TYPE), *rule.headers.items()])
