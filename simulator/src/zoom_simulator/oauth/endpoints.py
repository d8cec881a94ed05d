"""`/oauth/authorize`, `/oauth/token` and `/oauth/revoke`.

The consent page works without a browser too: GET the authorize URL, then POST the same query to `/oauth/authorize` as a
form, with `decision=allow` (or `deny`) and `user=<id or e-mail address>`; the answer is the 302 to the redirect URI.
"""

from __future__ import annotations

import base64
import binascii
import json
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from zoom_simulator import asgi
from zoom_simulator.authorization import requests
from zoom_simulator.authorization.errors import OAuthError, invalid_client
from zoom_simulator.authorization.requests import ScopeRequest
from zoom_simulator.fault_responses import JSON_TYPE, after, before, end_grants
from zoom_simulator.model import App, Json
from zoom_simulator.oauth import consent_page
from zoom_simulator.simulator import Simulator

HTML_TYPE = "text/html; charset=utf-8"
GRANTS = {
    "authorization_code": "code",
    "refresh_token": "refresh",
    "account_credentials": "account",
    "client_credentials": "app",
}


class PageError(Exception):
    """The request is invalid, and redirecting would be unsafe, so a page shows the error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class OAuth:
    """The authorisation server as an ASGI application."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        """Answer one request under `/oauth`."""
        path, method = str(scope["path"]).rstrip("/"), scope["method"]
        body = await asgi.read_body(receive)
        if path == "/oauth/authorize" and method in ("GET", "HEAD", "POST"):
            await self._authorize(scope, receive, send, body if method == "POST" else None)
        elif path in ("/oauth/token", "/oauth/revoke") and method == "POST":
            await self._tokens(scope, receive, send, body)
        else:
            await asgi.answer(send, 404, b'{"code":404,"message":"Not Found"}', [("content-type", JSON_TYPE)])

    # the browser's side

    async def _authorize(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send, form: bytes | None) -> None:
        rules = self._sim.faults.strike_request("oauth.authorize")
        if await before(rules, receive, send):
            return
        fields = (
            dict(parse_qsl(form.decode(errors="replace"), keep_blank_values=True))
            if form is not None
            else asgi.query(scope)
        )
        if form is not None and "optional_scope" in fields and "shown" in fields:  # the form lists what stayed ticked
            ticked = [value for name, value in parse_qsl(form.decode(errors="replace")) if name == "optional"]
            left_out = [each for each in fields["optional_scope"].split() if each not in ticked]
            fields["declined"] = " ".join(left_out)
        try:
            app = self._check(fields)
        except PageError as problem:
            await self._show_problem(scope, send, problem)
            return
        if form is None:
            content = consent_page.consent(app, self._sim.grants, fields).encode()
            await asgi.answer(send, 200, content, [("content-type", HTML_TYPE), ("cache-control", "no-store")])
            return
        location = self._decide(app, fields)
        await asgi.answer(send, 302, b"", [("location", location), ("cache-control", "no-store")])

    async def _show_problem(self, scope: asgi.Scope, send: asgi.Send, problem: PageError) -> None:
        if "json" in asgi.header(scope, b"accept"):
            problem_body = {"status": False, "errorCode": problem.code, "errorMessage": problem.message}
            await asgi.answer(send, 400, json.dumps(problem_body).encode(), [("content-type", JSON_TYPE)])
            return
        content = consent_page.error(problem.code, problem.message)
        await asgi.answer(send, 400, content.encode(), [("content-type", HTML_TYPE)])

    def _check(self, fields: dict[str, str]) -> App:
        app = self._sim.state.apps.get(fields.get("client_id", ""))
        if app is None:
            raise PageError(4702, "Invalid client_id.")
        if not app.enabled:
            raise PageError(4717, "The app has been disabled.")
        redirect = fields.get("redirect_uri", "")
        if redirect not in app.redirect_uris and not _is_loopback_of(redirect, app.redirect_uris, fields):
            raise PageError(4700, f"Invalid redirect: {redirect}. (4709)")
        if self._sim.behaviour.https_redirects_only and not (
            redirect.startswith("https://") or _is_loopback_of(redirect, app.redirect_uris, fields)
        ):
            raise PageError(4700, f"Invalid redirect: {redirect}. (4709)")
        if fields.get("response_type") != "code":
            raise PageError(4706, "response_type must be code.")
        if fields.get("code_challenge_method", "plain") not in requests.METHODS:
            raise PageError(4700, "code_challenge_method must be S256 or plain.")
        if fields.get("scope") and self._sim.behaviour.scope_parameter == "refuse":
            raise PageError(4700, "Invalid scope.")
        unknown = ScopeRequest.read(fields).unknown(app)
        if unknown:
            raise PageError(4700, f"Invalid scope: {', '.join(unknown)}.")
        return app

    def _decide(self, app: App, fields: dict[str, str]) -> str:
        state = {"state": fields["state"]} if "state" in fields else {}
        redirect = fields["redirect_uri"]
        user = self._sim.world.user(fields.get("user", ""))
        if fields.get("decision") != "allow" or user not in self._sim.grants.people_for(app):
            return _with_query(redirect, {"error": "access_denied", **state})
        assert user is not None  # people_for lists no None
        code = self._sim.grants.issue_code(
            app,
            user,
            redirect_uri=redirect,
            asked=ScopeRequest.read(fields),
            challenge=fields.get("code_challenge", ""),
            method=fields.get("code_challenge_method", ""),
            now=self._sim.clock.now(),
        )
        return _with_query(redirect, {"code": code.value, **state})

    # the program's side

    async def _tokens(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send, body: bytes) -> None:
        endpoint = str(scope["path"]).rstrip("/").rpartition("/")[2]
        fields = {**asgi.query(scope), **dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))}
        kind = GRANTS.get(fields.get("grant_type", ""), "unknown")
        names = (f"oauth.token.{kind}", "oauth.token") if endpoint == "token" else ("oauth.revoke",)
        value = fields.get("code") or fields.get("refresh_token") or fields.get("token", "")
        rules = self._sim.faults.strike_request(*names, people=lambda: self._sim.grants.people_behind(value))
        end_grants(self._sim, rules, value)
        if await before(rules, receive, send):
            return
        try:
            status, answer = 200, self._perform(endpoint, scope, fields)
        except OAuthError as refusal:
            status, answer = refusal.status, refusal.body()
        content = json.dumps(answer).encode()
        if not await after(rules, send, content):
            await asgi.answer(send, status, content, [("content-type", JSON_TYPE), ("cache-control", "no-store")])

    def _perform(self, endpoint: str, scope: asgi.Scope, fields: dict[str, str]) -> Json:
        grants, now = self._sim.grants, self._sim.clock.now()
        app = self._client(scope, fields)
        if endpoint == "revoke":
            grants.revoke(app, fields.get("token", ""))
            return {"status": "success"}
        kind = GRANTS.get(fields.get("grant_type", ""))
        if kind == "code":
            redirect, verifier = fields.get("redirect_uri", ""), fields.get("code_verifier", "")
            return grants.exchange(app, fields.get("code", ""), redirect, verifier, now)
        if kind == "refresh":
            return grants.refresh(app, fields.get("refresh_token", ""), now)
        if kind == "account":
            return grants.for_account(app, fields.get("account_id", ""), now)
        if kind == "app":
            return grants.for_app(app, now)
        raise OAuthError(400, "unsupported_grant_type", "unsupported grant type")

    def _client(self, scope: asgi.Scope, fields: dict[str, str]) -> App:
        kind, _, value = asgi.header(scope, b"authorization").partition(" ")
        client_id, secret = fields.get("client_id", ""), fields.get("client_secret", "")
        if kind.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise invalid_client(self._sim.behaviour.invalid_client_status) from None
        return self._sim.grants.client(client_id, secret)


def _with_query(url: str, extra: dict[str, str]) -> str:
    parts = urlsplit(url)
    joined = "&".join(each for each in (parts.query, urlencode(extra)) if each)
    return urlunsplit(parts._replace(query=joined))


def _is_loopback_of(url: str, allowed: list[str], fields: dict[str, str]) -> bool:
    """`http://127.0.0.1` with any port, and only with PKCE: https://developers.zoom.us/changelog/platform/pkce-loopback/."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname != "127.0.0.1" or not fields.get("code_challenge"):
        return False
    for each in map(urlsplit, allowed):
        if (each.scheme, each.hostname, each.path, each.query) == ("http", "127.0.0.1", parts.path, parts.query):
            return True
    return False
