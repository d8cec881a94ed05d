"""Rate limits."""

from __future__ import annotations

import pytest

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.errors import ZoomError
from zoom_simulator.limits import Limits
from zoom_simulator.testing import Zoom


def spend(limits: Limits, label: str, now: float, times: int, plan: str = "pro") -> int:
    """How many of `times` requests go through."""
    went = 0
    for _ in range(times):
        try:
            limits.take("account", plan, label, now)
        except ZoomError:
            continue
        went += 1
    return went


@pytest.mark.parametrize(
    ("plan", "label", "allowed"),
    [
        ("free", "Light", 4), ("free", "Medium", 2), ("free", "Heavy", 1), ("pro", "Light", 30), ("pro", "Medium", 20),
        ("pro", "Heavy", 10), ("business", "Light", 80), ("business", "Medium", 60), ("business", "Heavy", 40),
        ("pro", "Resource-intensive", 10), ("business", "Resource-intensive", 20),
    ],
)  # fmt: skip
def test_allowances_by_plan_and_label(plan: str, label: str, allowed: int) -> None:
    """Allowances are per second, and per minute for resource-intensive operations."""
    assert spend(Limits(Behaviour()), label, 1000.0, 100, plan) == allowed


def test_labels_have_budgets_of_their_own() -> None:
    """A spent one leaves the others alone."""
    limits = Limits(Behaviour())
    spend(limits, "Light", 1000.0, 100)
    assert spend(limits, "Medium", 1000.0, 1) == 1


def test_fixed_windows_start_anew_with_the_second() -> None:
    """With fixed windows, twice the allowance fits around the start of a second."""
    limits = Limits(Behaviour(limit_window="fixed"))
    assert spend(limits, "Light", 1000.9, 100) + spend(limits, "Light", 1001.0, 100) == 60


def test_sliding_windows_do_not() -> None:
    """The last second counts, wherever it began."""
    limits = Limits(Behaviour(limit_window="sliding"))
    assert spend(limits, "Light", 1000.9, 100) + spend(limits, "Light", 1001.0, 100) == 30
    assert spend(limits, "Light", 1001.9, 100) == 30


def test_heavy_and_resource_intensive_share_a_day() -> None:
    """Both labels together have 30,000 calls a day on Pro."""
    limits = Limits(Behaviour(limit_scale=0.001))  # 30 a day
    went = sum(spend(limits, "Heavy", 86_400.0 + second, 1) for second in range(20))
    went += sum(spend(limits, "Resource-intensive", 86_400.0 + 60 * minute, 1) for minute in range(1, 20))
    assert went == 30


def test_a_new_day_has_a_new_budget() -> None:
    """The daily budget starts again at midnight UTC."""
    limits = Limits(Behaviour(limit_scale=0.001))
    assert sum(spend(limits, "Light", 3 * 86_400 - 100 + second, 1, "free") for second in range(200)) == 12


def refusal(plan: str, label: str, **behaviour: object) -> ZoomError:
    """The refusal of the first request over the limit."""
    switches = Behaviour()
    switches.change(behaviour)
    limits = Limits(switches)
    noon = 86_400.0 * 7 + 43_200
    spend(limits, label, noon, 200, plan)
    with pytest.raises(ZoomError) as found:
        limits.take("account", plan, label, noon)
    return found.value


def test_the_refusal_of_a_second_has_no_retry_after() -> None:
    """429, its message, and the headers of old; when to come back is not said."""
    found = refusal("pro", "Light")
    assert (found.status, found.code) == (429, 429)
    assert found.template.startswith("You have reached the maximum per-second rate limit")
    assert found.headers == {
        "X-RateLimit-Category": "Light",
        "X-RateLimit-Type": "QPS",
        "X-RateLimit-Limit": "30",
        "X-RateLimit-Remaining": "0",
    }


def test_the_code_that_the_contract_prints() -> None:
    """A switch makes the code the contract's 4001."""
    assert refusal("pro", "Light", per_second_code=4001).code == 4001


