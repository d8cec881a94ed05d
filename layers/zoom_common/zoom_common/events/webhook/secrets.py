"""The webhook secrets of every Zoom app, cached in the container."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import SigningSecret

TYPE_CHECKING = False  # without importing `typing`
if TYPE_CHECKING:
    from typing import Any

FRESH_SECONDS = 5 * 60
# How long the last copy of an unreadable secret is used. Removing a leaked secret takes effect within FRESH_SECONDS, or
# within this time while Secrets Manager fails.
STALE_SECONDS = 60 * 60
_PAUSE_SECONDS = 15


class UnusableSecrets(Exception):
    """The secret's document is wrong. `reason` names the fault, never a value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_secrets(document: Secret) -> tuple[SigningSecret, ...]:
    """Return the secrets in `{"apps": [{"app", "secrets": [{"secret", "from"?, "until"?}]}]}`. Raises UnusableSecrets.

    The same secret under two apps is refused, because the app of a delivery would not be clear.
    """
    try:
        secrets = tuple(_secrets(json.loads(document.reveal())))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UnusableSecrets("webhook_secrets_malformed") from None
    owners: dict[str, str] = {}
    for secret in secrets:
        if owners.setdefault(secret.value.reveal(), secret.app) != secret.app:
            raise UnusableSecrets("webhook_secret_shared_by_two_apps")
    if not secrets:
        raise UnusableSecrets("webhook_secrets_empty")
    return secrets


class CachedSecrets:
    """Caches `read`: a copy is fresh for five minutes and usable for an hour.

    In between, `read` is tried every 15 s.
    """

    def __init__(self, read: Callable[[Deadline], Secret], *, clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._secrets: tuple[SigningSecret, ...] = ()
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self.failure = ""
        """Why the last reading failed; it may be logged."""

    def current(self, deadline: Deadline) -> tuple[SigningSecret, ...]:
        """Return the secrets to verify with. Raises Unavailable when there are none recent enough."""
        if self._age() > FRESH_SECONDS and self._may_try():
            self._refresh(deadline)
        if self._age() > STALE_SECONDS:
            raise Unavailable(reason=self.failure)
        return self._secrets

    def newer(self, deadline: Deadline) -> tuple[SigningSecret, ...] | None:
        """Return secrets that differ from the ones that failed to verify, or None.

        Forged requests cannot make it read often.
        """
        before = self._secrets
        if not self._may_try():
            return None
        self._refresh(deadline)
        return self._secrets if self._secrets != before else None

    @property
    def stale(self) -> bool:
        """Whether the secrets in use should have been read again and could not be."""
        return self._age() > FRESH_SECONDS

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _may_try(self) -> bool:
        return not self._secrets or self._clock() - self._tried_at > _PAUSE_SECONDS

    def _refresh(self, deadline: Deadline) -> None:
        self._tried_at = self._clock()
        try:
            self._secrets = parse_secrets(self._read(deadline))
        except (Unavailable, UnusableSecrets) as fault:
            self.failure = fault.reason
            return
        self._read_at = self._tried_at
        self.failure = ""


def _secrets(document: Any) -> Iterator[SigningSecret]:
    for app in document["apps"]:
        for entry in app["secrets"]:
            if not entry["secret"] or not app["app"]:
                raise ValueError("empty")
            yield SigningSecret(
                str(app["app"]), Secret(str(entry["secret"])), _epoch(entry.get("from")), _epoch(entry.get("until"))
            )


def _epoch(text: str | None) -> float | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
