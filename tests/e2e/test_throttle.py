"""A key's own limit on the deployed stack: shared by functions and containers, and nobody else's business."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from ops.key_table import on_local_stack
from tests.fakes.waiting import CALL_SECONDS
from zoom_common.access.keys import Credential, issue

pytestmark = pytest.mark.e2e
LIMIT = 4


def test_a_key_over_its_limit_waits_and_no_other_key_does(stack: dict[str, Any], api: httpx.Client) -> None:
    """Counted over two functions; refused in Zoom's shape, with the seconds that are left of the minute.

    Two of the clock's minutes may be touched: after twice the limit and one there is a refusal in any case.
    """
    credential = Credential.generate()
    about = {"tenant": stack["tenant"], "name": "limited", "now": time.time(), "requests_per_minute": LIMIT}
    on_local_stack(stack).add(issue(credential, scopes=["*"], **about))
    headers = {"Authorization": f"Bearer {credential.text().reveal()}"}
    paths = ["/usage", "/v2/no/such/route"] * (LIMIT + 1)
    answers: list[httpx.Response] = []
    with httpx.Client(base_url=stack["api_url"], headers=headers, timeout=CALL_SECONDS) as limited:
        for path in paths:
            answers.append(limited.get(path))
            if answers[-1].status_code == 429:
                break
    *served, refused = answers
    assert LIMIT <= len(served) <= 2 * LIMIT
    assert {(each.request.url.path, each.status_code) for each in served} <= {
        ("/usage", 200),
        ("/v2/no/such/route", 404),
    }
    assert refused.status_code == 429
    body = refused.json()
    assert (body["code"], body["reason"]) == (429, "key_rate_limit")
    assert f"{LIMIT} times a minute" in body["hint"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert api.get("/usage").status_code == 200
