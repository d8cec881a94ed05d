"""The authorizer: a principal or a reason, a failure where nobody could be asked, and never a refusal of its own."""

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
from zoom_common.access.principal import Principal

EVENTS = Path(__file__).parents[3] / "events"
EVENT: dict[str, Any] = json.loads((EVENTS / "authorizer-api-key.json").read_text())
NOW = 1_800_000_000.0


type Authorize = Callable[[dict[str, Any], MemoryApiKeys], dict[str, Any]]


@pytest.fixture
def authorize(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Authorize:
    """Call the handler with these keys."""
    module = function("authorizer")

    def call(event: dict[str, Any], keys: MemoryApiKeys) -> dict[str, Any]:
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
    answer = authorize(EVENT, MemoryApiKeys(key))
    assert answer["isAuthorized"] is True
    assert Principal.from_context(answer["context"]) == key.principal()


def test_a_denial_goes_through_with_its_reason(authorize: Authorize, observed: Any) -> None:
    """The function says no, in Zoom's shape; the denial is counted by reason."""
    answer = authorize(EVENT, MemoryApiKeys())
    assert answer == {"isAuthorized": True, "context": {"denied": "unknown_key"}}
    assert observed.counted == [("Denied", 1, {"reason": "unknown_key"})]


def test_a_browser_that_asks_before_it_calls_is_not_counted(authorize: Authorize, observed: Any) -> None:
    """It sends no credential with its question, and nobody has to be woken for it."""
    about = {**EVENT["requestContext"], "http": {**EVENT["requestContext"]["http"], "method": "OPTIONS"}}
    answer = authorize({**EVENT, "headers": {}, "requestContext": about}, MemoryApiKeys())
    assert list(answer["context"]) == ["denied"]
    assert observed.counted == []


def test_a_lookup_that_failed_is_no_answer(authorize: Authorize, observed: Any) -> None:
    """The API keeps an answer for a minute, and a failure for no one: the next request is judged again."""
    with pytest.raises(Exception, match=r"^unavailable$"):
        authorize(EVENT, MemoryApiKeys(down=AWAY))
    assert observed.counted == [("Denied", 1, {"reason": "unavailable"})]
    assert "denied" not in authorize(EVENT, MemoryApiKeys(key_of_the_event()))["context"]


def test_no_credential_reaches_the_log(authorize: Authorize, observed: Any) -> None:
    """Whatever was in the header."""
    malformed = json.loads((EVENTS / "authorizer-malformed.json").read_text())
    assert authorize(malformed, MemoryApiKeys())["context"] == {"denied": "malformed_credential"}
    authorize(EVENT, MemoryApiKeys(key_of_the_event()))
    authorize(EVENT, MemoryApiKeys())
    assert "not-a-key" not in observed.text()
    assert "AAAA" not in observed.text()
    assert observed.lines[0][2]["request_id"] == "request-authorizer-2"


@pytest.mark.usefixtures("observed")
def test_an_event_without_headers_is_a_denial(authorize: Authorize) -> None:
    """Nothing is assumed about how the authorizer is asked."""
    assert authorize({"headers": None}, MemoryApiKeys())["context"] == {"denied": "malformed_credential"}
