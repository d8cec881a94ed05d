"""What is known of Zoom's deliveries by app: challenged, verified, refused, and how long its secrets have been in use.

Coordination: pk heartbeat#webhook, sk app#<client id> or endpoint; `events.webhook_signs_client` writes some of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.edge import observability
from zoom_common.errors import InternalError, Unavailable
from zoom_common.events.webhook_signs_client import CHALLENGED, ENDPOINT, SIGNS, app_sign

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_KEPT = 120 * 86_400
_PAUSE = 60.0
_VERIFIED, _SECRETS = "verified_at", "secrets_since"
_REJECTED = ("rejected_", "_at")


@dataclass(frozen=True, slots=True)
class AppSigns:
    """One Zoom app, in epoch seconds; None for what was never seen (or four months ago)."""

    challenged_at: float | None = None
    verified_at: float | None = None
    secrets_since: Mapping[str, float] = field(default_factory=dict)
    """By the secret's fingerprint: since when it has been in use."""


@dataclass(slots=True)
class WebhookSigns:
    """`clock` gives epoch seconds. Every method but `verified` raises Unavailable."""

    OWNED_KEYS: ClassVar = {"coordination": (r"heartbeat#webhook", r"app#.+|endpoint")}

    table: Table
    clock: Callable[[], float]
    _written: dict[str, float] = field(default_factory=dict)

    def of_app(self, app: str) -> AppSigns:
        """What is known of `app`."""
        found = self.table.get(SIGNS, app_sign(app)) or {}
        return AppSigns(found.get(CHALLENGED), found.get(_VERIFIED), found.get(_SECRETS) or {})

    def rejections(self) -> dict[str, float]:
        """When a delivery was last refused, by reason. Of whom it was, nobody knows."""
        begin, end = _REJECTED
        found = self.table.get(SIGNS, ENDPOINT) or {}
        return {
            name.removeprefix(begin).removesuffix(end): float(at)
            for name, at in sorted(found.items())
            if name.startswith(begin)
        }

    def verified(self, app: str, at: float) -> None:
        """Zoom delivered for `app` at `at`. Written once a minute, and never raises: nothing depends on it."""
        if at - self._written.get(app, 0.0) < _PAUSE:
            return
        self._written[app] = at
        try:
            self._set(app, _VERIFIED, at, condition="attribute_not_exists(#verified_at) OR #verified_at < :value")
        except InternalError as error:
            observability.fault(error, app=app)
        except (Unavailable, ConditionFailed):  # an older delivery that was moved back from the dead letters
            return

    def remember_secrets(self, app: str, since: Mapping[str, float]) -> None:
        """Keep since when the secrets of `app` have been in use, by fingerprint."""
        self._set(app, _SECRETS, dict(since), condition="attribute_exists(#pk) OR attribute_not_exists(#pk)")

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a sign is an app's, and names nobody."""
        return False

    def _set(self, app: str, what: str, value: object, *, condition: str) -> None:
        end = int(self.clock()) + _KEPT
        change = f"SET #{what} = :value, #expires_at = :end"
        self.table.update(SIGNS, app_sign(app), change, condition=condition, values={"value": value, "end": end})


def verified_apps(records: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """By app, when the last of an SQS event's deliveries arrived, in epoch seconds; not what we made ourselves."""
    found: dict[str, float] = {}
    for record in records:
        attributes = record.get("messageAttributes") or {}
        with suppress(KeyError, TypeError, ValueError):
            if "reconciled" not in attributes:
                app, at = attributes["app"]["stringValue"], int(attributes["received_at"]["stringValue"]) / 1000
                found[app] = max(at, found.get(app, 0.0))
    return found
