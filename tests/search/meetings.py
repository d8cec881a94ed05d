"""A Zoom that makes meetings, lists them and shows them, as an immutable value."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from zoom_common.zoom.http import HttpRequest, HttpResponse

BODY = {"topic": "Review", "type": 2, "start_time": "2031-05-06T07:08:00Z", "duration": 30}
_FIRST = 1000


@dataclass(frozen=True, slots=True)
class Meetings:
    """`made` are the moments in which meetings were made, in epoch seconds. Their ids count from 1000."""

    made: tuple[float, ...] = ()

    def answer(self, request: HttpRequest, *, now: float) -> tuple[Meetings, HttpResponse]:
        """Answer a request at epoch second `now`."""
        if request.method == "POST":
            assert json.loads(request.body or b"") == BODY
            after = replace(self, made=(*self.made, now))
            return after, _json(201, after._meeting(len(self.made)) | {"start_url": "https://zoom.invalid/s/1"})
        last = request.url.partition("?")[0].rpartition("/")[2]
        if last == "meetings":
            found = [self._meeting(at) for at in range(len(self.made))]
            return self, _json(200, {"meetings": found, "next_page_token": ""})
        return self, _json(200, self._meeting(int(last) - _FIRST))

    def _meeting(self, at: int) -> dict[str, Any]:
        created = datetime.fromtimestamp(int(self.made[at]), UTC)
        return BODY | {"id": _FIRST + at, "created_at": created.isoformat().replace("+00:00", "Z")}


def failure() -> HttpResponse:
    """Return the answer of a Zoom that has failed, whatever it has done."""
    return _json(500, {"code": 500, "message": "Internal Server Error"})


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())
