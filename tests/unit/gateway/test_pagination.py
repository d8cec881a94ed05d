"""Lists in pages and months, answered as one."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import pytest

from zoom_common.deadline import Deadline
from zoom_common.errors import GatewayError, InvalidRequest, TooManyRequests, Unavailable, ZoomRefused
from zoom_common.gateway import pagination
from zoom_common.gateway.service import Answer
from zoom_common.zoom.operations.table import match

MEETINGS = match("GET", "/v2/users/me/meetings")[0]
WEBINARS = match("GET", "/v2/users/me/webinars")[0]
RECORDINGS = match("GET", "/v2/users/me/recordings")[0]
HOSTS = match("GET", "/v2/report/users")[0]
SUMMARIES = match("GET", "/v2/meetings/meeting_summaries")[0]
PEOPLE = match("GET", "/v2/users")[0]
STORAGE = match("GET", "/v2/report/cloud_recording")[0]
INVITATION = match("GET", "/v2/meetings/1/invitation")[0]


@dataclass
class Zoom:
    """Plays its pages in order and keeps what it was asked."""

    script: list[dict[str, Any] | GatewayError]
    asked: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 28.0
    takes: float = 0.0
    waits: list[int] = field(default_factory=list)

    def fetch(self, query: str) -> Answer:
        self.asked.append(dict(parse_qsl(query)))
        self.seconds -= self.takes
        page = self.script.pop(0)
        if isinstance(page, GatewayError):
            raise page
        waited = {"x-zoom-waited-ms": str(self.waits.pop(0))} if self.waits else {}
        return Answer(200, {"etag": '"1"', "x-ratelimit-category": "Medium", **waited}, json.dumps(page).encode())

    def deadline(self) -> Deadline:
        return Deadline(0.0, lambda: -self.seconds)


def body(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    return found


def test_only_lists_are_walked() -> None:
    """Everything else is one call, byte for byte."""
    assert pagination.is_paginated(MEETINGS, "all=true")
    assert not pagination.is_paginated(MEETINGS, "all=false&page_size=30&next_page_token=abc")
    assert not pagination.is_paginated(INVITATION, "all=true")
    assert not pagination.is_paginated(RECORDINGS, "from=2030-01-01&to=2030-01-31")
    assert pagination.is_paginated(RECORDINGS, "from=2030-01-01&to=2030-02-01")


def test_all_pages_become_one_list() -> None:
    """By page token, with pages as large as Zoom has them, and all entries as they were."""
    big = 2**60 + 1
    zoom = Zoom(
        [
            {"page_size": 300, "total_records": 3, "next_page_token": "t1", "meetings": [{"id": big}, {"id": 2}]},
            {"page_size": 300, "total_records": 3, "next_page_token": "", "meetings": [{"topic": "Größe"}]},
        ]
    )
    answer = pagination.walk(MEETINGS, "all=true&type=upcoming", zoom.fetch, zoom.deadline())
    assert zoom.asked == [
        {"type": "upcoming", "page_size": "300"},
        {"type": "upcoming", "page_size": "300", "next_page_token": "t1"},
    ]
    assert body(answer) == {
        "page_size": 3,
        "total_records": 3,
        "next_page_token": "",
        "meetings": [{"id": big}, {"id": 2}, {"topic": "Größe"}],
    }
    assert "etag" not in answer.headers


def test_the_wait_is_that_of_all_pages() -> None:
    """Those that did not wait say nothing of it."""
    script: list[Any] = [{"meetings": [], "next_page_token": str(page)} for page in range(2)] + [{"meetings": []}]
    zoom = Zoom(script, waits=[30, 400])
    answer = pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline())
    assert answer.headers["x-zoom-waited-ms"] == "430"
    assert len(zoom.asked) == 3


def test_page_numbers_are_walked_where_there_is_no_token() -> None:
    """Webinars are listed by number."""
    zoom = Zoom(
        [
            {"page_count": 2, "page_number": 1, "page_size": 1, "webinars": [{"id": 1}]},
            {"page_count": 2, "page_number": 2, "page_size": 1, "webinars": [{"id": 2}]},
        ]
    )
    answer = pagination.walk(WEBINARS, "all=true&page_size=1", zoom.fetch, zoom.deadline())
    assert [each.get("page_number") for each in zoom.asked] == [None, "2"]
    assert body(answer) == {
        "page_count": 1,
        "page_size": 2,
        "webinars": [{"id": 1}, {"id": 2}],
        "next_page_token": "",
    }


def test_a_walk_stops_in_time_and_can_be_resumed() -> None:
    """The token leads to where it stopped."""
    zoom = Zoom([{"next_page_token": f"t{n}", "meetings": [n]} for n in range(1, 9)], takes=10.0)
    first = body(pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline()))
    assert first["meetings"] == [1, 2, 3]
    zoom.seconds = 28.0
    token = first["next_page_token"]
    second = body(pagination.walk(MEETINGS, f"all=true&next_page_token={token}", zoom.fetch, zoom.deadline()))
    assert second["meetings"] == [4, 5, 6]
    assert zoom.asked[3]["next_page_token"] == "t3"


@pytest.mark.parametrize("reason", ["quota", "zoom"])
def test_a_walk_that_runs_out_of_quota_keeps_what_it_has(reason: str) -> None:
    """Whoever's limit it was; the answer says why it stopped."""
    limit = {
        "quota": TooManyRequests(3),
        "zoom": ZoomRefused(429, b"{}", zoom_code=429, reason="zoom_rate_limited", retryable=True),
    }[reason]
    zoom = Zoom([{"next_page_token": "t1", "meetings": [1]}, limit])
    answer = pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline())
    assert body(answer)["meetings"] == [1]
    assert answer.headers["x-gateway-stopped-by"] in {"rate_limited", "zoom_rate_limited"}
    zoom.script = [{"next_page_token": "", "meetings": [2]}]
    token = body(answer)["next_page_token"]
    assert body(pagination.walk(MEETINGS, f"next_page_token={token}", zoom.fetch, zoom.deadline()))["meetings"] == [2]


