"""The context of one call."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import Time, connection, principal
from zoom_common.gateway.context import Call
from zoom_common.zoom.operations.table import match


@pytest.mark.parametrize(
    ("target", "name", "ids", "query_string"),
    [
        ("/v2/meetings/1", "meetings.get", {"meetingId": "1"}, ""),
        (
            "/v2/users/me/meetings?type=live&page_size=300",
            "meetings.list",
            {"userId": "me"},
            "type=live&page_size=300",
        ),
        ("/v2/users/me/token?next=a?b", "users.token", {"userId": "me"}, "next=a?b"),
    ],
)
def test_a_read_names_its_operation_by_path(target: str, name: str, ids: dict[str, str], query_string: str) -> None:
    """The first question mark of a target ends the path, and the query string stays encoded."""
    call = Call.read(target, principal(), Time().deadline())
    assert (call.operation.name, call.ids, call.query_string) == (name, ids, query_string)
    assert (call.headers, call.body) == ({}, b"")


def test_a_call_names_its_operation_in_its_statistics() -> None:
    """So the log line of a call that fails early has function, operation and label too."""
    stats = Call.read("/v2/meetings/1", principal(), Time().deadline()).stats
    assert (stats.function, stats.operation, stats.label) == ("meetings", "meetings.get", "Light")


def test_a_derived_read_shares_everything_but_request_and_statistics() -> None:
    """It goes over the same connection, within the same deadline, and its parent's statistics list it as a child."""
    headers = {"x-zoom-priority": "interactive"}
    operation, ids = match("POST", "/v2/users/me/meetings")
    parent = Call(
        principal=principal(), operation=operation, ids=ids, headers=headers, body=b"{}", deadline=Time().deadline()
    )
    parent.bind(connection())
    child = parent.derived(match("GET", "/v2/users/me/meetings")[0], ids, "type=scheduled")
    assert (child.connection, child.principal, child.deadline) == (parent.connection, parent.principal, parent.deadline)
    assert (child.query_string, child.body, child.cost().interactive) == ("type=scheduled", b"", True)
    assert parent.stats.children == [child.stats]
    assert (child.stats.operation, child.stats.connection) == ("meetings.list", "con_1")


def test_repr_shows_no_personal_data() -> None:
    """A path has e-mail addresses, a body has names, headers have keys."""
    operation, ids = match("POST", "/v2/users/jill@zoom.example/meetings")
    call = Call(
        principal=principal(),
        operation=operation,
        ids=ids,
        query_string="email=jill@zoom.example",
        headers={"idempotency-key": "jill"},
        body=b'{"topic":"jill"}',
        deadline=Time().deadline(),
    )
    assert "jill" not in repr(call)
