"""The vault's queues: connections to refresh, pairs in escrow, links to follow up, and grants to revoke."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import batched
from typing import TYPE_CHECKING, Any

from zoom_common.aws.errors import translated
from zoom_common.connections.refresh.effects import SealedPair

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

REFRESH, RESTORE, REVOKE, LINK = "refresh", "restore", "revoke", "link"
_SEALED = ("sealed_access", "sealed_refresh", "used_refresh")
_LARGEST_BATCH = 10


class EscrowQueue:
    """Holds sealed pairs until the table accepts them again."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def hold(self, pair: SealedPair) -> None:
        """Put a pair in escrow. Raises Unavailable."""
        with translated("escrow_unavailable"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(to_message(pair)))


class RefreshQueue:
    """Spreads due connections over workers."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def enqueue(self, connections: Sequence[tuple[str, str]], *, delay: int = 0) -> int:
        """Queue one message per (tenant, connection id), up to `delay` seconds later. Return how many were accepted.

        Connections that were not accepted stay due, and the next sweep finds them again.
        """
        return sum(self._send(some, delay) for some in batched(connections, _LARGEST_BATCH, strict=False))

    def _send(self, connections: Iterable[tuple[str, str]], delay: int) -> int:
        entries: Any = [
            {
                "Id": str(at),
                "MessageBody": json.dumps({"action": REFRESH, "tenant": tenant, "connection_id": connection_id}),
                # Spread by position, so that workers start at different times, and so do their calls to Zoom.
                "DelaySeconds": delay * at // _LARGEST_BATCH,
            }
            for at, (tenant, connection_id) in enumerate(connections)
        ]
        with translated("refresh_queue_unavailable"):
            return len(self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries).get("Successful", []))


class RevokeQueue:
    """Grants that still have to be revoked. They share the queue of the pairs in escrow, which retries for hours."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def enqueue(self, message: Mapping[str, Any]) -> None:
        """Queue the grant for another try in a minute. Raises Unavailable."""
        with translated("escrow_unavailable"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(message), DelaySeconds=60)


class LinkQueue:
    """Holds the pairs of links until each is stored or revoked. They share the queue of the pairs in escrow."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def hold(self, message: Mapping[str, Any], *, delay: int = 60) -> None:
        """Bring a message after `delay` seconds. Raises Unavailable."""
        with translated("escrow_unavailable"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(message), DelaySeconds=delay)


def to_message(pair: SealedPair) -> dict[str, Any]:
    """Return an escrow message."""
    fields = asdict(pair) | {name: b64encode(getattr(pair, name)).decode() for name in _SEALED}
    if not pair.unproven:
        del fields["unproven"]  # a former release does not know it
    return {"action": RESTORE, **fields, "tried": list(pair.tried), "scopes": sorted(pair.scopes)}


def from_message(message: Mapping[str, Any]) -> SealedPair:
    """Return the pair in an escrow message. Raises KeyError, TypeError or ValueError for other messages."""
    fields = {name: value for name, value in message.items() if name != "action"}
    fields |= {name: b64decode(fields[name], validate=True) for name in _SEALED}
    return SealedPair(**{**fields, "tried": tuple(fields["tried"]), "scopes": frozenset(fields["scopes"])})