@pytest.mark.parametrize("at", [0, 1])
def test_a_refusal_is_a_refusal(at: int) -> None:
    """On the first page anything is, later what no waiting helps."""
    refusal = ZoomRefused(400, b"{}", zoom_code=300, reason="zoom_found_invalid")
    zoom = Zoom([*[{"next_page_token": "t1", "meetings": [1]}][:at], refusal])
    with pytest.raises(ZoomRefused):
        pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline())


def test_a_long_span_is_asked_for_month_by_month() -> None:
    """Also without `all`: each page token says in which month it is, and clients that follow tokens see it all."""
    query = "from=2030-01-15&to=2030-03-20&page_size=2"
    zoom = Zoom(
        [
            {"from": "2030-01-15", "to": "2030-02-14", "next_page_token": "a", "meetings": [1, 2]},
            {"from": "2030-01-15", "to": "2030-02-14", "next_page_token": "", "meetings": [3]},
            {"from": "2030-02-15", "to": "2030-03-14", "next_page_token": "", "meetings": []},
            {"from": "2030-03-15", "to": "2030-03-20", "next_page_token": "", "meetings": [4]},
        ]
    )
    found, token = [], ""
    while True:
        more = f"&next_page_token={token}" if token else ""
        page = body(pagination.walk(RECORDINGS, query + more, zoom.fetch, zoom.deadline()))
        found += page["meetings"]
        assert (page["from"], page["to"]) == ("2030-01-15", "2030-03-20")
        token = page["next_page_token"]
        if not token:
            break
    assert found == [1, 2, 3, 4]
    spans = [(each["from"], each["to"]) for each in zoom.asked]
    assert spans == [
        ("2030-01-15", "2030-02-14"),
        ("2030-01-15", "2030-02-14"),
        ("2030-02-15", "2030-03-14"),
        ("2030-03-15", "2030-03-20"),
    ]


