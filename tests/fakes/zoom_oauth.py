"""Zoom's token endpoint in memory: it rotates, and it fails when a test says so."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.oauth import App, pkce_challenge

CLIENT_ID, CLIENT_SECRET = "zoom-app", "app-secret"


@dataclass(slots=True)
class ZoomServer:
    """Zoom's token endpoint over a fake transport. Faults are taken from `faults`, one for each request.

    `lost_response` carries the request out; `never_sent` does not. An HttpResponse is given as the answer.
    """

    faults: list[str | HttpResponse | None] = field(default_factory=list)
    grace: bool = True  # whether the token that was rotated last is accepted once more
    live: set[str] = field(default_factory=set)
    rotated: set[str] = field(default_factory=set)
    requests: list[HttpRequest] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)  # code -> challenge
    user_id: str = "zoom-user"
    revoked: list[str] = field(default_factory=list)
    account_apps: set[str] = field(default_factory=set)  # "client id:secret" of Server-to-Server apps
    numbers: Any = field(default_factory=lambda: count(1))

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        assert timeout > 0
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "never_sent":
            raise NotSent
        if isinstance(fault, HttpResponse):
            return fault
        answer = self._answer(request)
        if fault == "lost_response":
            raise AnswerLost
        return answer

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/users/me"):
            names = {"display_name": "Ada Lovelace", "first_name": "Ada", "email": "person@example.com"}
            return _json(200, {"id": self.user_id, "account_id": "zoom-account", **names})
        basic = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        if basic in self.account_apps:
            return self._account(request)
        if basic != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return _json(400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
        form = {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}
        if request.url.endswith("/revoke"):
            self.revoked.append(form["token"])
            return _json(200, {"status": "success"})
        if form["grant_type"] == "authorization_code":
            challenge = self.codes.pop(form["code"], None)
            known = challenge == pkce_challenge(Secret(form["code_verifier"]))
        else:
            token = form["refresh_token"]
            known = token in self.live or (self.grace and token in self.rotated)
            self.rotated |= {token} & self.live
            self.live.discard(token)
        return self.pair() if known else _json(400, {"reason": "Invalid Token!", "error": "invalid_grant"})

    def _account(self, request: HttpRequest) -> HttpResponse:
        form = {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}
        assert form["grant_type"] == "account_credentials"
        if form["account_id"] != "zoom-account":
            return _json(400, {"reason": "Account does not exist", "error": "invalid_request"})
        token = {"access_token": f"account-{next(self.numbers)}", "token_type": "bearer", "expires_in": 3600}
        return _json(200, token | {"scope": "user:read:list_users:admin", "api_url": "https://api.zoom.us"})

    def pair(self) -> HttpResponse:
        """A new pair; the last one issued wins."""
        number = next(self.numbers)
        self.live = {f"refresh-{number}"}
        return _json(
            200,
            {
                "access_token": f"access-{number}",
                "refresh_token": f"refresh-{number}",
                "token_type": "bearer",
                "expires_in": 3600,
                "scope": "meeting:read:meeting user:read:user",
                "api_url": "https://api-us.zoom.us",
            },
        )


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


class Credentials:
    """The app's own credentials; `next` is what Secrets Manager holds by now."""

    def __init__(self) -> None:
        self._app = self.next = App(CLIENT_ID, Secret(CLIENT_SECRET))

    def rotate(self, cached: str) -> None:
        """What is cached here is `cached`, by now another than the real one."""
        self._app = App(CLIENT_ID, Secret(cached))

    def app(self) -> App:
        return self._app

    def changed(self) -> bool:
        former, self._app = self._app, self.next
        return self._app != former
