"""Seeded schedules: recordings are archived while workers die, answers get lost, and Zoom and S3 misbehave."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.fakes.archive_world import CONNECTION, DAY, PART, TENANT, FilmAtZoom, RecordingAtZoom, World, film
from zoom_common.archive.model import FileState
from zoom_common.archive.policy import Policy
from zoom_common.aws.s3 import ObjectForm

_SHAPES = (
    ("MP4", "shared_screen_with_speaker_view", "MP4"),
    ("MP4", "gallery_view", "MP4"),
    ("M4A", "audio_only", "M4A"),
    ("TRANSCRIPT", "audio_transcript", "VTT"),
    ("CHAT", "chat_file", "TXT"),
    ("TIMELINE", "timeline", "JSON"),
)


def some_file(rng: random.Random, at: int) -> FilmAtZoom:
    """A file of some kind, of none up to six parts, told truly or not."""
    file_type, recording_type, extension = rng.choice(_SHAPES)
    size = rng.choice((41, PART - 1, PART, PART + 1, 2 * PART, rng.randrange(41, 6 * PART)))
    texts = {"VTT": b"WEBVTT\n\n", "TXT": b"00:00:05\tJill:\thi\n", "JSON": b'{"timeline":[]}'}
    content = texts[extension].ljust(size) if extension in texts else film(rng, size)
    declared: int | None = len(content)
    if rng.random() < 0.2:
        declared = rng.choice((None, len(content) + rng.randrange(1, 99), max(1, len(content) - 7)))
    ranges = rng.random() > 0.2
    return FilmAtZoom(
        f"file-{at}-{rng.randrange(10**6)}",
        file_type,
        recording_type,
        extension,
        content,
        declared,
        etag='"1"' if ranges else rng.choice(('"1"', "")),  # ranges without a validator would prove nothing
        ranges=ranges,
        tells_length=rng.random() > 0.1,
    )


def some_recording(rng: random.Random, at: int) -> RecordingAtZoom:
    """An instance with some files, of which some come later."""
    files = [some_file(rng, at) for _ in range(rng.randint(1, 3))]
    files = list({each.file_type if each.file_type == "TIMELINE" else each.file_id: each for each in files}.values())
    later = [each for each in files[1:] if rng.random() < 0.5]
    return RecordingAtZoom(
        f"uuid-{at}==", 85_000_000_000 + at, f"Weekly sync {at}", "2026-11-30T09:00:00Z", files, later
    )


def run(seed: int) -> World:
    """One schedule: events and workers with faults, then everything in order; what was archived is judged."""
    rng = random.Random(seed)  # noqa: S311 - a schedule
    world = World(
        seed,
        kills=rng.choice((0.0, 0.01, 0.04)),
        faults=rng.choice((0.0, 0.06, 0.18)),
        slowest=rng.choice((0.5, 3.0, 12.0)),
    )
    world.use(Policy(trash_after_days=rng.choice((None, 1, 2)), delete_after_days=rng.choice((None, 1))))
    reported = [some_recording(rng, at) for at in range(rng.randint(1, 2))]
    for recording in reported:
        world.zoom.recordings[recording.uuid] = recording
        recording.files = [each for each in recording.files if each not in recording.hidden]
        world.tell(recording, recording.files)
    for _ in range(rng.randrange(5, 40)):
        _something(rng, world, reported)
    world.stage.kills = world.stage.faults = 0.0
    for recording in reported:
        _late_files(world, recording, heard=True)
        if not recording.trashed:  # reconciliation finds what no event told of
            world.discovery.look(TENANT, CONNECTION, recording.uuid, world.zoom.read)
    world.settle()
    for file in world.archived():  # what gave up meanwhile gets its tries anew
        world.discovery.retry(file)
    world.settle()
    for _ in range(4):
        world.clock.now += 1.1 * DAY
        world.sweep()
        world.settle()
    world.retention.end_strays(lambda: False)
    return world


def _something(rng: random.Random, world: World, reported: list[RecordingAtZoom]) -> None:
    recording = rng.choice(reported)
    match rng.randrange(12):
        case 0:
            world.tell(recording, recording.files)  # twice, or late
        case 1:
            _late_files(world, recording, heard=rng.random() < 0.5)
        case 2:
            world.sweep()
        case 3:
            world.clock.now += rng.choice((400.0, 2000.0, 2 * DAY))  # messages grow old
        case 4 | 5:
            _replace_content(rng, world, recording)
        case _:
            if not world.work(most_at_once=3):
                world.advance()


def _late_files(world: World, recording: RecordingAtZoom, *, heard: bool) -> None:
    """Files appear at Zoom; the event about them may get lost."""
    if recording.hidden and not recording.trashed:
        late, recording.hidden = recording.hidden, []
        recording.files += late
        if heard:
            world.tell(recording, late, "recording.transcript_completed")


def _replace_content(rng: random.Random, world: World, recording: RecordingAtZoom) -> None:
    """Zoom serves another content under the same name, while the old one is on its way."""
    moving = {file.file_id for file in world.archived() if file.state is FileState.MOVING and file.moved}
    for file in recording.files:
        if file.file_id in moving and file.extension in {"MP4", "M4A"} and len(file.content) > PART:
            file.versions.append(file.content)
            file.content = film(rng, len(file.content))
            file.etag = file.etag and f'"{len(file.versions) + 1}"'
            return


def judge(world: World) -> None:
    """Everything that is promised about what was archived."""
    archived = {(file.recording_id, file.file_id): file for file in world.archived()}
    recordings = {each.uuid: each for each in world.known()}
    for recording in world.zoom.recordings.values():
        kept = recordings[recording.uuid]
        for file in recording.files:
            found = archived[kept.recording_id, recording.name_of(file)]
            body = world.s3.body(found.key)
            assert body in {file.content, *file.versions}, (file.file_id, found.state, found.reason)
            assert found.total == len(body or b"")
            agrees = file.declared in {None, len(body or b"")}
            assert found.state is (FileState.KEPT if agrees else FileState.DOUBTFUL), found
            assert len(world.s3.objects[found.key]) == 1, "written twice"
        reported = [event.data or {} for event in world.published if event.uuid == recording.uuid]
        final = {file.file_id: str(file.state) for (name, _), file in archived.items() if name == kept.recording_id}
        assert {each["id"]: each["state"] for each in reported[-1]["files"]} == final, (
            "the last event is not the last word"
        )
    assert not world.s3.pending, "an upload is left"
    assert len({event.id for event in world.published}) == len({event.to_json() for event in world.published})


def check(seed: int) -> None:
    """Run and judge one schedule."""
    judge(run(seed))


@pytest.mark.parametrize("block", range(8))
def test_nothing_is_lost_in_two_hundred_schedules(block: int) -> None:
    """Every object equals Zoom's file byte for byte, none is trashed before proof, and no upload is left."""
    for seed in range(block * 25, block * 25 + 25):
        check(seed)


