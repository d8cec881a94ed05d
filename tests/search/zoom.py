"""Zoom's OAuth as an immutable value, with what is known of it and both sides of what nobody knows.

Known: every refresh gives a new pair, and a revoke uninstalls the app for that user. Reported: a later authorisation of
the same user ends the former one (https://github.com/raycast/extensions/issues/10896), and a refresh token that was
just rotated passes once more. Nobody has promised either, so a search runs with both and without.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from zoom_common.zoom.http import HttpRequest, HttpResponse

ACCOUNT = "zoom-account"
_LIFE = 3600.0


@dataclass(frozen=True, slots=True)
class Grant:
    """One authorisation: the live refresh token, those before it, and access tokens with their ends."""

    number: int
    user: str
    live: str
    rotated: frozenset[str] = frozenset()
    access: frozenset[tuple[str, float]] = frozenset()
    superseded: bool = False
    ended: bool = False

    @property
    def works(self) -> bool:
        """Return whether Zoom takes its tokens."""
        return not (self.superseded or self.ended)


@dataclass(frozen=True, slots=True)
class Zoom:
    """`grace` accepts a rotated token once more, `supersedes` ends former authorisations of a user with a later one.

    `old_tokens_revoke` lets access tokens of superseded authorisations still uninstall the app.
    """

    grace: bool = False
    supersedes: bool = True
    old_tokens_revoke: bool = False
    grants: tuple[Grant, ...] = ()
    used_codes: frozenset[str] = frozenset()
    issued: int = 0

    def answer(self, request: HttpRequest, *, now: float) -> tuple[Zoom, HttpResponse]:
        """Answer a request at epoch second `now`."""
        if request.method == "GET":
            return self, self._identity(request.headers["Authorization"].removeprefix("Bearer "), now)
        form = {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}
        if request.url.endswith("/revoke"):
            return self._revoke(form["token"], now)
        if form["grant_type"] == "authorization_code":
            return self._exchange(form["code"], now)
        return self._refresh(form["refresh_token"], now)

    def live_tokens(self) -> dict[str, str]:
        """Return the refresh tokens that are the current ones of a grant that works, with their users."""
        return {grant.live: grant.user for grant in self.grants if grant.works}

    def takes(self, token: str) -> bool:
        """Return whether a refresh with `token` would give a pair."""
        return any(grant.works and (token == grant.live or self._passes(grant, token)) for grant in self.grants)

    def authorize(self, user: str, *, now: float) -> Zoom:
        """Return Zoom after a new authorisation of `user`."""
        former = self.grants
        if self.supersedes:
            former = tuple(replace(each, superseded=True) if each.user == user else each for each in former)
        number = self.issued + 1
        grant = Grant(number, user, f"refresh-{number}", access=frozenset({(f"access-{number}", now + _LIFE)}))
        return replace(self, grants=(*former, grant), issued=number)

    def uninstall(self, user: str) -> Zoom:
        """Return Zoom after `user` removed the app."""
        gone = tuple(replace(each, ended=True) if each.user == user else each for each in self.grants)
        return replace(self, grants=gone)

    def _passes(self, grant: Grant, token: str) -> bool:
        return self.grace and token in grant.rotated

    def _exchange(self, code: str, now: float) -> tuple[Zoom, HttpResponse]:
        if code in self.used_codes:
            return self, _refused()
        after = replace(self.authorize(code.split(":")[1], now=now), used_codes=self.used_codes | {code})
        return after, after._pair()

    def _refresh(self, token: str, now: float) -> tuple[Zoom, HttpResponse]:
        for at, grant in enumerate(self.grants):
            if grant.works and (token == grant.live or self._passes(grant, token)):
                number = self.issued + 1
                renewed = replace(
                    grant,
                    live=f"refresh-{number}",
                    rotated=grant.rotated | {grant.live},
                    access=grant.access | {(f"access-{number}", now + _LIFE)},
                )
                grants = (*self.grants[:at], renewed, *self.grants[at + 1 :])
                after = replace(self, grants=grants, issued=number)
                return after, after._pair()
        return self, _refused()

    def _revoke(self, token: str, now: float) -> tuple[Zoom, HttpResponse]:
        for grant in self.grants:
            usable = not grant.ended and (self.old_tokens_revoke or not grant.superseded)
            if usable and any(access == token and ends > now for access, ends in grant.access):
                return self.uninstall(grant.user), _json(200, {"status": "success"})
        return self, _json(400, {"reason": "Invalid token", "error": "invalid_request"})

    def _identity(self, token: str, now: float) -> HttpResponse:
        for grant in self.grants:
            if grant.works and any(access == token and ends > now for access, ends in grant.access):
                return _json(200, {"id": grant.user, "account_id": ACCOUNT, "email": f"{grant.user}@example.com"})
        return _json(401, {"code": 124, "message": "Invalid access token."})

    def _pair(self) -> HttpResponse:
        pair = {"access_token": f"access-{self.issued}", "refresh_token": f"refresh-{self.issued}"}
        return _json(200, pair | {"token_type": "bearer", "expires_in": _LIFE, "scope": "user:read:user"})


def _refused() -> HttpResponse:
    return _json(400, {"reason": "Invalid Token!", "error": "invalid_grant"})


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())
