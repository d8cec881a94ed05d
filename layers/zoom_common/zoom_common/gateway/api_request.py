"""What a caller asks of Zoom, as it asks: the gateway makes a call for one connection of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zoom_common.access.principal import Principal
from zoom_common.deadline import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request under `/v2`: who asks, for what, and until when it is worth an answer.

    `path` and `query_string` are as they arrived, still encoded; names of `headers` are in lower case.
    """

    principal: Principal
    method: str
    path: str = field(repr=False)
    deadline: Deadline
    query_string: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def read(cls, target: str, principal: Principal, deadline: Deadline) -> ApiRequest:
        """A read without headers of its own. `target` is a path, with a query string where there is one."""
        path, _, query_string = target.partition("?")
        return cls(principal=principal, method="GET", path=path, query_string=query_string, deadline=deadline)
