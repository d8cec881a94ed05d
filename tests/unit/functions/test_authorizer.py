"""The authorizer: a principal or a reason, and never a refusal of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext
from zoom_common.access.keys import ApiKey, Credential, issue
from zoom_common.access.principal import Principal
from zoom_common.errors import Unavailable

EVENTS = Path(__file__).parents[3] / "events"
EVENT: dict[str, Any] = json.loads((EVENTS / "authorizer-api-key.json").read_text())
NOW = 1_800_000_000.0


class Keys:
    """A store of one key, that may be down."""

    def __init__(self, key: ApiKey | None = None, *, down: bool = False) -> None:
        self.key, self.down = key, down

    def get(self, key_id: str) -> ApiKey | None:
        if self.down:
            raise Unavailable(reason="key_store_unavailable", cause="ReadTimeoutError")
        return self.key if self.key and self.key.key_id == key_id else None


type Authorize = Callable[[dict[str, Any], Keys], dict[str, Any]]


@pytest.fixture
def authorize(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Authorize:
    """Call the handler with these keys."""
    module = function("authorizer")

    def call(event: dict[str, Any], keys: Keys) -> dict[str, Any]:
        monkeypatch.setattr(module, "_keys", lambda: keys)
        monkeypatch.setattr(module, "_tokens", lambda: None)
        monkeypatch.setattr(module, "_bearers", lambda: None)
        answer: dict[str, Any] = module.handler(event, LambdaContext())
        return answer

    return call


def key_of_the_event() -> ApiKey:
    """The key that the sample event calls with."""
    credential = Credential.parse(EVENT["headers"]["authorization"].removeprefix("Bearer "))
    assert credential is not None
    return issue(credential, tenant="acme", name="sample", scopes=["meetings:read"], now=NOW)


def test_a_key_becomes_a_principal(authorize: Authorize) -> None:
    """The functions behind the API read it from the context."""
    key = key_of_the_event()
    answer = authorize(EVENT, Keys(key))
    assert answer["isAuthorized"] is True
    assert Principal.from_context(answer["context"]) == key.principal()


def test_a_denial_goes_through_with_its_reason(authorize: Authorize, observed: Any) -> None:
    """The function says no, in Zoom's shape; the denial is counted by reason."""
    answer = authorize(EVENT, Keys())
    assert answer == {"isAuthorized": True, "context": {"denied": "unknown_key"}}
    assert observed.counted == [("Denied", 1, {"reason": "unknown_key"})]


@pytest.mark.usefixtures("observed")
def test_a_store_that_is_down_is_said(authorize: Authorize) -> None:
    """The edge makes a 503 of it."""
    assert authorize(EVENT, Keys(down=True))["context"] == {"denied": "unavailable"}


def test_no_credential_reaches_the_log(authorize: Authorize, observed: Any) -> None:
    """Whatever was in the header."""
    malformed = json.loads((EVENTS / "authorizer-malformed.json").read_text())
    assert authorize(malformed, Keys())["context"] == {"denied": "malformed_credential"}
    authorize(EVENT, Keys(key_of_the_event()))
    authorize(EVENT, Keys())
    assert "not-a-key" not in observed.text()
    assert "AAAA" not in observed.text()
    assert observed.lines[0][2]["request_id"] == "request-authorizer-2"


@pytest.mark.usefixtures("observed")
def test_an_event_without_headers_is_a_denial(authorize: Authorize) -> None:
    """Nothing is assumed about how the authorizer is asked."""
    assert authorize({"headers": None}, Keys())["context"] == {"denied": "malformed_credential"}
