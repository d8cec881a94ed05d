"""The status of Zoom's deliveries by app: stored times, the hourly check, and the answer of `GET /webhooks`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from zoom_common import observability
from zoom_common.aws.errors import translated
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.model import Connection
from zoom_common.connections.views import iso
from zoom_common.errors import InternalError, Unavailable
from zoom_common.events.webhook.client import CHALLENGED, ENDPOINT, STATUS, app_status_key
from zoom_common.events.webhook.secrets import parse_secrets
from zoom_common.secret import Secret
from zoom_common.zoom.webhooks import SigningSecret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from zoom_common.erasure_target import ErasureTarget, StoredItem


def read_webhook_secrets(client: SecretsManagerClient, arn: str) -> tuple[Sequence[SigningSecret], float]:
    """Return the secrets of every Zoom app, and when they were last written (epoch seconds).

    Raises Unavailable, or UnusableSecrets.
    """
    with translated("webhook_secrets_unavailable"):
        found = client.get_secret_value(SecretId=arn)
    return parse_secrets(Secret(found.get("SecretString", ""))), found["CreatedDate"].timestamp()


_KEPT = 120 * 86_400

_PAUSE = 60.0

_VERIFIED, _SECRETS = "verified_at", "secrets_since"

_REJECTED = ("rejected_", "_at")


@dataclass(frozen=True, slots=True)
class AppStatus:
    """One Zoom app. Times are epoch seconds, None for what was not seen in the last four months."""

    challenged_at: float | None = None
    verified_at: float | None = None
    secrets_since: Mapping[str, float] = field(default_factory=dict)
    """Since when each secret has been in use, by its fingerprint."""


@dataclass(slots=True)
class WebhookStatusStore:
    """`clock` gives epoch seconds. Every method but `verified` raises Unavailable."""

    OWNED_KEYS: ClassVar = {"coordination": (r"heartbeat#webhook", r"app#.+|endpoint")}

    table: Table
    clock: Callable[[], float]
    _written: dict[str, float] = field(default_factory=dict)

    def of_app(self, app: str) -> AppStatus:
        """Return what is known of `app`."""
        found = self.table.get(STATUS, app_status_key(app)) or {}
        return AppStatus(found.get(CHALLENGED), found.get(_VERIFIED), found.get(_SECRETS) or {})

    def apps(self) -> dict[str, AppStatus]:
        """Return what is known of every app whose deliveries were seen in the last four months."""
        begin = app_status_key("")
        items, after = self.table.query("#pk = :pk AND begins_with(#sk, :app)", {"pk": STATUS, "app": begin})
        while after is not None:
            more, after = self.table.query(
                "#pk = :pk AND begins_with(#sk, :app)", {"pk": STATUS, "app": begin}, after=after
            )
            items += more
        return {
            str(item["sk"]).removeprefix(begin): AppStatus(
                item.get(CHALLENGED), item.get(_VERIFIED), item.get(_SECRETS) or {}
            )
            for item in items
        }

    def rejections(self) -> dict[str, float]:
        """Return when a delivery was last refused, by reason. The app that sent it is not known."""
        begin, end = _REJECTED
        found = self.table.get(STATUS, ENDPOINT) or {}
        return {
            name.removeprefix(begin).removesuffix(end): float(at)
            for name, at in sorted(found.items())
            if name.startswith(begin)
        }

    def verified(self, app: str, at: float) -> None:
        """Store that Zoom delivered for `app` at `at`, at most once a minute.

        Never raises, because nothing depends on it.
        """
        if at - self._written.get(app, 0.0) < _PAUSE:
            return
        self._written[app] = at
        try:
            self._set(app, _VERIFIED, at, condition="attribute_not_exists(#verified_at) OR #verified_at < :value")
        except InternalError as error:
            observability.fault(error, app=app)
        except (Unavailable, ConditionFailed):  # an older delivery that was moved back from the dead-letter queue
            return

    def remember_secrets(self, app: str, since: Mapping[str, float]) -> None:
        """Store since when the secrets of `app` have been in use, by fingerprint."""
        self._set(app, _SECRETS, dict(since), condition="attribute_exists(#pk) OR attribute_not_exists(#pk)")

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: the status of an app names no person."""
        return False

    def _set(self, app: str, what: str, value: object, *, condition: str) -> None:
        end = int(self.clock()) + _KEPT
        change = f"SET #{what} = :value, #expires_at = :end"
        self.table.update(STATUS, app_status_key(app), change, condition=condition, values={"value": value, "end": end})