def test_a_token_alone_leads_on() -> None:
    """Some clients send nothing else for the next page."""
    zoom = Zoom([{"next_page_token": "", "meetings": [1]}, {"next_page_token": "", "meetings": [2]}])
    token = body(pagination.walk(RECORDINGS, "from=2030-01-01&to=2030-02-10", zoom.fetch, zoom.deadline()))[
        "next_page_token"
    ]
    assert body(pagination.walk(RECORDINGS, f"next_page_token={token}", zoom.fetch, zoom.deadline()))["meetings"] == [2]
    assert zoom.asked[1] == {"from": "2030-02-01", "to": "2030-02-10"}


def test_all_months_become_one_list() -> None:
    """Totals add up, once for each month."""
    zoom = Zoom(
        [
            {"total_meetings": 5, "next_page_token": "a", "users": [1]},
            {"total_meetings": 5, "next_page_token": "", "users": [2]},
            {"total_meetings": 7, "next_page_token": "", "users": [3]},
        ]
    )
    whole = body(pagination.walk(HOSTS, "all=true&from=2030-01-31&to=2030-03-27", zoom.fetch, zoom.deadline()))
    assert (whole["users"], whole["total_meetings"]) == ([1, 2, 3], 12)
    assert [each["to"] for each in zoom.asked] == ["2030-02-27", "2030-02-27", "2030-03-27"]


def test_a_list_without_pages_is_split_as_well() -> None:
    """And gets no page size that Zoom does not know there."""
    zoom = Zoom([{"cloud_recording_storage": [1]}, {"cloud_recording_storage": [2]}])
    whole = body(pagination.walk(STORAGE, "all=true&from=2030-01-01&to=2030-02-02", zoom.fetch, zoom.deadline()))
    assert whole["cloud_recording_storage"] == [1, 2]
    assert "page_size" not in zoom.asked[0]


FORGED = (
    '["",0,"","",""]',
    '["",1e999,"","","","",""]',
    '["",-1,"","","","",""]',
    '["",true,"","","","",""]',
    '[{},0,"","","","",""]',
    '["\\ud800",0,"","","","",""]',
    '["",0,"2030-01-01","2030-01-31","2030-02-01","2030-01-01",null]',
    '["",0,"2030-01-31","2030-01-01","2030-02-01","",""]',
    '["",0,"2030-01-01","2030-01-31","2030-01-31","",""]',
    '["",0,"2030-01-01","","","",""]',
    '["",0,"x","y","z","",""]',
    "[" * 5000,
)


@pytest.mark.parametrize(
    "token",
    ["igz1.???", "igz1.WzEs", "igz1.bnVsbA", *(f"igz1.{urlsafe_b64encode(raw.encode()).decode()}" for raw in FORGED)],
)
def test_a_wrong_token_is_refused(token: str) -> None:
    """In Zoom's shape, before Zoom is asked: whatever somebody has put into it."""
    zoom = Zoom([])
    with pytest.raises(InvalidRequest):
        pagination.walk(
            RECORDINGS, f"from=2030-01-01&to=2030-03-01&next_page_token={token}", zoom.fetch, zoom.deadline()
        )


@pytest.mark.parametrize("page", [{"meetings": 5}, {"meetings": {"id": 1}}, [], None])
def test_what_is_no_list_is_none(page: Any) -> None:
    """And no fault of ours: the caller may come back."""
    zoom = Zoom([page])
    with pytest.raises(Unavailable) as none:
        pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline())
    assert none.value.reason == "zoom_gave_no_list"


def test_a_walk_does_not_go_in_circles() -> None:
    """A token that brings itself back is an end."""
    zoom = Zoom([{"next_page_token": "t", "meetings": [1]}, {"next_page_token": "t", "meetings": [2]}])
    assert body(pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline()))["next_page_token"] == ""


