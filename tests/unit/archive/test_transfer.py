"""One file on its way: what a run asks for, where it stops, and what each fault of the other side leads to."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.archive_world import CONNECTION, DAY, PART, TENANT, FilmAtZoom, RecordingAtZoom, World, film
from zoom_common.archive.downloads_client import Download, DownloadBroken, Link, LinkEnded
from zoom_common.archive.model import ArchivedFile, FileState
from zoom_common.archive.moving import LEAST_PART, MIB, part_size
from zoom_common.archive.policy import Policy
from zoom_common.archive.retention import Copies
from zoom_common.archive.transfer import MOST_TRIES, Again, Moved, of_message, to_message
from zoom_common.aws.s3 import ObjectForm
from zoom_common.deadline import Deadline
from zoom_common.errors import TooManyRequests, Unavailable
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Plan, rate

BODY = film(random.Random(1), 5 * PART + 7)  # noqa: S311 - a film


def a_world(content: bytes = BODY, *, declared: int | None = -1, extension: str = "MP4") -> tuple[World, FilmAtZoom]:
    """A recording of one file, told and not moved yet. By default its size is told truly."""
    world = World(1)
    world.use(Policy())
    size = len(content) if declared == -1 else declared
    file = FilmAtZoom("file-1", extension, "gallery_view", extension, content, size)
    recording = RecordingAtZoom("uuid-1==", 85123456789, "Sync", "2026-11-30T09:00:00Z", [file])
    world.zoom.recordings[recording.uuid] = recording
    world.tell(recording, recording.files)
    return world, file


def run(world: World, seconds: float = 300.0) -> Again | None:
    """One run of a worker that has so much time."""
    (file,) = world.archived()
    deadline = Deadline(world.clock() + seconds, world.clock)
    return world.transfer.work(TENANT, file.recording_id, file.file_id, deadline)


def the_file(world: World) -> ArchivedFile:
    (file,) = world.archived()
    return file


def fail_with(world: World, error: Exception, times: int = 10**6) -> None:
    """Let so many downloads fail."""
    get, left = world.zoom.get, [times]

    def failing(link: Link, first: int, last: int) -> Download:
        if left[0]:
            left[0] -= 1
            raise error
        return get(link, first, last)

    world.transfer.downloads = type("Failing", (), {"get": staticmethod(failing)})()


def test_each_part_is_fetched_once_however_often_a_run_stops() -> None:
    """But the one at which a run's time was over; and S3 gets every byte once."""
    world, _ = a_world()
    world.stage.slowest = 15.0
    runs = 0
    while run(world, 130.0) is not None:
        runs += 1
        assert runs < 100
    assert runs > 3
    file = the_file(world)
    assert (file.state, world.s3.body(file.key)) == (FileState.KEPT, BODY)
    assert world.s3.received == len(BODY)
    begun = [first for _, first, _ in world.zoom.served]
    assert begun == sorted(begun)
    assert len(begun) - len(set(begun)) <= runs


def test_a_file_of_one_part_is_one_request() -> None:
    """No upload is begun for it."""
    world, _ = a_world(BODY[:0] + film(random.Random(2), PART))  # noqa: S311 - a film
    assert run(world) is None
    assert the_file(world).state is FileState.KEPT
    assert not world.s3.completed


def test_an_upload_that_was_begun_and_not_written_down_is_used() -> None:
    """A crash came in between; no second one is begun."""
    world, _ = a_world()
    world.bucket.begin_upload(the_file(world).key, ObjectForm())
    assert run(world) is None
    assert list(world.s3.completed) == ["upload-1"]
    assert not world.s3.pending


@pytest.mark.parametrize(("reported", "state"), [(len(BODY) - 5, "doubtful"), (None, "kept"), (len(BODY), "kept")])
def test_a_wrong_declared_size_makes_a_file_doubtful(reported: int | None, state: str) -> None:
    """It is kept all the same."""
    world, _ = a_world(declared=reported)
    assert run(world) is None
    assert (the_file(world).state, world.s3.body(the_file(world).key)) == (state, BODY)


