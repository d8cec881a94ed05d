"""How Zoom's deliveries do: what an hourly look measures, and what `GET /webhooks` says.

Zoom challenges an endpoint every 72 hours and disables the subscription after six failures in a row.
https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from zoom_common.connections.model import Connection
from zoom_common.connections.view import iso
from zoom_common.edge.webhook_signs_store import AppSigns, WebhookSigns
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import SigningSecret

CHALLENGE_SECONDS = 72 * 3600.0


class Measure(Protocol):
    """A metric's measurement, in seconds."""

    def __call__(self, name: str, seconds: float, **fields: str) -> None:
        """Record `seconds` for `name`, with these fields beside it in the log."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHealth:
    """`secrets` reads what Zoom signs with, and since when that text has stood there (epoch seconds)."""

    signs: WebhookSigns
    secrets: Callable[[], tuple[Sequence[SigningSecret], float]]
    measure: Measure
    clock: Callable[[], float]

    def look(self) -> list[str]:
        """Measure every app that we have a secret of, and name them. Raises Unavailable or UnusableSecrets."""
        secrets, written_at = self.secrets()
        for reason, at in self.signs.rejections().items():
            self.measure("WebhookRejectedAge", self.clock() - at, reason=reason)
        apps = [(app, list(of_app)) for app, of_app in groupby(sorted(secrets, key=_app), key=_app)]
        for app, of_app in apps:
            self._app(app, of_app, written_at)
        return [app for app, _ in apps]

    def _app(self, app: str, secrets: Sequence[SigningSecret], written_at: float) -> None:
        now, known = self.clock(), self.signs.of_app(app)
        since = {fingerprint(each.value): _since(each, known, written_at) for each in secrets}
        if since != known.secrets_since:
            self.signs.remember_secrets(app, since)
        if known.challenged_at is not None:
            self.measure("WebhookChallengeAge", max(0.0, now - known.challenged_at), app=app)
        if known.verified_at is not None:
            self.measure("WebhookVerifiedAge", max(0.0, now - known.verified_at), app=app)
        ages = [now - since[fingerprint(each.value)] for each in secrets if each.active(now)]
        self.measure("WebhookSecretAge", max([0.0, *ages]), app=app)
        until = covered_until(secrets, now)
        if until is not None:
            self.measure("WebhookSecretTimeLeft", until - now, app=app)


def covered_until(secrets: Iterable[SigningSecret], now: float) -> float | None:
    """Until when some secret is active without a gap: `now` when none is, None when there is no end to it."""
    moment, left = now, list(secrets)
    while going := [each for each in left if each.active(moment)]:
        ends = [each.ends for each in going if each.ends is not None]
        if len(ends) < len(going):
            return None
        moment = max(ends)
    return moment


def fingerprint(secret: Secret) -> str:
    """Tells one secret from another, and nothing of it."""
    return hashlib.sha256(b"webhook-secret\0" + secret.reveal().encode()).hexdigest()[:12]


def described(
    connections: Iterable[Connection], apps: Mapping[str, AppSigns], rejections: Mapping[str, float], *, now: float
) -> dict[str, Any]:
    """What `GET /webhooks` says: each connection with what is known of its app's deliveries."""
    return {
        "connections": [_connection(each, apps[each.client_id], now) for each in connections],
        "rejections": [{"reason": reason, **_last("rejected", at, now)} for reason, at in sorted(rejections.items())],
    }


def _connection(connection: Connection, app: AppSigns, now: float) -> dict[str, Any]:
    in_use = sorted(app.secrets_since.items(), key=lambda each: each[1])
    return {
        "id": connection.connection_id,
        "state": str(connection.state),
        "zoom_client_id": connection.client_id,
        **_last("webhook", connection.last_webhook_at, now),
        **_last("verified", app.verified_at, now),
        **_last("challenge", app.challenged_at, now),
        "challenge_overdue": app.challenged_at is not None and now - app.challenged_at > CHALLENGE_SECONDS,
        "secrets": [
            {"fingerprint": name, "in_use_since": iso(at), "age_seconds": max(0, int(now - at))} for name, at in in_use
        ],
    }


def _last(what: str, at: float | None, now: float) -> dict[str, Any]:
    age = None if at is None else max(0, int(now - at))
    return {f"last_{what}_at": None if at is None else iso(at), f"last_{what}_age_seconds": age}


def _app(secret: SigningSecret) -> str:
    return secret.app


def _since(secret: SigningSecret, known: AppSigns, written_at: float) -> float:
    """Since when it has been in use: as its entry says, else since it was first seen."""
    if secret.starts is not None:
        return secret.starts
    return min(written_at, known.secrets_since.get(fingerprint(secret.value), written_at))
