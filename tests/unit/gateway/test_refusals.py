"""What the gateway adds to a refusal of Zoom's."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import answer, connection
from zoom_common.connections.model import Connection, Kind
from zoom_common.errors import ZoomRefused, ZoomScopesMissing
from zoom_common.gateway import service
from zoom_common.zoom import api
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import match

GET = match("GET", "/v2/meetings/1")[0]
REPORT = match("GET", "/v2/report/meetings/1")[0]


def link(of: Connection) -> str:
    return f"https://gateway.example/connections/{of.connection_id}/reconnect"


def refused(status: int, body: bytes, **changes: object) -> ZoomRefused:
    with pytest.raises(ZoomRefused) as refusal:
        service.raise_for_refusal(
            answer(status, body), operation=GET, connection=connection(**changes), headers={}, reconnect_url=link
        )
    return refusal.value


def test_zooms_own_4711_comes_with_the_tables_scopes_and_a_link() -> None:
    """Whatever language Zoom's message is in."""
    body = b'{"code":4711,"message":"Token de acceso no v\xc3\xa1lido."}'
    refusal = refused(400, body, scopes=frozenset({"meeting:read:meeting"}))
    assert refusal.missing_scopes == ("meeting:read:meeting", "meeting:read:meeting:admin")
    assert refusal.reconnect_url == "https://gateway.example/connections/con_1/reconnect"
    assert refusal.body == body


def test_a_token_that_zoom_rejects_again_is_not_the_callers_key() -> None:
    """The reason differs from the one for a wrong key, and the person can reconnect."""
    refusal = refused(401, b'{"code":124,"message":"Invalid access token."}')
    assert refusal.reason == "zoom_rejected_token"
    assert refusal.reconnect_url is not None


def test_other_refusals_get_no_link() -> None:
    """Reconnecting would not help."""
    refusal = refused(404, b'{"code":3001,"message":"x"}')
    assert (refusal.reconnect_url, refusal.missing_scopes) == (None, ())


@pytest.mark.parametrize(
    ("changes", "word"),
    [({}, "administrator"), ({"kind": Kind.ACCOUNT}, "Server-to-Server")],
)
def test_the_way_to_a_scope_depends_on_who_can_grant_it(changes: dict[str, object], word: str) -> None:
    """Reports have no form for users; an account's scopes are set in its app."""
    with pytest.raises(ZoomScopesMissing) as refusal:
        service.check_scopes(REPORT, connection(scopes=frozenset({"meeting:read:meeting"}), **changes), link)
    assert refusal.value.scopes == ("report:read:meeting:admin",)
    assert word in (refusal.value.hint or "")


def test_a_classic_app_is_shown_classic_scopes() -> None:
    """It can not be given granular ones."""
    with pytest.raises(ZoomScopesMissing) as refusal:
        service.check_scopes(GET, connection(scopes=frozenset({"user:read"})), link)
    assert refusal.value.scopes == ("meeting:read", "meeting:read:admin")


@pytest.mark.parametrize(("status", "code"), [(400, 4711), (401, 4711), (400, 4700), (401, 4700)])
def test_a_lack_of_scopes_has_two_codes(status: int, code: int) -> None:
    """With either, and any status, the missing scopes are named and the token is not to blame."""
    response = answer(status, b'{"code":%d,"message":"x"}' % code)
    assert not api.token_rejected(response)
    assert refused(status, response.body).missing_scopes == ("meeting:read", "meeting:read:admin")


LIST = match("GET", "/v2/users/me/meetings")[0]


@pytest.mark.parametrize(
    ("operation", "user", "changes", "words"),
    [
        (LIST, "me", {}, "let the person reconnect"),
        (LIST, "someone@example.com", {}, "`:admin` form"),
        (LIST, "someone@example.com", {"kind": Kind.ACCOUNT}, "Server-to-Server"),
        (REPORT, "me", {}, "user-level app cannot"),
    ],
)
def test_who_can_grant_a_scope_depends_on_whose_data_it_is(
    operation: Operation, user: str, changes: dict[str, object], words: str
) -> None:
    """A person grants what is their own; for others, and for reports, it takes an administrator."""
    with pytest.raises(ZoomRefused) as refusal:
        service.raise_for_refusal(
            answer(400, b'{"code":4711}'),
            operation=operation,
            connection=connection(**changes),
            headers={},
            reconnect_url=link,
            ids={"userId": user},
        )
    assert words in (refusal.value.hint or "")


def test_hints_know_limit_and_page_token_of_the_call() -> None:
    """From the header that names the limit, and from the query."""

    def hint(status: int, code: int, query: str, headers: dict[str, str]) -> str:
        with pytest.raises(ZoomRefused) as refusal:
            service.raise_for_refusal(
                answer(status, b'{"code":%d}' % code),
                operation=LIST,
                connection=connection(),
                headers=headers,
                reconnect_url=link,
                query_string=query,
            )
        return refusal.value.hint or ""

    assert "100 creates" in hint(429, 429, "", {"x-zoom-limit": "per_user"})
    assert "page token" in hint(400, 300, "page_size=3&next_page_token=a", {})
    for query in ("page_size=3", "next_page_token=", "my_next_page_token=a"):
        assert "page token" not in hint(400, 300, query, {})