def test_less_than_zoom_announced_is_taken_after_three_tries() -> None:
    """Zoom may serve the rest later; then it is kept and marked."""
    world, file = a_world(declared=10**9)
    assert run(world) == Again(30.0)
    assert run(world) == Again(60.0)
    assert run(world) is None
    assert (the_file(world).state, the_file(world).reason) == (FileState.DOUBTFUL, "declared_size")
    file.declared = len(BODY)
    world.tell(world.zoom.recordings["uuid-1=="], [file])
    assert the_file(world).state is FileState.KEPT


def test_a_film_whose_boxes_do_not_add_up_is_doubtful() -> None:
    """S3 has what Zoom sent, and it is not whole."""
    world, _ = a_world(BODY[:-9])
    assert run(world) is None
    assert (the_file(world).state, the_file(world).reason) == (FileState.DOUBTFUL, "cut_short")


@pytest.mark.parametrize("content", [b"<html>Sign in to watch.</html>", b'{"errorCode":124}', b"\x00" * 14])
def test_what_is_no_film_is_never_stored(content: bytes) -> None:
    """After twelve runs the file is given up, and an event says so."""
    world, _ = a_world(content, declared=None)
    for _ in range(MOST_TRIES - 1):
        assert run(world) is not None
        world.clock.now += 4000
    assert run(world) is None
    assert (the_file(world).state, the_file(world).reason) == (FileState.FAILED, "not_a_film")
    assert world.published[-1].type == "recording.archive_failed"
    assert world.s3.objects == {}
    assert world.discovery.retry(the_file(world))
    assert the_file(world).state is FileState.PENDING


def test_only_runs_without_progress_count() -> None:
    """A file is not given up while its runs make progress."""
    world, _ = a_world(film(random.Random(3), 40 * PART))  # noqa: S311 - a film
    get, calls = world.zoom.get, [0]

    def every_other(link: Link, first: int, last: int) -> Download:
        calls[0] += 1
        if calls[0] % 2:
            raise DownloadBroken("cut")
        return get(link, first, last)

    world.transfer.downloads = type("Failing", (), {"get": staticmethod(every_other)})()
    runs = 0
    while run(world) is not None:
        runs += 1
    assert runs > MOST_TRIES
    assert the_file(world).state is FileState.KEPT


def test_a_link_that_ends_is_fetched_anew() -> None:
    """Three times in a run; then the run has failed."""
    world, _ = a_world()
    fail_with(world, LinkEnded("http_403"), times=2)
    assert run(world) is None
    world, _ = a_world()
    fail_with(world, LinkEnded("http_403"))
    assert run(world) == Again(30.0)
    assert the_file(world).reason == "http_403"


def test_a_spent_budget_is_no_failure_of_the_file() -> None:
    """However long it lasts, the file is not given up."""
    world, _ = a_world()

    def spent(*_: object) -> None:
        raise TooManyRequests(60)

    world.transfer.links = spent  # type: ignore[assignment]
    for _ in range(3 * MOST_TRIES):
        assert run(world) == Again(120.0)
    assert (the_file(world).tries, the_file(world).state) == (0, FileState.MOVING)


def test_a_run_that_is_killed_again_and_again_is_given_up() -> None:
    """Each run is counted before its work, because a killed one cannot count itself."""
    world, _ = a_world()
    file = the_file(world)
    for _ in range(MOST_TRIES):
        leased = world.ledger.lease(file, owner="killed", now=world.clock(), until=world.clock() + 330)
        world.ledger.note(leased, tries=leased.tries + 1)
        world.clock.now += 400
    assert run(world) is None
    assert (the_file(world).state, the_file(world).reason) == (FileState.FAILED, "interrupted")


def test_a_file_that_another_worker_has_comes_back_when_its_lease_ends() -> None:
    """And one that is kept, cancelled or gone is done with."""
    world, _ = a_world()
    world.ledger.lease(the_file(world), owner="other", now=world.clock(), until=world.clock() + 330)
    assert run(world) == Again(330.0)
    world.clock.now += 331
    assert run(world) is None
    assert run(world) is None
    assert world.transfer.work(TENANT, "rec_0", "file-1", Deadline(world.clock() + 300, world.clock)) is None


