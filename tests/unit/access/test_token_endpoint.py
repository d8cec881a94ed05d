"""`POST /oauth/token` for programs."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.access_stores import MemoryApiKeys
from zoom_common.access.bearers import Bearer
from zoom_common.access.keys import ApiKey, Credential, issue
from zoom_common.access.token_endpoint import GRANTS, Refused, SignIn

NOW = 1_800_000_000.0
CREDENTIAL = Credential.generate(entropy=lambda size: b"\x5a" * size)
KEY = issue(CREDENTIAL, tenant="acme", name="n", scopes=["meetings:read", "users:read"], now=NOW)
ID, SECRET, WHOLE = KEY.key_id, CREDENTIAL.secret.reveal(), CREDENTIAL.text().reveal()


def endpoint(kept: list[Bearer], key: ApiKey = KEY) -> SignIn:
    return SignIn(keys=MemoryApiKeys(key), keep=kept.append, clock=lambda: NOW, api_url="https://gateway.example")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("grant", sorted(GRANTS))
@pytest.mark.parametrize(("user", "password"), [(ID, SECRET), (f"zk_{ID}", SECRET), (ID, WHOLE), (f"zk_{ID}", WHOLE)])
def test_key_id_and_secret_become_a_bearer(grant: str, user: str, password: str) -> None:
    """By HTTP Basic, for every grant name of Zoom's, with Zoom's response fields."""
    kept: list[Bearer] = []
    answer = endpoint(kept).token(basic(user, password), {"grant_type": grant, "account_id": "whatever"})
    assert answer["access_token"].startswith("zt_")
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3600)
    assert (answer["scope"], answer["api_url"]) == ("meetings:read users:read", "https://gateway.example")
    assert ("refresh_token" in answer) == (grant in {"authorization_code", "refresh_token"})
    assert [each.key_id for each in kept] == [ID]


def test_the_form_may_hold_the_credential() -> None:
    """The form may have the credential, as RFC 6749 allows; the header takes precedence."""
    form = {"grant_type": "client_credentials", "client_id": ID, "client_secret": SECRET}
    assert endpoint([]).token("", form)["access_token"]
    with pytest.raises(Refused):
        endpoint([]).token(basic(ID, "B" * 43), form)


@pytest.mark.parametrize(
    "header",
    [
        "",
        basic(ID, "B" * 43),
        basic("b" * 12, SECRET),
        basic("b" * 12, WHOLE),
        basic(ID, ""),
        "Basic %%%",
        f"Bearer {WHOLE}",
    ],
)
def test_a_wrong_credential_is_refused_as_zoom_does(header: str) -> None:
    """Wrong key and wrong secret look the same."""
    kept: list[Bearer] = []
    with pytest.raises(Refused) as refusal:
        endpoint(kept).token(header, {"grant_type": "account_credentials"})
    assert (refusal.value.error, refusal.value.reason) == ("invalid_client", "Invalid client_id or client_secret")
    assert kept == []


@pytest.mark.parametrize("change", [{"revoked_at": NOW}, {"valid_until": NOW}])
def test_a_key_that_has_ended_signs_nobody_in(change: dict[str, Any]) -> None:
    """Nor does a revoked one."""
    with pytest.raises(Refused):
        endpoint([], replace(KEY, **change)).token(basic(ID, SECRET), {"grant_type": "account_credentials"})


def test_an_unknown_grant_is_refused() -> None:
    """So is none."""
    for form in ({"grant_type": "password"}, {}):
        with pytest.raises(Refused) as refusal:
            endpoint([]).token(basic(ID, SECRET), form)
        assert refusal.value.error == "unsupported_grant_type"


def test_an_account_id_can_be_a_connection() -> None:
    """For clients that can not send X-Zoom-Connection; a key that is bound elsewhere stays there."""
    kept: list[Bearer] = []
    form = {"grant_type": "account_credentials", "account_id": "con_1"}
    endpoint(kept).token(basic(ID, SECRET), form)
    assert kept[0].connection == "con_1"
    endpoint(kept, replace(KEY, connection="con_1")).token(basic(ID, SECRET), form)
    with pytest.raises(Refused) as refusal:
        endpoint(kept, replace(KEY, connection="con_2")).token(basic(ID, SECRET), form)
    assert refusal.value.error == "invalid_request"
