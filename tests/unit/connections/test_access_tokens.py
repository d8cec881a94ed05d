"""Access tokens for calls to Zoom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.connections import START, World
from zoom_common.connections.access_tokens import AccessTokens, reconnect_url
from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.deadline import Deadline
from zoom_common.errors import ConnectionUnusable, NotFound, Unavailable, ZoomUnavailable
from zoom_common.secret import Secret

DEADLINE = Deadline.after(28, clock=lambda: 0.0)


class Function(World):
    """An API function beside the vault; `token_refresh` is called directly. `away` makes it fail."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**({"access_expires_at": START + 3000} | changes))
        self.away = False
        self.asked: list[float] = []
        self.touched = 0
        self.reported: list[int] = []
        self.cleared: list[int] = []
        self.tokens = AccessTokens(
            self.memory,
            self.cipher,
            self,
            reconnect_url=lambda each: f"https://connect.example/?connection={each}",
            clock=self.clock,
            chance=lambda: 0.5,
            capacity=2,
        )

    def refresh(self, connection: Connection, *, wait: float) -> Outcome:
        self.asked.append(wait)
        if self.away:
            raise Unavailable(reason="token_refresh_unavailable")
        return self.on_demand(seen_version=connection.version, wait=wait).outcome

    def touch(self, connection: Connection) -> None:
        assert connection.connection_id == "con_1"
        self.touched += 1
        if self.away:
            raise Unavailable(reason="token_refresh_unavailable")

    def refused(self, connection: Connection) -> None:
        self.reported.append(connection.version)
        if self.away:
            raise Unavailable(reason="token_refresh_unavailable")
        self.refresher.refused("acme", "con_1", version=connection.version)

    def accepted(self, connection: Connection) -> None:
        self.cleared.append(connection.version)
        if self.away:
            raise Unavailable(reason="token_refresh_unavailable")
        self.refresher.accepted("acme", "con_1", version=connection.version)

    def call(self, *, refuses: bool) -> str:
        """One call as the gateway makes it; what the caller is told. Zoom refuses every token, or takes the new one."""
        seen = self.item
        self.tokens.token(seen, DEADLINE)
        fresh = self.tokens.after_rejection(seen, DEADLINE)
        if fresh is None:
            return "401"
        if refuses:
            self.tokens.rejected_again(seen, fresh)
        return "401 again" if refuses else fresh.reveal()

    def token(self) -> str:
        return self.tokens.token(self.item, DEADLINE).reveal()


def test_a_hundred_calls_open_one_seal() -> None:
    """The opened token is kept by connection and version."""
    function = Function()
    assert {function.token() for _ in range(100)} == {"access-0"}
    assert function.kms.decrypts == 1
    assert function.asked == []


def test_the_cache_is_bounded_and_by_version() -> None:
    """A new version is opened anew, and old ones make room."""
    function = Function()
    for version in range(5):
        function.change(version=version)
        function.token()
    assert function.kms.decrypts == 5
    assert len(function.tokens._opened) == 2


def test_an_ended_token_is_refreshed_within_the_deadline() -> None:
    """`token_refresh` gets the remaining wait, and the new version is read afterwards."""
    function = Function(access_expires_at=START - 1)
    assert function.token() == "access-1"
    assert function.asked == [27.0]
    assert function.token() == "access-1"
    assert len(function.asked) == 1


def test_a_warm_token_is_never_used_past_its_end() -> None:
    """The clock decides, not the cache."""
    function = Function()
    function.token()
    function.clock.now = function.item.access_expires_at
    assert function.token() == "access-1"


def test_inside_the_margin_the_old_token_is_the_fallback() -> None:
    """A refresh that fails is no reason to fail a call while the token lives."""
    function = Function(access_expires_at=START + 200)
    function.away = True
    assert function.token() == "access-0"
    assert len(function.asked) == 1


@pytest.mark.parametrize(
    "change", [{"lease_owner": "other", "lease_expires_at": START + 50}, {"cool_until": START + 50}]
)
def test_inside_the_margin_nobody_is_asked_twice(change: dict[str, Any]) -> None:
    """While somebody is at it, or the connection rests, the living token is used without asking."""
    function = Function(access_expires_at=START + 200, **change)
    assert function.token() == "access-0"
    assert function.asked == []