def test_every_run_is_reported() -> None:
    """The report has the bytes that a run copied and the resulting state."""
    world, _ = a_world()
    world.stage.slowest = 15.0
    while run(world, 130.0) is not None:
        pass
    assert sum(moved.bytes for moved in world.runs) == len(BODY)
    assert world.runs[-1].state is FileState.KEPT
    assert Moved(0, FileState.FAILED) not in world.runs


@pytest.mark.parametrize(
    ("total", "size"),
    [(0, LEAST_PART), (20 * 10**9, LEAST_PART), (9000 * LEAST_PART, LEAST_PART), (9000 * LEAST_PART + 1, 33 * MIB)],
)
def test_a_file_has_at_most_nine_thousand_parts(total: int, size: int) -> None:
    """Of 32 MiB, or so much more that they are enough, in whole MiB."""
    assert part_size(total, LEAST_PART) == size


def test_a_message_names_a_file() -> None:
    """Other messages are recognised as such."""
    assert of_message(to_message("acme", "rec_1", "file/1+=")) == {
        "tenant": "acme",
        "recording_id": "rec_1",
        "file_id": "file/1+=",
    }
    for body in ("", "[]", "{}", '{"tenant":"acme"}', "null"):
        assert of_message(body) is None


# What ends a copy, here and at Zoom.


def kept(policy: Policy) -> World:
    """A recording that is kept, under a policy."""
    world, _ = a_world()
    world.use(policy)
    assert run(world) is None
    world.settling.settle(TENANT, the_file(world).recording_id)
    return world


def test_sixteen_hundred_recordings_a_day_cost_a_twentieth_of_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """With six files each: a call for each run of a file, and one look before the trash."""
    world = World(1)
    world.use(Policy(trash_after_days=1))
    files = [FilmAtZoom(f"file-{at}", "CHAT", "", "TXT", b"hello", 5) for at in range(6)]
    recording = RecordingAtZoom("uuid-1==", 85123456789, "Sync", "2026-11-30T09:00:00Z", files)
    world.zoom.recordings[recording.uuid] = recording
    read, calls = world.zoom.read, [0]

    def counted(path: str) -> Mapping[str, Any] | None:
        calls[0] += 1
        return read(path)

    monkeypatch.setattr(world.zoom, "read", counted)
    world.tell(recording, files)
    world.settle()
    world.clock.now += 1.1 * DAY
    world.sweep()
    assert world.trashed == ["uuid-1=="]
    light = rate(Plan.PRO, RateLabel.LIGHT)
    assert 1_600 * (calls[0] + 1) <= 0.05 * light.calls * DAY / light.seconds


def test_a_recording_goes_into_zooms_trash_when_its_days_have_passed() -> None:
    """And is deleted there for ever only if the policy asks for that."""
    world = kept(Policy(trash_after_days=2, delete_after_days=3))
    world.clock.now += 1.9 * DAY
    world.sweep()
    assert world.trashed == []
    world.clock.now += 0.2 * DAY
    world.sweep()
    assert (world.zoom.recordings["uuid-1=="].trashed, world.zoom.recordings["uuid-1=="].deleted) == (True, False)
    world.clock.now += 3.1 * DAY
    world.sweep()
    assert world.zoom.recordings["uuid-1=="].deleted
    assert world.ledger.due(now=world.clock() + 9999 * DAY) == []


def spoilt(world: World) -> dict[str, Callable[[], object]]:
    """What may be wrong on either side when the days have passed."""
    recording, key = world.zoom.recordings["uuid-1=="], the_file(world).key
    more = FilmAtZoom("file-2", "CHAT", "chat_file", "TXT", b"hello", 5)
    return {
        "a file that nobody told of": lambda: recording.files.append(more),
        "another size at Zoom": lambda: setattr(recording.files[0], "declared", 1),
        "no object": lambda: world.s3.objects.pop(key),
        "another object": lambda: world.s3.objects[key].append(
            replace(world.s3.objects[key][-1], body=b"x" * len(BODY), crc=1)
        ),
        "a policy that was turned off": lambda: world.use(Policy(enabled=False, trash_after_days=1)),
        "a policy that keeps": lambda: world.use(Policy()),
    }


