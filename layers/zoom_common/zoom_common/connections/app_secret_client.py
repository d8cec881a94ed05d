"""The Zoom app's own credentials, from Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from zoom_common.aws.errors import translated
from zoom_common.errors import Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import App

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_LIFETIME = 300.0
_UNAVAILABLE = "app_secret_unavailable"

_translated = translated(_UNAVAILABLE)


class AppSecret:
    """Reads `{"client_id", "client_secret"}` and keeps it for five minutes."""

    def __init__(self, secrets: SecretsManagerClient, arn: str, *, clock: Callable[[], float]) -> None:
        self._secrets = secrets
        self._arn = arn
        self._clock = clock
        self._known: tuple[float, App] | None = None

    def app(self) -> App:
        """The credentials. Raises Unavailable."""
        if self._known is None or self._clock() >= self._known[0] + _LIFETIME:
            self._known = (self._clock(), self._read())
        return self._known[1]

    def changed(self) -> bool:
        """Read again, because Zoom refused what we had; whether it is another secret now."""
        former = self._known[1] if self._known else None
        self._known = None
        return self.app() != former

    def _read(self) -> App:
        with _translated:
            found = self._secrets.get_secret_value(SecretId=self._arn)
        try:
            fields = json.loads(found["SecretString"])
            return App(str(fields["client_id"]), Secret(str(fields["client_secret"])))
        except (KeyError, TypeError, ValueError):
            raise Unavailable(reason=_UNAVAILABLE) from None