def verified_apps(records: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return by app when the last delivery of an SQS event arrived, in epoch seconds. Our own events do not count."""
    found: dict[str, float] = {}
    for record in records:
        attributes = record.get("messageAttributes") or {}
        with suppress(KeyError, TypeError, ValueError):
            if "reconciled" not in attributes:
                app, at = attributes["app"]["stringValue"], int(attributes["received_at"]["stringValue"]) / 1000
                found[app] = max(at, found.get(app, 0.0))
    return found


CHALLENGE_SECONDS = 72 * 3600.0


class Measure(Protocol):
    """A metric's measurement, in seconds."""

    def __call__(self, name: str, seconds: float, **fields: str) -> None:
        """Record `seconds` for `name`. The other fields go into the log line."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHealth:
    """`secrets` reads the webhook secrets, and when their text was written (epoch seconds)."""

    webhook_status: WebhookStatusStore
    secrets: Callable[[], tuple[Sequence[SigningSecret], float]]
    measure: Measure
    clock: Callable[[], float]

    def look(self) -> list[str]:
        """Measure every app that has a secret here, and return their names. Raises Unavailable or UnusableSecrets."""
        secrets, written_at = self.secrets()
        for reason, at in self.webhook_status.rejections().items():
            self.measure("WebhookRejectedAge", self.clock() - at, reason=reason)
        apps = [(app, list(of_app)) for app, of_app in groupby(sorted(secrets, key=_app), key=_app)]
        for app, of_app in apps:
            self._app(app, of_app, written_at)
        return [app for app, _ in apps]

    def _app(self, app: str, secrets: Sequence[SigningSecret], written_at: float) -> None:
        now, known = self.clock(), self.webhook_status.of_app(app)
        since = {fingerprint(each.value): _since(each, known, written_at) for each in secrets}
        if since != known.secrets_since:
            self.webhook_status.remember_secrets(app, since)
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
    """Return until when some secret is active without a gap: `now` when none is, None when there is no end."""
    moment, left = now, list(secrets)
    while going := [each for each in left if each.active(moment)]:
        ends = [each.ends for each in going if each.ends is not None]
        if len(ends) < len(going):
            return None
        moment = max(ends)
    return moment


def fingerprint(secret: Secret) -> str:
    """Return a fingerprint that differs between secrets and does not reveal them."""
    return hashlib.sha256(b"webhook-secret\0" + secret.reveal().encode()).hexdigest()[:12]


def described(
    connections: Iterable[Connection], apps: Mapping[str, AppStatus], rejections: Mapping[str, float], *, now: float
) -> dict[str, Any]:
    """Return the body of `GET /webhooks`: each connection with what is known of its app's deliveries."""
    return {
        "connections": [_connection(each, apps[each.client_id], now) for each in connections],
        "rejections": described_rejections(rejections, now=now),
    }


def described_rejections(rejections: Mapping[str, float], *, now: float) -> list[dict[str, Any]]:
    """Return when a delivery was last refused, by reason."""
    return [{"reason": reason, **_last("rejected", at, now)} for reason, at in sorted(rejections.items())]


def _connection(connection: Connection, app: AppStatus, now: float) -> dict[str, Any]:
    return {
        "id": connection.connection_id,
        "state": str(connection.state),
        "zoom_client_id": connection.client_id,
        **_last("webhook", connection.last_webhook_at, now),
        **described_app(app, now=now),
    }


def described_app(app: AppStatus, *, now: float) -> dict[str, Any]:
    """Return what is known of an app's deliveries and of its secrets, which are named by fingerprint."""
    in_use = sorted(app.secrets_since.items(), key=lambda each: each[1])
    return {
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


def _since(secret: SigningSecret, known: AppStatus, written_at: float) -> float:
    """Return since when a secret has been in use: as its entry says, else since it was first seen."""
    if secret.starts is not None:
        return secret.starts
    return min(written_at, known.secrets_since.get(fingerprint(secret.value), written_at))
