"""Tokens that Zoom refuses (401, code 124) as soon as it has given them: no refresh helps then. Pure decisions.

A hiccup of Zoom's API ends no connection. What does: several pairs in a row, over minutes, each refused when new. One
that served in between breaks the row, and nobody has to write that down: its version is missing in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from zoom_common.connections.model import Connection
from zoom_common.connections.schedule import Policy

REASON = "tokens_refused"
# For so long after such a refusal, in seconds, another refresh would find the same; the caller gets Zoom's 401.
REST = 120.0


@dataclass(frozen=True, slots=True)
class Row:
    """How many versions in a row were refused by now, and since when (epoch seconds)."""

    refusals: int
    since: float

    def ends(self, policy: Policy, *, now: float) -> bool:
        """Whether only the person can help."""
        return self.refusals >= policy.refused_in_a_row and now - self.since >= policy.refused_over


def row_after(connection: Connection, *, version: int, now: float) -> Row | None:
    """The row once `version` was refused as well; None when that is known already, or about another version by now."""
    if connection.version != version or connection.refused_version == version:
        return None
    if connection.refused_version == version - 1:
        return Row(connection.refusals + 1, connection.refused_since)
    return Row(1, now)


def no_better(connection: Connection, *, now: float) -> bool:
    """Whether the current pair was refused when it was new, and not long ago."""
    return connection.refused_version == connection.version and now - connection.refresh_issued_at < REST