def test_the_refusal_of_a_day_says_when_in_iso() -> None:
    """`Retry-After` of a daily limit is an ISO time and not a number of seconds."""
    limits = Limits(Behaviour(limit_scale=0.001))
    for second in range(2):
        limits.take("account", "free", "Medium", 86_400.0 * 7 + second)
    with pytest.raises(ZoomError) as found:
        limits.take("account", "free", "Medium", 86_400.0 * 7 + 2)
    assert found.value.headers["Retry-After"] == "1970-01-09T00:00:00Z"
    assert found.value.headers["X-RateLimit-Type"] == "Daily-limit"


@pytest.mark.parametrize(
    ("style", "value"),
    [
        ("seconds", "1"), ("iso", "1970-01-08T12:00:01Z"), ("http-date", "Thu, 08 Jan 1970 12:00:01 GMT"),
        ("none", None), ("zoom", None),
    ],
)  # fmt: skip
def test_every_style_of_retry_after(style: str, value: str | None) -> None:
    """A switch chooses the form of `Retry-After`."""
    assert refusal("pro", "Light", retry_after=style).headers.get("Retry-After") == value


@pytest.mark.parametrize(("style", "count"), [("none", 0), ("category", 1), ("full", 4)])
def test_headers_of_good_answers(style: str, count: int) -> None:
    """2026 shows the category only."""
    headers = Limits(Behaviour(limit_headers=style)).take("a", "pro", "Light", 0.0)  # type: ignore[arg-type]
    assert len(headers) == count


def test_over_http() -> None:
    """Refusals come with Zoom's body and headers, per account, for all its tokens."""
    zoom = Zoom(enforce_limits=True)
    zoom.connect()
    codes = [zoom.get("/v2/users/me").status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]
    zoom.connect("owner@zoom.example")
    refused = zoom.get("/v2/users/me")
    assert refused.status_code == 429
    assert refused.headers["x-ratelimit-category"] == "Light"
    assert "retry-after" not in refused.headers
    zoom.wall.now += 1
    good = zoom.get("/v2/users/me")
    assert good.headers["x-ratelimit-category"] == "Light"
    assert "x-ratelimit-limit" not in good.headers


def test_a_user_has_a_hundred_creates_and_updates_a_day() -> None:
    """Meetings and webinars count together until midnight UTC; the 429 has no Retry-After and other numbers."""
    zoom = Zoom(enforce_limits=True, user_daily_limit=3)
    zoom.connect()
    meeting = zoom.meeting()["id"]
    zoom.webinar()
    assert zoom.patch(f"/v2/meetings/{meeting}", {"topic": "x"}).status_code == 204
    refused = zoom.post("/v2/users/me/meetings", {"topic": "y"})
    assert refused.status_code == 429
    assert refused.json()["message"].startswith("You have exceeded the daily rate limit (3) of Meeting Create/Update")
    assert "retry-after" not in refused.headers
    assert (refused.headers["x-ratelimit-limit"], refused.headers["x-ratelimit-remaining"]) == ("6000", "5893")
    assert zoom.delete(f"/v2/meetings/{meeting}").status_code == 204
    zoom.wall.now += 86_400
    zoom.connect()
    zoom.meeting()


def test_deletes_count_where_older_documentation_says_so() -> None:
    """A switch counts deletes too, as older documentation says."""
    zoom = Zoom(enforce_limits=True, user_daily_limit=1, user_limit_counts_deletes=True)
    zoom.connect()
    meeting = zoom.meeting()["id"]
    assert zoom.delete(f"/v2/meetings/{meeting}").status_code == 429


def test_registering_has_limits_of_its_own() -> None:
    """A registrant can register three times a day for one meeting."""
    zoom = Zoom(enforce_limits=True)
    zoom.connect()
    meeting = zoom.meeting(settings={"approval_type": 0})["id"]
    person = {"email": "a@b.example", "first_name": "A"}
    codes = [zoom.post(f"/v2/meetings/{meeting}/registrants", person).status_code for _ in range(4)]
    assert codes == [201, 201, 201, 429]


def test_limits_can_be_reset() -> None:
    """Limits can be reset, for the next test of a suite."""
    zoom = Zoom(enforce_limits=True, user_daily_limit=1)
    zoom.connect()
    zoom.meeting()
    zoom.delete("/_sim/limits")
    zoom.meeting()
