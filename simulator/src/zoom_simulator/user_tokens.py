"""ZAK, OBF and plain user tokens: JWTs that the Meeting SDK takes, signed with the simulator's own key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from zoom_simulator.model import Json, State, User


class UserTokens:
    """Makes tokens that speak for a user."""

    def __init__(self, state: State) -> None:
        self._state = state

    def zak(self, user: User, seconds: int, now: float) -> str:
        """A token that starts meetings as `user`."""
        return self._jwt(user, {"aud": "clientsm", "stk": "zak"}, seconds, now)

    def on_behalf(self, user: User, meeting_id: str, seconds: int, now: float) -> str:
        """A token that joins on behalf of `user`, of one meeting where that is said."""
        return self._jwt(user, {"aud": "clientsm", "stk": "obf", "mid": meeting_id}, seconds, now)

    def session(self, user: User, seconds: int, now: float) -> str:
        """The plain token of `type=token`."""
        return self._jwt(user, {"aud": "clientsm", "stk": "token"}, seconds, now)

    def _jwt(self, user: User, claims: Json, seconds: int, now: float) -> str:
        body = {**claims, "iss": "web", "uid": user.id, "iat": int(now), "exp": int(now) + seconds}
        text = _part({"typ": "JWT", "alg": "HS256"}) + "." + _part(body)
        seal = hmac.new(self._state.signing_key.encode(), text.encode(), hashlib.sha256).digest()
        return text + "." + base64.urlsafe_b64encode(seal).decode().rstrip("=")


def _part(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")