def test_no_token_at_all() -> None:
    """The error names the state and reason of the connection."""
    function = Function(access_expires_at=START - 1)
    function.away = True
    with pytest.raises(Unavailable):
        function.token()
    function.away = False
    function.zoom.faults = ["never_sent"]
    with pytest.raises(ZoomUnavailable) as failing:
        function.token()
    # Whoever comes back earlier than the cool-down ends finds the same.
    assert failing.value.headers == {"retry-after": str(int(function.item.cool_until - START))}


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (State.PENDING, ConnectionUnusable),
        (State.REAUTHORIZATION_REQUIRED, ConnectionUnusable),
        (State.DISCONNECTED, NotFound),
    ],
)
def test_a_warm_token_is_useless_in_other_states(state: State, error: type[Exception]) -> None:
    """The state that was just read counts, however warm the token is."""
    function = Function()
    function.token()
    function.change(state=state)
    with pytest.raises(error):
        function.token()


def test_the_person_learns_where_to_reconnect() -> None:
    """State, reason and link travel with the error."""
    function = Function(state=State.REAUTHORIZATION_REQUIRED, reason="superseded")
    with pytest.raises(ConnectionUnusable) as error:
        function.token()
    assert (error.value.state, error.value.reason) == ("reauthorization_required", "superseded")
    assert error.value.reconnect_url == "https://connect.example/?connection=con_1"


def test_a_refused_token_is_refreshed_once() -> None:
    """Zoom's 401: refresh, unless the version has moved since."""
    function = Function()
    seen = function.item
    for _ in range(2):
        fresh = function.tokens.after_rejection(seen, DEADLINE)
        assert fresh is not None
        assert fresh.reveal() == "access-1"
    assert len(function.asked) == 1


def test_a_refused_token_is_never_handed_out_again() -> None:
    """When nothing newer comes of it, the call fails."""
    function = Function()
    function.away = True
    with pytest.raises(Unavailable):
        function.tokens.after_rejection(function.item, DEADLINE)


def test_a_new_token_that_is_refused_is_not_replaced_at_once() -> None:
    """A refresh for each call would find the same, and cost Zoom's patience: for two minutes its 401 is the answer."""
    function = Function()
    assert [function.call(refuses=True) for _ in range(20)] == ["401 again", *["401"] * 19]
    assert (len(function.zoom.requests), function.reported) == (1, [2])
    function.clock.sleep(121)
    assert function.call(refuses=True) == "401 again"
    assert (len(function.zoom.requests), function.item.refusals) == (2, 2)


def test_tokens_refused_in_a_row_end_the_connection() -> None:
    """Over ten minutes, several pairs, each refused when it was new: only the person can help, and is asked."""
    function = Function()
    began, answers = function.clock.now, []
    while function.item.state is State.CONNECTED:
        answers.append(function.call(refuses=True))
        function.clock.sleep(30)
    assert (function.item.state, function.item.reason) == (State.REAUTHORIZATION_REQUIRED, "tokens_refused")
    assert 600 <= function.clock.now - began <= 800
    assert len(function.zoom.requests) <= 7
    assert [each["state"] for each in function.published] == ["reauthorization_required"]
    assert function.item.due_at == pytest.approx(function.item.state_changed_at + 900, abs=60)  # tried again then
    with pytest.raises(ConnectionUnusable):
        function.token()


def test_a_hiccup_of_zooms_api_ends_no_connection() -> None:
    """Many refusals in a minute are one fault of Zoom's; a token that serves in between starts the row anew."""
    function = Function()
    for _ in range(60):
        function.call(refuses=True)
        function.clock.sleep(1)
    for refuses in (False, True, False, True, False):
        function.clock.sleep(400)
        function.call(refuses=refuses)
    assert (function.item.state, function.item.refusals) == (State.CONNECTED, 1)