def test_a_longer_circle_ends_as_well() -> None:
    """Each token is followed once."""
    zoom = Zoom([{"next_page_token": token, "meetings": [index]} for index, token in enumerate(["a", "b", "a"])])
    assert body(pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline()))["meetings"] == [0, 1, 2]


def test_empty_months_are_no_pages() -> None:
    """A caller who goes page by page gets the next one that has entries."""
    zoom = Zoom([{"meetings": []}, {"meetings": []}, {"meetings": [1]}, {"meetings": []}])
    query = "from=2030-01-01&to=2030-04-30"
    first = body(pagination.walk(RECORDINGS, query, zoom.fetch, zoom.deadline()))
    assert (first["meetings"], len(zoom.asked)) == ([1], 3)
    more = f"{query}&next_page_token={first['next_page_token']}"
    last = body(pagination.walk(RECORDINGS, more, zoom.fetch, zoom.deadline()))
    assert (last["meetings"], last["next_page_token"]) == ([], "")


def test_an_empty_page_before_the_end_says_what_stopped_it() -> None:
    """Only the deadline can."""
    zoom = Zoom([{"meetings": []}] * 12, takes=10.0)
    answer = pagination.walk(RECORDINGS, "from=2030-01-01&to=2030-12-31", zoom.fetch, zoom.deadline())
    assert answer.headers["x-gateway-stopped-by"] == "deadline_exceeded"
    assert body(answer)["meetings"] == []
    assert body(answer)["next_page_token"]


def test_an_empty_page_of_zooms_before_the_end_is_read_on() -> None:
    """Also where one call would have been enough: programs take an empty page for the end."""
    empty = b'{"next_page_token":"t","meetings":[]}'
    assert pagination.is_cut(MEETINGS, "", Answer(200, {}, empty))
    zoom = Zoom([json.loads(empty), {"meetings": [1]}])
    assert body(pagination.walk(MEETINGS, "", zoom.fetch, zoom.deadline()))["meetings"] == [1]
    for said in (b'{"next_page_token":"","meetings":[]}', b'{"next_page_token":"t","meetings":[1]}'):
        assert not pagination.is_cut(MEETINGS, "", Answer(200, {}, said))
    assert not pagination.is_cut(INVITATION, "", Answer(200, {}, empty))


def test_days_before_zoom_are_its_first_day() -> None:
    """On their own as well: Zoom would refuse them, or answer other days."""
    assert pagination.is_paginated(RECORDINGS, "from=2011-12-01&to=2011-12-31")
    zoom = Zoom([{"meetings": []}])
    pagination.walk(RECORDINGS, "from=1970-01-01T00:00:00Z&to=2012-01-20", zoom.fetch, zoom.deadline())
    assert [(each["from"], each["to"]) for each in zoom.asked] == [("2012-01-01", "2012-01-20")]


def test_a_limit_before_the_first_entry_is_raised() -> None:
    """An empty page would look like the end."""
    zoom = Zoom([{"meetings": []}, TooManyRequests(3)])
    with pytest.raises(TooManyRequests):
        pagination.walk(RECORDINGS, "from=2030-01-01&to=2030-12-31", zoom.fetch, zoom.deadline())


def test_days_that_zoom_left_out_are_asked_for() -> None:
    """Its answer names the span it answered; what is missing comes next, in the months before."""
    zoom = Zoom(
        [
            {"from": "2030-01-11", "to": "2030-01-31", "total_records": 1, "meetings": [1]},
            {"from": "2030-01-01", "to": "2030-01-10", "total_records": 1, "meetings": [2]},
            {"from": "2030-02-01", "to": "2030-02-05", "total_records": 1, "meetings": [3]},
        ]
    )
    whole = body(pagination.walk(RECORDINGS, "all=true&from=2030-01-01&to=2030-02-05", zoom.fetch, zoom.deadline()))
    assert (whole["meetings"], whole["total_records"], whole["from"]) == ([1, 2, 3], 3, "2030-01-01")
    assert [(each["from"], each["to"]) for each in zoom.asked] == [
        ("2030-01-01", "2030-01-31"),
        ("2030-01-01", "2030-01-10"),
        ("2030-02-01", "2030-02-05"),
    ]


