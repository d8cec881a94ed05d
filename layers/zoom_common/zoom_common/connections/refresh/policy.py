"""When a connection is due, how long to back off, and what a rejection streak means. Pure; epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zoom_common.connections.model import Connection, State

_DAY = 86_400.0


class Outcome(StrEnum):
    """The outcome of an attempt, as `token_refresh` returns it to its caller."""

    REFRESHED = "refreshed"
    CURRENT = "current"  # somebody else did it, or nothing was to do
    BUSY = "busy"  # somebody else is at it
    REFRESH_FAILING = "refresh_failing"  # it did not work; try again after the cool-down
    REAUTHORIZATION_REQUIRED = "reauthorization_required"
    UNAVAILABLE = "unavailable"  # nothing wrong with the connection: the app or we are at fault


@dataclass(frozen=True, slots=True)
class Policy:
    """Every duration that refreshing depends on, in seconds."""

    # Two token requests and the writes fit into the lease, and the function's timeout (60 s) is shorter than the lease.
    lease: float = 75.0
    skew: float = 10.0
    request: float = 8.0
    reserve: float = 12.0
    retry_pause: float = 0.5
    # A pair that cannot be written goes to escrow after this many tries.
    write_tries: int = 3
    write_pause: float = 0.5
    # A refused token may have been rotated by an attempt that is still writing. This is how long to wait for it.
    patience: float = 5.0
    poll: float = 0.25
    # After failures.
    cool_first: float = 30.0
    cool_most: float = 900.0
    # The longest limit of Zoom's lasts this long. A larger `Retry-After` does not stop refreshes for longer.
    cool_for_zoom: float = _DAY
    failing_after: int = 3
    # When Zoom refuses this many tokens in a row right after issuing them, over this time, the person has to reconnect.
    refused_in_a_row: int = 3
    refused_over: float = 600.0
    # A connection that was given up is tried again after these times, unless Zoom says that the grant is gone.
    again_after: tuple[float, ...] = (900.0, 3600.0, 6 * 3600.0, _DAY)
    # When Zoom refuses more than this share of all refreshes, and at least this many, within this window and the one
    # before, Zoom or the app is at fault. A connection then backs off for about a day before it is given up.
    widely_refused_share: float = 0.5
    widely_refused_least: int = 10
    widely_refused_window: float = 300.0
    held_at_most: int = 96
    # Before that is known, a refusal is believed only after up to so many other grants were tried: Zoom or the app is
    # at fault when it grants none of them and refuses at least so many.
    probes: int = 3
    probes_refused: int = 2
    # The sweep refreshes connections in use before their token expires, and others well before the refresh token's 90
    # days.
    ahead: float = 900.0
    active: float = _DAY
    dormant: float = 60 * _DAY
    # A connection of another Zoom app is looked at again after this time: that app may be configured again by then.
    other_app: float = _DAY

    @classmethod
    def of(cls, *, keep_warm_hours: float, keep_alive_days: float) -> Policy:
        """Return a policy with an operator's own limits of the sweep."""
        return cls(active=keep_warm_hours * 3600, dormant=keep_alive_days * _DAY)

    def due_at(self, *, now: float, last_used_at: float, expires_at: float, issued_at: float, chance: float) -> float:
        """Return when to refresh: before the access token expires while in use, else before the grant does.

        `chance` in [0, 1) spreads the times, so that connections linked together are not always refreshed together.
        """
        if now - last_used_at < self.active:
            return expires_at - self.ahead * (0.8 + 0.4 * chance)
        return issued_at + self.dormant * (1 - 0.1 * chance)

    def cool_down(self, failures: int, *, chance: float) -> float:
        """Return the pause in seconds after so many failures in a row: doubling, bounded, spread by 20 % either way."""
        return min(self.cool_first * 2.0 ** min(failures - 1, 16), self.cool_most) * (0.8 + 0.4 * chance)

    def again_at(self, given_up_at: float, *, now: float, chance: float) -> float | None:
        """Return when a connection that was given up is tried next, up to 5 % late, or None after the last time."""
        times = (given_up_at + each for each in self.again_after)
        following = next((at for at in times if at > now), None)
        return None if following is None else following + (following - given_up_at) * 0.05 * chance


REASON = "tokens_refused"

# Zoom has given this reason for tokens that it accepted again later. `revoked` and `owner_gone` are final.
_OF_TOKENS = frozenset({"invalid_grant", "refresh_token_invalid", "refresh_token_unknown", "outside_tolerance"})

# Only a Server-to-Server connection is given up because of its app, which can be switched on again.
_OF_ITS_APP = frozenset({"invalid_client", "unauthorized_client", "app_disabled", "app_disabled_by_admin"})

# Zoom's API has refused whatever Zoom gives out, and may be well again: a new access token has to be accepted first.
TRIED_AGAIN = _OF_TOKENS | _OF_ITS_APP | {REASON}

# Another connection holds the Zoom user, or the person has removed the app: old tokens must not be used again.
NEVER_TRIED_AGAIN = frozenset({"superseded", "app_deauthorized"})


def is_tried_again(connection: Connection) -> bool:
    """Return whether a connection that was given up is tried again by itself when it is due."""
    return connection.state is State.REAUTHORIZATION_REQUIRED and connection.reason in TRIED_AGAIN


def may_be_tried_again(connection: Connection) -> bool:
    """Return whether an operator may try the tokens of a connection that was given up: they are still its own."""
    given_up = connection.state is State.REAUTHORIZATION_REQUIRED and connection.reason not in NEVER_TRIED_AGAIN
    return given_up and bool(connection.sealed_refresh)


# For this many seconds after such a refusal, another refresh would get the same; the caller gets Zoom's 401.
STREAK_PAUSE = 120.0


@dataclass(frozen=True, slots=True)
class RejectionStreak:
    """How many versions in a row were refused so far, and since when (epoch seconds)."""

    refusals: int
    since: float

    def ends(self, policy: Policy, *, now: float) -> bool:
        """Return whether the streak is long enough that the person has to reconnect."""
        return self.refusals >= policy.refused_in_a_row and now - self.since >= policy.refused_over


NO_STREAK = RejectionStreak(0, 0.0)


def streak_after(connection: Connection, *, version: int, now: float) -> RejectionStreak | None:
    """Return the streak after a refusal of `version`, or None when it is counted already or the version has changed."""
    if connection.version != version or connection.refused_version == version:
        return None
    if connection.refused_version == version - 1:
        return RejectionStreak(connection.refusals + 1, connection.refused_since)
    return RejectionStreak(1, now)


def rejected_when_new(connection: Connection, *, now: float) -> bool:
    """Return whether the current pair was refused when it was new, and not long ago."""
    return connection.refused_version == connection.version and now - connection.refresh_issued_at < STREAK_PAUSE
