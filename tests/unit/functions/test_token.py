"""The token function, from event to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.access_stores import AWAY, MemoryApiKeys
from tests.fakes.edge import LambdaContext
from zoom_common.access.keys import ApiKey, Credential, issue
from zoom_common.access.token_endpoint import SignIn

EVENTS = Path(__file__).parents[3] / "events"
NOW = 1_800_000_000.0
CREDENTIAL = Credential.parse("zk_abcdefghijkl_" + "A" * 43)


def known() -> ApiKey:
    """The key whose credential the sample holds."""
    assert CREDENTIAL is not None
    return issue(CREDENTIAL, tenant="acme", name="n", scopes=["meetings:read"], now=NOW)


def served(
    function: Callable[[str], ModuleType], patch: pytest.MonkeyPatch, name: str, keys: MemoryApiKeys
) -> dict[str, Any]:
    module = function("token")
    endpoint = SignIn(keys=keys, keep=lambda _: None, clock=lambda: NOW, api_url="https://gateway.example")
    patch.setattr(module, "_sign_in", lambda: endpoint)
    result: dict[str, Any] = module.handler(json.loads((EVENTS / f"{name}.json").read_text()), LambdaContext())
    return result


def test_a_client_signs_in(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    """Grant and account in the URL, as Zoom's pages show it, and the credential in the header."""
    result = served(function, monkeypatch, "token-account-credentials", MemoryApiKeys(known()))
    assert (result["statusCode"], json.loads(result["body"])["token_type"]) == (200, "bearer")
    assert result["headers"]["cache-control"] == "no-store"


def test_a_refusal_has_the_shape_of_zooms_token_endpoint(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`reason` and `error`, which client libraries look for."""
    result = served(function, monkeypatch, "token-wrong-secret", MemoryApiKeys(known()))
    assert result["statusCode"] == 400
    assert json.loads(result["body"]) == {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}


def test_a_store_that_is_down_is_no_refusal(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """503: the client may try again with the same credential."""
    assert served(function, monkeypatch, "token-account-credentials", MemoryApiKeys(down=AWAY))["statusCode"] == 503