def test_a_month_that_zoom_cut_is_noticed() -> None:
    """Also where one call would have been enough; an answer without days says nothing."""
    query = "from=2030-01-01&to=2030-01-31"
    cut, whole = b'{"from":"2030-01-11","meetings":[]}', b'{"from":"2030-01-01","meetings":[]}'
    assert pagination.is_cut(RECORDINGS, query, Answer(200, {}, cut))
    for said in (whole, b'{"meetings":[]}', b"", b"<html>", b"[]"):
        assert not pagination.is_cut(RECORDINGS, query, Answer(200, {}, said))
    assert not pagination.is_cut(PEOPLE, query, Answer(200, {}, cut))


@pytest.mark.parametrize(
    ("begins", "missing"), [("2030-02-10T12:00:00Z", "2030-02-10"), ("2030-02-10T00:00:00Z", "2030-02-09")]
)
def test_a_list_without_a_stated_limit_that_zoom_cut_is_read_on(begins: str, missing: str) -> None:
    """In the form that the caller uses. Where Zoom began within a day, that day is asked for again."""
    query = "from=2030-01-01T00:00:00Z&to=2030-03-05T10:00:00Z"
    cut = {"from": begins, "to": "2030-03-05T10:00:00Z", "summaries": [{"meeting_uuid": "b"}]}
    assert pagination.is_cut(SUMMARIES, query, Answer(200, {}, json.dumps(cut).encode()))
    assert not pagination.is_paginated(SUMMARIES, query, today=date(2030, 6, 1))
    zoom = Zoom([cut, {"from": "2030-01-01T00:00:00Z", "summaries": [{"meeting_uuid": "a"}]}])
    whole = body(pagination.walk(SUMMARIES, query + "&all=true", zoom.fetch, zoom.deadline(), today=date(2030, 6, 1)))
    assert [each["meeting_uuid"] for each in whole["summaries"]] == ["b", "a"]
    assert zoom.asked[1]["to"] == f"{missing}T23:59:59Z"


def test_totals_of_the_days_that_zoom_kept_are_left_out() -> None:
    """On each page of such days, also on those that end before the cut shows."""
    kept = {"from": "2030-01-02", "to": "2030-01-31", "total_records": 2}
    rest = {"from": "2030-01-01", "to": "2030-01-01", "total_records": 1, "next_page_token": ""}
    zoom = Zoom([{**kept, "next_page_token": "t", "summaries": [{"id": 1}]}])
    zoom.script += [{**kept, "next_page_token": "", "summaries": [{"id": 2}]}, {**rest, "summaries": [{"id": 3}]}]
    query = "from=2030-01-01&to=2030-01-31"
    found: list[dict[str, Any]] = []
    while not found or found[-1]["next_page_token"]:
        token = f"&next_page_token={found[-1]['next_page_token']}" if found else ""
        found.append(body(pagination.walk(SUMMARIES, query + token, zoom.fetch, zoom.deadline())))
    assert [each["summaries"] for each in found] == [[{"id": 1}], [{"id": 2}], [{"id": 3}]]
    assert not any("total_records" in each for each in found)


def test_a_host_is_one_row_where_zoom_cuts_a_month() -> None:
    """Without `all` as well: nobody could add up the rows of two pages."""
    host = {"id": "h", "meetings": 2}
    zoom = Zoom([{"from": "2030-01-02", "to": "2030-01-31", "users": [host]}])
    zoom.script.append({"from": "2030-01-01", "to": "2030-01-01", "users": [host]})
    found = body(pagination.walk(HOSTS, "from=2030-01-01&to=2030-01-31", zoom.fetch, zoom.deadline()))
    assert (found["users"], found["next_page_token"]) == ([{"id": "h", "meetings": 4}], "")


