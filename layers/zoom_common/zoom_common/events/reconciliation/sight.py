"""What a connection is shown of its Zoom, and what it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from zoom_common.errors import Unavailable

type Row = Mapping[str, Any]

# One GET under /v2 through the gateway and its budget; None when Zoom says that there is no such thing to see. Raises
# Unseen when Zoom shows this connection nothing of the kind.
type Read = Callable[[str], Row | None]

MISSING_SCOPES = "missing_scopes"
# Of a missing add-on, a free plan and a missing permission Zoom says the same: code 200.
NO_PERMISSION = "no_plan_or_permission"
_MOST_PAGES = 200


class Unseen(Exception):
    """Zoom shows this connection nothing of the kind; `reason` is MISSING_SCOPES or NO_PERMISSION."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sight:
    """Reads for one connection, and remembers in `unseen` why a kind of thing was not shown.

    A kind is called by its path without ids: `users/webinars`, `report/webinars/participants`. What lacks scopes is
    asked for once: no other id of it would be shown either.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self.unseen: dict[str, str] = {}

    def get(self, path: str) -> Row:
        """What is there; nothing where there is nothing to see. Raises what `read` raises besides Unseen."""
        kind = kind_of(path)
        if self.unseen.get(kind) == MISSING_SCOPES:
            return {}
        try:
            return self._read(path) or {}
        except Unseen as unseen:
            self.unseen.setdefault(kind, unseen.reason)
            return {}

    def rows(self, path: str, name: str) -> Iterator[Row]:
        """All rows of a paged list. Raises Unavailable when Zoom's pages do not end."""
        token, joint = "", "&" if "?" in path else "?"
        for _ in range(_MOST_PAGES):
            page = self.get(
                f"{path}{joint}page_size=300" + (f"&next_page_token={quote(token, safe='')}" if token else "")
            )
            rows = page.get(name)
            yield from (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, Mapping))
            token = str(page.get("next_page_token") or "")
            if not token:
                return
        raise Unavailable(reason="endless_pages")

    def why_not(self, *kinds: str) -> str | None:
        """Why none of these kinds, of which one is enough, is shown; None when one of them is, or was not asked for."""
        reasons = [self.unseen.get(kind) for kind in kinds]
        return reasons[0] if all(reasons) else None


def kind_of(path: str) -> str:
    """A path's words without its ids, which stand at every second place: `report/users/meetings`."""
    head, place = "", path.partition("?")[0].removeprefix("/v2/")
    if place.startswith("report/"):
        head, place = "report/", place.removeprefix("report/")
    return head + "/".join(place.split("/")[::2])
