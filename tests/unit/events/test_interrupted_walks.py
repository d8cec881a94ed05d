"""A walk over pages that meets an outage in the middle: nothing is skipped, repeated or taken for the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from zoom_common.connections.refresh.runner import sweep
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, NO_PERMISSION, AccessDenied, ZoomReader

PATH = "/v2/users/me/recordings?from=2026-09-21"


class Zoom:
    """A list of so many pages; `ends` maps a page to what happens instead of it."""

    def __init__(self, pages: int, ends: Mapping[int, Exception | None] | None = None) -> None:
        self.asked: list[str] = []
        self._pages = pages
        self._ends = ends or {}

    def read(self, path: str) -> Mapping[str, Any] | None:
        self.asked.append(path)
        page = len(self.asked)
        if page in self._ends:
            end = self._ends[page]
            if end is not None:
                raise end
            return None
        return {"meetings": [{"id": page}, "no row"], "next_page_token": f"t {page}" if page < self._pages else ""}


def walked(zoom: Zoom, path: str = PATH) -> list[int]:
    """Return the ids of all rows."""
    return [row["id"] for row in ZoomReader(zoom.read).rows(path, "meetings")]


def test_a_walk_reads_every_page_once() -> None:
    """With the token of the page before, encoded; what is no row is passed over."""
    zoom = Zoom(3)
    assert walked(zoom) == [1, 2, 3]
    assert zoom.asked == [
        f"{PATH}&page_size=300",
        f"{PATH}&page_size=300&next_page_token=t%201",
        f"{PATH}&page_size=300&next_page_token=t%202",
    ]
    plain = Zoom(1)
    walked(plain, "/v2/users")
    assert plain.asked == ["/v2/users?page_size=300"]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_an_outage_in_the_middle_is_not_the_end(page: int) -> None:
    """Whoever walks hears of it, because rows are missing; and no further page is asked for."""
    zoom = Zoom(3, {page: Unavailable(reason="zoom_gave_no_answer")})
    reader, found = ZoomReader(zoom.read), list[int]()
    with pytest.raises(Unavailable):
        found.extend(row["id"] for row in reader.rows(PATH, "meetings"))
    assert len(zoom.asked) == page
    assert reader.unseen == {}


@pytest.mark.parametrize("reason", [MISSING_SCOPES, NO_PERMISSION])
def test_a_list_that_is_refused_in_the_middle_ends_there(reason: str) -> None:
    """What was seen counts, and the reader remembers why the rest was not shown."""
    zoom = Zoom(3, {2: AccessDenied(reason)})
    reader = ZoomReader(zoom.read)
    assert [row["id"] for row in reader.rows(PATH, "meetings")] == [1]
    assert reader.unseen == {"users/recordings": reason}
    assert reader.why_not("users/recordings") == reason
    assert reader.why_not("users/recordings", "users/meetings") is None


def test_only_missing_scopes_end_all_questions_of_a_kind() -> None:
    """A plan may lack something for one person and have it for the next."""
    for reason, asked in ((MISSING_SCOPES, 1), (NO_PERMISSION, 2)):
        zoom = Zoom(1, {1: AccessDenied(reason)})
        reader = ZoomReader(zoom.read)
        reader.get("/v2/users/a/recordings")
        reader.get("/v2/users/b/recordings")
        assert len(zoom.asked) == asked


def test_the_first_reason_stays() -> None:
    """A kind has one reason."""
    zoom = Zoom(1, {1: AccessDenied(NO_PERMISSION), 2: AccessDenied(MISSING_SCOPES)})
    reader = ZoomReader(zoom.read)
    reader.get("/v2/users/a/recordings")
    reader.get("/v2/users/b/recordings")
    assert reader.unseen == {"users/recordings": NO_PERMISSION}


def test_nothing_to_see_ends_a_walk() -> None:
    """Zoom says that there is no such thing: no rows, and no reason either."""
    zoom = Zoom(3, {2: None})
    assert walked(zoom) == [1]


def test_pages_that_do_not_end_are_an_outage() -> None:
    """After 200 pages the walk raises Unavailable."""
    zoom = Zoom(10_000)
    with pytest.raises(Unavailable):
        walked(zoom)
    assert len(zoom.asked) == 200
    assert walked(Zoom(200))[-1] == 200


class Index:
    """Two pages in every shard; `away` is the question that gets no answer."""

    def __init__(self, away: int = 0) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._away = away

    def due(self, shard: str, *, now: float, after: dict[str, Any] | None = None) -> tuple[list[tuple[str, str]], Any]:
        assert now == 5.0
        self.asked.append((shard, after))
        if len(self.asked) == self._away:
            raise Unavailable(reason="connections_store_unavailable")
        return [("acme", f"con_{len(self.asked)}")], None if after else {"sk": shard}


class Workers:
    """Keep what was handed out."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    def enqueue(self, connections: list[tuple[str, str]], *, delay: int = 0) -> int:
        assert delay == 60
        self.taken += connections
        return len(connections)


def test_a_sweep_that_meets_an_outage_has_handed_out_what_it_saw() -> None:
    """The next sweep finds the rest: nothing is marked before it is refreshed."""
    workers = Workers()
    with pytest.raises(Unavailable):
        sweep(Index(away=4), workers, clock=lambda: 5.0, deadline=Deadline.after(60))
    assert [name for _, name in workers.taken] == ["con_1", "con_2", "con_3"]


def test_a_sweep_reads_each_shard_to_its_end() -> None:
    """Two pages each, the second where the first ended."""
    index, workers = Index(), Workers()
    count = sweep(index, workers, clock=lambda: 5.0, deadline=Deadline.after(60))
    shards = sorted({shard for shard, _ in index.asked})
    assert count == len(workers.taken) == 2 * len(shards)
    assert index.asked == [(shard, after) for shard in shards for after in (None, {"sk": shard})]