def test_days_after_those_that_zoom_answered_are_asked_for_once_they_have_begun() -> None:
    """Zoom may end a span today, and nothing is missing then."""
    pages = [{"from": "2030-01-01", "to": "2030-01-10", "meetings": [1]}, {"from": "2030-01-11", "meetings": [2]}]
    query = "all=true&from=2030-01-01&to=2030-01-31"
    zoom = Zoom(list(pages))
    past = pagination.walk(RECORDINGS, query, zoom.fetch, zoom.deadline(), today=date(2030, 3, 1))
    assert body(past)["meetings"] == [1, 2]
    zoom = Zoom(list(pages))
    now = pagination.walk(RECORDINGS, query, zoom.fetch, zoom.deadline(), today=date(2030, 1, 10))
    assert body(now)["meetings"] == [1]


def test_the_ends_of_a_span_go_to_zoom_as_they_were_written() -> None:
    """With their times; the days between them are ours."""
    zoom = Zoom([{"meetings": []}, {"meetings": []}])
    query = "all=true&from=2030-01-01T10:00:00Z&to=2030-02-05+08%3A00%3A00%2B00%3A00"
    pagination.walk(RECORDINGS, query, zoom.fetch, zoom.deadline())
    assert [(each["from"], each["to"]) for each in zoom.asked] == [
        ("2030-01-01T10:00:00Z", "2030-01-31"),
        ("2030-02-01", "2030-02-05 08:00:00+00:00"),
    ]


def test_archived_files_are_asked_for_week_by_week() -> None:
    """With times, which Zoom asks for there."""
    archive = match("GET", "/v2/archive_files")[0]
    zoom = Zoom([{"meetings": [{"id": 1}]}, {"meetings": [{"id": 2}]}])
    query = "all=true&from=2030-01-01T08:00:00Z&to=2030-01-10"
    assert len(body(pagination.walk(archive, query, zoom.fetch, zoom.deadline()))["meetings"]) == 2
    assert [(each["from"], each["to"]) for each in zoom.asked] == [
        ("2030-01-01T08:00:00Z", "2030-01-07T23:59:59Z"),
        ("2030-01-08T00:00:00Z", "2030-01-10"),
    ]


def test_a_missing_day_is_the_beginning_or_today() -> None:
    """A required one is for the check of the query to name."""
    today = date(2012, 3, 5)
    zoom = Zoom([{"meetings": [], "from": "2012-01-01", "to": "2012-01-31"}, {"meetings": []}])
    found = pagination.walk(RECORDINGS, "all=true&to=2012-02-03", zoom.fetch, zoom.deadline(), today=today)
    assert (body(found)["from"], body(found)["to"]) == ("2012-01-01", "2012-02-03")
    assert [each["from"] for each in zoom.asked] == ["2012-01-01", "2012-02-01"]
    assert pagination.is_paginated(RECORDINGS, "from=2012-01-01", today=today)
    assert not pagination.is_paginated(RECORDINGS, "from=2012-03-01", today=today)
    assert not pagination.is_paginated(HOSTS, "from=2012-01-01", today=today)


def test_the_trash_is_asked_for_once() -> None:
    """Zoom does not filter it by date."""
    query = "trash=true&from=2030-01-01&to=2030-12-31"
    assert not pagination.is_paginated(RECORDINGS, query)
    zoom = Zoom([{"meetings": [1], "total_records": 1, "next_page_token": ""}])
    assert body(pagination.walk(RECORDINGS, f"all=true&{query}", zoom.fetch, zoom.deadline()))["meetings"] == [1]
    assert (zoom.asked[0]["from"], zoom.asked[0]["to"]) == ("2030-01-01", "2030-12-31")


def test_no_item_comes_twice() -> None:
    """Lists that change while they are read repeat entries on the next page."""
    first, second, third = ({"uuid": f"u{n}", "start_time": "2030-01-01T00:00:00Z", "files": n} for n in range(3))
    zoom = Zoom(
        [
            {"next_page_token": "a", "meetings": [first, second], "total_records": 3},
            {"next_page_token": "", "meetings": [{**second, "files": 9}, third], "total_records": 3},
        ]
    )
    whole = body(pagination.walk(RECORDINGS, "all=true", zoom.fetch, zoom.deadline()))
    assert (whole["meetings"], whole["total_records"]) == ([first, second, third], 3)


