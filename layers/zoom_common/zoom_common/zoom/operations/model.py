"""What one row of the operations table says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from zoom_common.zoom.models.base import ZoomModel
from zoom_common.zoom.operations.parameters import Parameter


class RateLabel(StrEnum):
    """Zoom's rate limit labels, as its answers spell them.

    https://developers.zoom.us/docs/api/rate-limits/
    """

    LIGHT = "Light"
    MEDIUM = "Medium"
    HEAVY = "Heavy"
    RESOURCE_INTENSIVE = "Resource-intensive"


@dataclass(frozen=True, slots=True)
class ZoomScopes:
    """The Zoom scopes of an operation: any one of them is enough. `user` and `admin` are the forms of its granular one.

    An operation that only administrators may use has no `user` form. New apps get granular scopes, apps from before
    2024 keep their `classic` ones. https://developers.zoom.us/docs/integrations/oauth-scopes-overview/
    """

    user: str | None
    admin: str
    classic: tuple[str, ...]

    @classmethod
    def of(cls, granular: str, *classic: str) -> ZoomScopes:
        """The scopes of an operation for users and administrators."""
        return cls(granular, f"{granular}:admin", tuple(form for each in classic for form in (each, f"{each}:admin")))

    @property
    def granular(self) -> tuple[str, ...]:
        """Both forms, as far as they exist, the user's first."""
        return (self.admin,) if self.user is None else (self.user, self.admin)

    def allow(self, granted: Iterable[str]) -> bool:
        """Whether a token with the scopes `granted` may do it. A master account's form counts as the others do."""
        held = {scope.removesuffix(":master") for scope in granted}
        return not held.isdisjoint((*self.granular, *self.classic))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of Zoom's REST API.

    `path` is Zoom's, below `/v2`. `function` serves it, behind the HTTP API route `route`. `safe_to_retry` says that
    sending it twice is as good as once, even when the first may have arrived. `counts_for_user` marks the creates and
    updates of which Zoom takes 100 a day for one user, meetings and webinars together.
    """

    name: str
    method: str
    path: str
    function: str
    route: str
    query: tuple[Parameter, ...] = ()
    body: type[ZoomModel] | None = None
    success: int
    label: RateLabel
    scopes: ZoomScopes
    gateway_scope: str
    safe_to_retry: bool
    counts_for_user: bool = False