def test_a_refusal_is_noted_once_and_of_the_current_version_only() -> None:
    """Twenty callers who met it, and one who speaks of a token long gone."""
    function = Function()
    for version in (1, 1, 0):
        assert not function.refresher.refused("acme", "con_1", version=version)
    assert (function.item.refused_version, function.item.refusals) == (1, 1)
    assert not function.refresher.refused("acme", "unknown", version=1)
    function.change(refused_version=0)
    function.away = True
    function.tokens.rejected_again(function.item, Secret("access-0"))  # noting it fails: no reason to fail otherwise
    assert function.reported == [1]


def test_a_refusal_says_nothing_about_a_version_that_was_written_since() -> None:
    """The schedule has refreshed between the answer and the report."""
    function = Function()
    refused = function.tokens.token(function.item, DEADLINE)
    function.on_demand()
    function.tokens.rejected_again(function.item, refused)
    assert function.reported == []


def test_a_success_breaks_a_rejection_streak() -> None:
    """Two refused pairs, then a call that is served: the next refusal is the first again."""
    function = Function()
    for _ in range(2):
        function.call(refuses=True)
        function.clock.sleep(400)
    assert function.item.refusals == 2
    function.tokens.accepted(function.item)
    assert (function.item.refusals, function.item.refused_version) == (0, 0)
    function.call(refuses=True)
    assert (function.item.refusals, function.item.state) == (1, State.CONNECTED)


def test_a_success_is_reported_once_a_minute() -> None:
    """Many calls that are served make one report; failing to make it fails nothing."""
    function = Function(refused_version=1, refusals=2)
    function.away = True
    for _ in range(5):
        function.tokens.accepted(function.item)
    assert function.cleared == [1]
    function.away = False
    function.clock.sleep(61)
    function.tokens.accepted(function.item)
    assert (function.cleared, function.item.refusals) == ([1, 1], 0)


def test_an_older_token_says_nothing_about_a_newer_one() -> None:
    """Zoom accepted version 1; version 2 was refused after that: its streak stays."""
    function = Function(version=3, refused_version=2, refusals=2)
    assert not function.refresher.accepted("acme", "con_1", version=1)
    assert not function.refresher.accepted("acme", "unknown", version=3)
    assert function.item.refusals == 2
    assert function.refresher.accepted("acme", "con_1", version=3)
    assert not function.refresher.accepted("acme", "con_1", version=3)


def test_a_grant_that_ended_shows_at_once() -> None:
    """The refusal was the grant's end: the caller gets the state, not a retry."""
    function = Function()
    function.zoom.live = set()
    with pytest.raises(ConnectionUnusable):
        function.tokens.after_rejection(function.item, DEADLINE)
    function.memory.items.clear()
    with pytest.raises(NotFound):
        function.tokens.after_rejection(World().item, DEADLINE)


def test_a_seal_that_does_not_open() -> None:
    """Ours to look into, and nothing the caller could do."""
    function = Function(sealed_access=b"\x01\x00\x00")
    with pytest.raises(Unavailable):
        function.token()


def test_use_is_noted_once_an_hour() -> None:
    """Calls keep a connection warm without a write for each; failing to note it fails nothing."""
    function = Function(last_used_at=START - 4000)
    function.away = True
    for _ in range(10):
        function.token()
    assert function.touched == 1
    function = Function(last_used_at=START - 60)
    function.token()
    assert function.touched == 0


def test_touching_makes_a_dormant_connection_active() -> None:
    """It is due before its access token ends, no longer weeks ahead."""
    world = World(access_expires_at=START + 3000, due_at=START + 9e6)
    assert world.refresher.touch("acme", "con_1")
    assert world.item.last_used_at == START
    assert (world.item.due_at or 0) < START + 3000
    assert not world.refresher.touch("acme", "con_gone")


def test_where_to_reconnect() -> None:
    """The company's page, where there is one."""

    @dataclass
    class Pages:
        public_base_url: str = "https://gw.example"
        connect_page_url: str = ""

    assert reconnect_url(Pages(), "con_1") == "https://gw.example/connections/con_1/reconnect"
    assert reconnect_url(Pages(connect_page_url="https://a.b/c?d=e"), "con_1") == "https://a.b/c?d=e&connection=con_1"
