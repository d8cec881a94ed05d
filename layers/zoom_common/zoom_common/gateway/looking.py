"""Reading, on the way, what Zoom has: single things and whole lists, for a call whose answer got lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from zoom_common.errors import GatewayError
from zoom_common.gateway.sending import Sender, ZoomCall
from zoom_common.zoom.operations import OPERATIONS, Operation
from zoom_common.zoom.wire import HttpResponse

_BY_NAME = {each.name: each for each in OPERATIONS}
_MOST_PAGES = 5


class NotToBeFound(Exception):
    """Nobody can say whether it was made: it is never listed, could not be looked for, or several are alike."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look for what `call` may have made since `since` (epoch seconds). Methods raise NotToBeFound."""

    sender: Sender
    call: ZoomCall
    since: float

    @property
    def asked(self) -> dict[str, Any]:
        """The body of the create."""
        return json_object(self.call.body)

    def ask(self, name: str, ids: Mapping[str, str]) -> HttpResponse:
        """Zoom's answer to a single read, whatever it says."""
        return self._ask(self.call.instead(_BY_NAME[name], ids))

    def read(self, name: str, ids: Mapping[str, str]) -> HttpResponse:
        """Zoom's answer to a single read that succeeded."""
        return _succeeded(_BY_NAME[name], self.ask(name, ids))

    def listed(self, name: str, ids: Mapping[str, str], members: str, **query: str) -> Iterator[dict[str, Any]]:
        """The members of a list, page by page; more pages than anybody waits for are NotToBeFound."""
        operation, token = _BY_NAME[name], ""
        for page in range(1, _MOST_PAGES + 1):
            asked = _page(operation, query, page, token)
            call = self.call.instead(operation, ids, urlencode(asked, quote_via=quote))
            found = json_object(_succeeded(operation, self._ask(call)).body)
            yield from (each for each in found.get(members) or [] if isinstance(each, dict))
            token = str(found.get("next_page_token") or "")
            if not token and page >= int(found.get("page_count") or 0):
                return
        raise NotToBeFound

    def _ask(self, call: ZoomCall) -> HttpResponse:
        try:
            return self.sender.send(call)
        except GatewayError as error:
            call.record.reason = error.reason
            raise NotToBeFound from None


def json_object(text: bytes) -> dict[str, Any]:
    """The JSON object in `text`; an empty one when it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _page(operation: Operation, query: Mapping[str, str], page: int, token: str) -> dict[str, str]:
    taken = {each.name for each in operation.query}
    paging = {"page_size": "300", **({"next_page_token": token} if token else {})}
    if "next_page_token" not in taken:
        paging = {"page_size": "300", "page_number": str(page)}
    return {**query, **{name: value for name, value in paging.items() if name in taken}}


def _succeeded(operation: Operation, response: HttpResponse) -> HttpResponse:
    if response.status != operation.success:
        raise NotToBeFound
    return response
