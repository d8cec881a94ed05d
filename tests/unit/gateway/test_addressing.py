"""Whom and where a call addresses."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import connection
from zoom_common.connections.model import Kind, email_digest, is_own_user
from zoom_common.errors import InvalidRequest
from zoom_common.gateway.context import addressed, base_url
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import operations

ZOOM = "https://api.zoom.us/v2"
SIMULATED = "http://localhost:3001/v2"


OF_A_USER = [each for each in operations() if "/users/{userId}" in each.path]
ABOUT_ME = [each for each in operations() if "/users/me" in each.path]
GET_MEETING = next(each for each in operations() if each.name == "meetings.get")
OWN = email_digest("Jill.Person@Example.com")


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("me", "me"),
        ("zoom-user-1", "me"),
        ("Jill.Person@Example.com", "me"),
        ("jill.person@example.COM", "me"),
        ("zoom-user-2", "zoom-user-2"),
        ("ZOOM-USER-1", "ZOOM-USER-1"),
        ("ill.person@example.com", "ill.person@example.com"),
        ("a@example.com", "a@example.com"),
    ],
)
@pytest.mark.parametrize("operation", OF_A_USER, ids=lambda each: each.name)
def test_a_users_own_id_or_address_becomes_me(operation: Operation, user: str, sent: str) -> None:
    """On every path that takes a user. Other users stay: whether a token may act for them is Zoom's to say."""
    assert addressed(connection(own_email=OWN), operation, {"userId": user}) == {"userId": sent}


def test_an_address_stays_where_none_is_known() -> None:
    """Connections that were linked before the digest was kept send what the caller wrote."""
    ids = {"userId": "jill.person@example.com"}
    assert addressed(connection(own_email=None), OF_A_USER[0], ids) == ids


@pytest.mark.parametrize("kind", [Kind.USER, Kind.ACCOUNT])
def test_a_member_of_a_group_stays(kind: Kind) -> None:
    """Zoom knows `me` where a path begins with a user only."""
    (operation,) = (each for each in operations() if each.name == "groups.admins.delete")
    for user in ("zoom-user-1", "me"):
        ids = {"groupId": "g", "userId": user}
        assert addressed(connection(kind=kind, own_email=OWN), operation, ids) == ids


def test_other_ids_stay() -> None:
    """Only users are addressed as `me`."""
    assert addressed(connection(zoom_user_id=None), GET_MEETING, {"meetingId": "me"}) == {"meetingId": "me"}


def test_no_address_is_kept_in_clear_and_no_two_digests_are_equal() -> None:
    """The digest is keyed for each connection, and tells nobody which connections share an address."""
    again = email_digest("jill.person@example.com")
    assert again != OWN
    assert b"jill" not in OWN.lower()
    assert is_own_user(connection(own_email=again), "JILL.person@example.com")


@pytest.mark.parametrize("operation", [*OF_A_USER, *ABOUT_ME], ids=lambda each: each.name)
def test_an_account_has_no_me(operation: Operation) -> None:
    """On no path; the caller is told what to send instead."""
    account = connection(kind=Kind.ACCOUNT, zoom_user_id=None)
    with pytest.raises(InvalidRequest) as refusal:
        addressed(account, operation, {"userId": "me"} if "{userId}" in operation.path else {})
    assert [each.field for each in refusal.value.fields] == ["userId"]
    assert ("type=zak" in refusal.value.fields[0].message) == (operation.name == "users.zak")


def test_an_account_names_users() -> None:
    """An account-level connection names users by id or e-mail address, as at Zoom."""
    account = connection(kind=Kind.ACCOUNT, zoom_user_id=None)
    assert addressed(account, OF_A_USER[0], {"userId": "zoom-user-2"}) == {"userId": "zoom-user-2"}
    assert addressed(account, GET_MEETING, {"meetingId": "1"}) == {"meetingId": "1"}


@pytest.mark.parametrize(
    ("api_url", "base"),
    [
        ("https://api-eu.zoom.us", "https://api-eu.zoom.us/v2"),
        ("https://api-eu.zoom.us/", "https://api-eu.zoom.us/v2"),
        ("https://API-US.zoom.us/v2", "https://api-us.zoom.us/v2"),
        ("https://acme.zoom.us:443", "https://acme.zoom.us:443/v2"),
        ("https://api.zoomgov.com", "https://api.zoomgov.com/v2"),
        (None, ZOOM),
        ("", ZOOM),
        ("http://api.zoom.us", ZOOM),
        ("https://zoom.us.example.com", ZOOM),
        ("https://notzoom.us", ZOOM),
        ("https://api.zoom.us@example.com", ZOOM),
        ("https://example.com\\.zoom.us", ZOOM),
        ("https://example.com#.zoom.us", ZOOM),
        ("https://example.com?.zoom.us", ZOOM),
        ("https://api.zoom.us:8443", ZOOM),
        ("https://api.zoom.us:port", ZOOM),
        ("https://api.zoom.us/v2/../oauth", ZOOM),
        ("https://[::1].zoom.us", ZOOM),
        ("api.zoom.us", ZOOM),
    ],
)
def test_a_token_goes_to_zooms_hosts_only(api_url: str | None, base: str) -> None:
    """Whatever a token response says."""
    assert base_url(api_url, ZOOM) == base


@pytest.mark.parametrize("api_url", ["http://localhost:3001", "https://api-eu.zoom.us", "http://localhost:3002", None])
def test_a_configured_stand_in_gets_everything(api_url: str | None) -> None:
    """With a simulation in Zoom's place, no call leaves it."""
    assert base_url(api_url, SIMULATED) == SIMULATED