@pytest.mark.parametrize("wrong", list(spoilt(kept(Policy()))))
def test_nothing_is_trashed_without_proof(wrong: str) -> None:
    """The step looks at both sides itself, whatever was true before."""
    world = kept(Policy(trash_after_days=1))
    spoilt(world)[wrong]()
    world.clock.now += 1.5 * DAY
    world.sweep()
    world.clock.now += 1.5 * DAY
    world.sweep()
    assert world.trashed == []


def test_a_copy_is_deleted_after_its_days_and_not_archived_again() -> None:
    """Every version of it; the next event about the recording changes nothing."""
    world = kept(Policy(retention_days=10))
    key = the_file(world).key
    world.clock.now += 10.1 * DAY
    world.sweep()
    assert world.s3.objects[key] == []
    assert world.archived() == []
    recording = world.zoom.recordings["uuid-1=="]
    world.tell(recording, recording.files)
    assert world.archived() == []


def test_a_copy_that_a_worker_has_is_deleted_again_when_its_lease_is_over() -> None:
    """What it finished in between is not left behind."""
    world, _ = a_world()
    file = the_file(world)
    world.ledger.lease(file, owner="other", now=world.clock(), until=world.clock() + 330)
    assert world.retention.remove(TENANT, file.recording_id)
    world.bucket.put(file.key, memoryview(b"late"), zlib.crc32(b"late"), ObjectForm())
    world.clock.now += 332
    world.sweep()
    assert world.s3.objects[file.key] == []
    assert world.ledger.file(TENANT, file.recording_id, file.file_id) is None
    assert not world.retention.remove(TENANT, file.recording_id)


def test_an_erasure_counts_what_it_would_delete() -> None:
    """Every version and every upload of a file's key, and of no other key; while a worker has the file it waits."""
    world = kept(Policy())
    file = the_file(world)
    copies = Copies(world.ledger, world.bucket, world.clock)
    world.bucket.put(f"{file.key}.more", memoryview(b"other"), zlib.crc32(b"other"), ObjectForm())
    world.bucket.begin_upload(file.key, ObjectForm())
    assert copies.count(file.to_item()) == 2
    assert len(world.s3.objects[file.key]) == 1
    assert copies.erase(file.to_item()) == 2
    assert (copies.count(file.to_item()), world.s3.objects[file.key]) == (0, [])
    assert len(world.s3.objects[f"{file.key}.more"]) == 1
    busy, _ = a_world()
    file = the_file(busy)
    busy.ledger.lease(file, owner="other", now=busy.clock(), until=busy.clock() + 330)
    with pytest.raises(Unavailable):
        Copies(busy.ledger, busy.bucket, busy.clock).erase(file.to_item())


def test_a_changed_policy_counts_for_what_is_kept_already() -> None:
    """A walk over the tenant's list plans it anew."""
    world = kept(Policy())
    world.use(Policy(trash_after_days=1))
    world.ledger.plan_walk(TENANT, at=world.clock())
    world.clock.now += 1.1 * DAY
    world.sweep()
    assert world.trashed == ["uuid-1=="]


def test_a_lost_message_is_made_up_for() -> None:
    """The sweep hands out what has been open for six hours."""
    world, _ = a_world()
    world.messages.clear()
    world.clock.now += 6.1 * 3600
    world.sweep()
    assert len(world.messages) == 1
    world.settle()
    assert the_file(world).state is FileState.KEPT


def test_a_second_connection_that_names_a_recording_is_noted() -> None:
    """A link may be had over either."""
    world, _ = a_world()
    row = world.zoom.row(world.zoom.recordings["uuid-1=="])
    found = world.discovery.register(TENANT, "con_2", row)
    assert found is not None
    assert (found.new, found.files) == (0, 1)
    assert world.known()[0].connections == {CONNECTION, "con_2"}