def test_dates_of_a_series_are_different_items() -> None:
    """Though they share id and UUID, and entries that are equal on one page are Zoom's own business."""
    dates = [{"uuid": "u", "start_time": f"2030-01-0{day}"} for day in (1, 2)]
    zoom = Zoom([{"next_page_token": "a", "meetings": [dates[0], 5, 5]}, {"meetings": [dates[1]]}])
    found = body(pagination.walk(MEETINGS, "all=true", zoom.fetch, zoom.deadline()))["meetings"]
    assert found == [dates[0], 5, 5, dates[1]]


def test_equal_visits_of_participants_all_count() -> None:
    """Two guests may share a name and a second."""
    zoom = Zoom(
        [{"next_page_token": "a", "participants": [{"name": "iPhone"}]}, {"participants": [{"name": "iPhone"}]}]
    )
    visits = match("GET", "/v2/past_meetings/1/participants")[0]
    assert len(body(pagination.walk(visits, "all=true", zoom.fetch, zoom.deadline()))["participants"]) == 2


def test_equal_lines_of_a_log_all_count() -> None:
    """Somebody may sign in twice within a second."""
    line = {"email": "jchill@example.com", "time": "2030-01-01T00:00:00Z", "type": "Sign in"}
    zoom = Zoom([{"next_page_token": "a", "activity_logs": [line]}, {"activity_logs": [line]}])
    log = match("GET", "/v2/report/activities")[0]
    assert body(pagination.walk(log, "all=true", zoom.fetch, zoom.deadline()))["activity_logs"] == [line, line]


def test_a_host_of_several_months_is_one_row() -> None:
    """With the counts of all of them, also without `all`."""
    rows = [{"id": "h1", "meetings": n, "participants": 2 * n, "meeting_minutes": 10, "type": 2} for n in (1, 4)]
    zoom = Zoom([{"users": [rows[0]], "total_meetings": 1}, {"users": [rows[1], {"id": "h2"}], "total_meetings": 4}])
    whole = body(pagination.walk(HOSTS, "from=2030-01-01&to=2030-02-05", zoom.fetch, zoom.deadline()))
    assert whole["users"] == [
        {"id": "h1", "meetings": 5, "participants": 10, "meeting_minutes": 20, "type": 2},
        {"id": "h2"},
    ]
    assert (whole["total_meetings"], whole["next_page_token"]) == (5, "")


def test_totals_of_a_part_are_left_out() -> None:
    """A month's total is not the span's."""
    zoom = Zoom([{"total_records": 1, "page_count": 1, "page_size": 30, "meetings": [1]}])
    page = body(pagination.walk(RECORDINGS, "from=2030-01-01&to=2030-02-05", zoom.fetch, zoom.deadline()))
    assert page.keys() == {"page_size", "meetings", "next_page_token"}


def test_a_token_of_another_list_is_refused() -> None:
    """One that holds days, where there are none."""
    zoom = Zoom([{"meetings": [1]}])
    token = body(pagination.walk(RECORDINGS, "from=2030-01-01&to=2030-02-10", zoom.fetch, zoom.deadline()))
    query = f"next_page_token={token['next_page_token']}"
    with pytest.raises(InvalidRequest):
        pagination.walk(PEOPLE, query, zoom.fetch, zoom.deadline())


def test_other_parameters_stay_as_they_are() -> None:
    """Encoded once, in order."""
    zoom = Zoom([{"next_page_token": "", "meetings": []}])
    pagination.walk(MEETINGS, "timezone=America%2FNew_York&all=true&type=live", zoom.fetch, zoom.deadline())
    assert parse_qs("timezone=America/New_York&type=live&page_size=300") == {
        name: [value] for name, value in zoom.asked[0].items()
    }
