"""Asks the one function that may touch refresh tokens to use one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from zoom_common import correlation
from zoom_common.aws.errors import translated
from zoom_common.connections.model import Connection
from zoom_common.connections.steps import Outcome
from zoom_common.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

TOUCH = "touch"
REFUSED = "refused"
_UNAVAILABLE = "token_refresh_unavailable"

_translated = translated(_UNAVAILABLE)


class RefreshOnDemand(Protocol):
    """Refreshes elsewhere; see `RefreshFunction`."""

    def refresh(self, connection: Connection, *, wait: float) -> Outcome:
        """Refresh unless its version has moved. Raises Unavailable."""
        ...

    def touch(self, connection: Connection) -> None:
        """Say that it is in use, without waiting. Raises Unavailable."""
        ...

    def refused(self, connection: Connection) -> None:
        """Say that Zoom refuses the token of its version, which is new, without waiting. Raises Unavailable."""
        ...


class RefreshFunction:
    """The function `token_refresh`, invoked directly."""

    def __init__(self, lambda_: LambdaClient, name: str) -> None:
        self._lambda = lambda_
        self._name = name

    def refresh(self, connection: Connection, *, wait: float) -> Outcome:
        """Refresh and wait for the outcome; behind another's refresh for at most `wait` seconds. Raises Unavailable."""
        payload = {
            "action": "refresh",
            **_named(connection),
            "seen_version": connection.version,
            "wait": round(wait, 1),
        }
        with _translated:
            answer = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(payload).encode())
        if answer.get("FunctionError"):
            raise Unavailable(reason="token_refresh_failed")
        try:
            return Outcome(json.loads(answer["Payload"].read())["outcome"])
        except (KeyError, TypeError, ValueError):
            raise Unavailable(reason=_UNAVAILABLE) from None

    def touch(self, connection: Connection) -> None:
        """Hand over that the connection is in use: API functions may not write to the table. Raises Unavailable."""
        self._tell({"action": TOUCH, **_named(connection)})

    def refused(self, connection: Connection) -> None:
        """Hand over that Zoom refuses a token which is new. Raises Unavailable."""
        self._tell({"action": REFUSED, **_named(connection), "version": connection.version})

    def _tell(self, what: dict[str, Any]) -> None:
        with _translated:
            self._lambda.invoke(FunctionName=self._name, InvocationType="Event", Payload=json.dumps(what).encode())


def _named(connection: Connection) -> dict[str, Any]:
    about = {"tenant": connection.tenant, "connection_id": connection.connection_id}
    return about | ({"correlation_id": correlation.current()} if correlation.current() else {})