@pytest.mark.soak
@pytest.mark.parametrize("block", range(8))
def test_nothing_is_lost_in_a_thousand_schedules(block: int) -> None:
    """Nothing is lost in the schedules of a thousand other seeds."""
    for seed in range(1000 + block * 125, 1000 + block * 125 + 125):
        check(seed)


def test_the_schedules_are_hostile() -> None:
    """Over some seeds there are kills, faults, doubtful files, trash and deletion, or they would prove little."""
    worlds = [run(seed) for seed in range(40)]
    assert sum(world.stage.killed for world in worlds) > 40
    assert sum(world.stage.faulted for world in worlds) > 200
    assert any(world.trashed for world in worlds)
    assert any(file.state is FileState.DOUBTFUL for world in worlds for file in world.archived())


@pytest.mark.parametrize("broken", ["content", "upload", "version"])
def test_the_judge_finds_what_is_broken(broken: str) -> None:
    """A changed byte, an upload that is left, an object that was written twice: these schedules can fail."""
    world = run(3)
    key = world.archived()[0].key
    version = world.s3.objects[key][-1]
    if broken == "content":
        world.s3.objects[key] = [replace(version, body=(version.body or b"")[:-1] + b"!")]
    elif broken == "upload":
        world.bucket.begin_upload(key, ObjectForm())
    else:
        world.s3.objects[key].append(version)
    with pytest.raises(AssertionError):
        judge(world)
