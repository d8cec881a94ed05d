"""Whom and where a call addresses."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import connection
from zoom_common.connections.model import Kind
from zoom_common.errors import InvalidRequest
from zoom_common.gateway.context import addressed, base_url

ZOOM = "https://api.zoom.us/v2"
SIMULATED = "http://localhost:3001/v2"


@pytest.mark.parametrize(
    ("user", "sent"), [("me", "me"), ("zoom-user-1", "me"), ("zoom-user-2", "zoom-user-2"), ("a@example.com",) * 2]
)
def test_a_users_own_id_becomes_me(user: str, sent: str) -> None:
    """A user-level token speaks of its user as `me`; whether it may act for others is Zoom's to say."""
    assert addressed(connection(), {"userId": user}) == {"userId": sent}


def test_other_ids_stay() -> None:
    """Only users are addressed as `me`."""
    assert addressed(connection(zoom_user_id=None), {"meetingId": "me"}) == {"meetingId": "me"}


def test_an_account_has_no_me() -> None:
    """The caller is told what to send instead."""
    account = connection(kind=Kind.ACCOUNT, zoom_user_id=None)
    assert addressed(account, {"userId": "zoom-user-2"}) == {"userId": "zoom-user-2"}
    with pytest.raises(InvalidRequest) as refusal:
        addressed(account, {"userId": "me"})
    assert [each.field for each in refusal.value.fields] == ["userId"]


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
