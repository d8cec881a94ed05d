"""The archive as people and programs read it, over recordings that were really archived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.archive_world import CONNECTION, TENANT, FilmAtZoom, RecordingAtZoom, World
from tests.fakes.connections import connection
from zoom_common.archive.catalogue import Catalogue, RecordingQuery
from zoom_common.archive.discovery import backfill
from zoom_common.archive.model import FileState, recording_id_of
from zoom_common.archive.policy import Policy
from zoom_common.connections.tombstones import of_person
from zoom_common.errors import Conflict, NotFound
from zoom_common.events.bus import CloudEvent
from zoom_common.events.reconciliation.zoom_reader import AccessDenied, ZoomReader

VTT = b"WEBVTT\n\n1\n00:00:00.000 --> 00:00:04.000\nJill Chill: Welcome.\n"


def a_world(recordings: int = 1) -> World:
    """Recordings with a transcript and a chat, archived."""
    world = World(1)
    world.use(Policy())
    for at in range(recordings):
        files = [
            FilmAtZoom(f"vtt-{at}", "TRANSCRIPT", "audio_transcript", "VTT", VTT, len(VTT)),
            FilmAtZoom(f"txt-{at}", "CHAT", "chat_file", "TXT", b"00:00:05\tJill:\tHello\n", 21),
        ]
        begun = f"2026-11-{at + 1:02}T09:00:00Z"
        recording = RecordingAtZoom(f"uuid-{at}==", 85123456780 + at, f"Sync number {at}", begun, files)
        world.zoom.recordings[recording.uuid] = recording
        world.tell(recording, recording.files)
    world.settle()
    return world


def catalogue(world: World) -> Catalogue:
    people = [{"name": "Jill Chill", "user_id": "u1", "email": "jill@zoom.example"}]
    return Catalogue(ledger=world.ledger, storage=world.bucket, participants=lambda _: people)


def every(world: World, reach: frozenset[str] | None = None, **asked: Any) -> Iterator[str]:
    """The topics of all pages."""
    after = None
    while True:
        found, after = catalogue(world).page(TENANT, RecordingQuery(**asked, after=after), reach)
        yield from (each["topic"] for each in found)
        if after is None:
            return


def test_recordings_are_listed_the_newest_first_in_pages() -> None:
    """Each once."""
    world = a_world(5)
    assert list(every(world, page_size=2)) == [f"Sync number {at}" for at in (4, 3, 2, 1, 0)]
    assert list(every(world, page_size=5)) == list(every(world, page_size=1))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"meeting": "85123456781"}, 1),
        ({"host": "host-0123456789abcdef"}, 3),
        ({"host": "jill@example.com"}, 3),
        ({"host": "nobody"}, 0),
        ({"topic": "NUMBER 2"}, 1),
        ({"state": "kept"}, 3),
        ({"state": "failed"}, 0),
        ({"uuid": "uuid-0=="}, 1),
        ({"uuid": "uuid-0==", "state": "failed"}, 0),
        ({"uuid": "uuid-9=="}, 0),
        ({"since_ms": 1_793_523_600_000, "until_ms": 1_793_610_000_000}, 2),
    ],
)
def test_recordings_are_found(asked: dict[str, Any], found: int) -> None:
    """Recordings are found by meeting, host, topic, state, instance and time."""
    assert len(list(every(a_world(3), **asked))) == found


def test_nobody_sees_what_their_connections_did_not_tell_of() -> None:
    """Neither in the list nor by its id; for another tenant there is nothing at all."""
    world = a_world()
    name = recording_id_of(TENANT, "uuid-0==")
    assert list(every(world, frozenset({"con_9"}))) == []
    assert list(every(world, frozenset({CONNECTION}))) == ["Sync number 0"]
    for tenant, recording_id, reach in (
        (TENANT, name, frozenset({"con_9"})),
        ("other", name, None),
        (TENANT, "nonsense", None),
        (TENANT, recording_id_of(TENANT, "other"), None),
    ):
        with pytest.raises(NotFound):
            catalogue(world).one(tenant, recording_id, reach)


def test_one_recording_has_its_files_with_links() -> None:
    """A link is signed, ends in five minutes, and shows a name that people can read."""
    one = catalogue(a_world()).one(TENANT, recording_id_of(TENANT, "uuid-0=="), None)
    assert {each["id"] for each in one["files"]} == {"vtt-0", "txt-0"}
    (vtt,) = (each for each in one["files"] if each["id"] == "vtt-0")
    assert (vtt["type"], vtt["size"], vtt["state"]) == ("TRANSCRIPT", len(VTT), "kept")
    query = parse_qs(urlsplit(vtt["url"]).query)
    assert query["X-Amz-Expires"] == ["300"]
    assert query["response-content-disposition"] == [
        "inline; filename*=UTF-8''Sync%20number%200%20audio_transcript.vtt"
    ]


def test_a_file_that_is_not_there_has_no_link() -> None:
    """But its state, and how far it has come."""
    world = a_world()
    recording = world.zoom.recordings["uuid-0=="]
    late = FilmAtZoom("mp4-0", "MP4", "gallery_view", "MP4", b"x", 1)
    recording.files.append(late)
    world.tell(recording, [late])
    one = catalogue(world).one(TENANT, recording_id_of(TENANT, "uuid-0=="), None)
    (film,) = (each for each in one["files"] if each["id"] == "mp4-0")
    assert (film["state"], film["url"], one["state"]) == ("pending", None, "moving")


def test_transcripts_and_chats_are_read() -> None:
    """Transcripts are read as turns with participants, as text and as WebVTT, and chats as messages."""
    world = a_world()
    name = recording_id_of(TENANT, "uuid-0==")
    found = catalogue(world).transcript(TENANT, name, None, file_id=None, form="json")
    assert found["transcripts"][0]["turns"][0]["participant"]["user_id"] == "u1"
    assert catalogue(world).transcript(TENANT, name, None, file_id="vtt-0", form="vtt") == VTT.decode()
    text = catalogue(world).transcript(TENANT, name, None, file_id=None, form="text")
    assert text == "[00:00:00] Jill Chill: Welcome.\n"
    chat = catalogue(world).chat(TENANT, name, None)
    assert chat["chats"][0]["messages"] == [{"time": "00:00:05", "sender": "Jill", "text": "Hello"}]
    with pytest.raises(NotFound):
        catalogue(world).transcript(TENANT, name, None, file_id="other", form="json")


def test_a_text_that_no_answer_can_hold_is_refused() -> None:
    """Its link leads to it."""
    world = a_world()
    (file,) = (each for each in world.archived() if each.file_id == "vtt-0")
    world.ledger.revise(file, now=world.clock(), total=5_000_000)
    with pytest.raises(Conflict):
        catalogue(world).transcript(TENANT, file.recording_id, None, file_id=None, form="json")


# Finding recordings.


def event(name: str, data: dict[str, Any] | None, **more: Any) -> CloudEvent:
    return CloudEvent("evt_1", "/zoom/app", name, "2026-11-30T10:00:00Z", TENANT, data=data, **more)


def test_an_event_without_its_data_is_read_from_the_log() -> None:
    """The bus takes no larger ones than a megabyte."""
    world = a_world()
    row = {**world.zoom.row(world.zoom.recordings["uuid-0=="]), "uuid": "large=="}
    found = world.discovery.event(
        event("zoom.recording.completed", None, connection_id=CONNECTION),
        lambda tenant, name: {"payload": {"object": row}} if (tenant, name) == (TENANT, "evt_1") else None,
        world.zoom.read,
    )
    assert found is not None
    assert found.new == 2


def test_after_a_summary_zooms_list_is_read_again() -> None:
    """The summary may have become a file."""
    world = a_world()
    recording = world.zoom.recordings["uuid-0=="]
    recording.files.append(FilmAtZoom("sum-0", "SUMMARY", "summary", "JSON", b"{}", 2))
    reported = event(
        "zoom.meeting.summary_completed",
        {"payload": {"object": {"meeting_uuid": "uuid-0=="}}},
        connection_id=CONNECTION,
    )
    found = world.discovery.event(reported, lambda *_: None, world.zoom.read)
    assert found is not None
    assert found.new == 1
    world.settle()
    assert {each.state for each in world.archived()} == {FileState.KEPT}


@pytest.mark.parametrize(
    ("name", "data", "more"),
    [
        ("zoom.meeting.started", {}, {"connection_id": CONNECTION}),
        ("zoom.recording.completed", {}, {"connection_id": CONNECTION}),
        ("zoom.recording.completed", None, {"connection_id": CONNECTION}),
        (
            "zoom.recording.completed",
            {"payload": {"object": {"uuid": 7, "recording_files": "x"}}},
            {"connection_id": "c"},
        ),
        ("zoom.recording.completed", {"payload": []}, {}),
        ("zoom.meeting.summary_completed", {}, {"connection_id": CONNECTION}),
    ],
)
def test_what_names_no_recording_is_left_out(name: str, data: dict[str, Any] | None, more: dict[str, Any]) -> None:
    """An object without a recording's UUID is ignored, whatever its form."""
    world = a_world()
    assert world.discovery.event(event(name, data, **more), lambda *_: None, world.zoom.read) is None


def test_nothing_is_found_without_a_policy() -> None:
    """Without a policy nothing is listed, and with one only files of its kinds."""
    world = a_world()
    row = {**world.zoom.row(world.zoom.recordings["uuid-0=="]), "uuid": "new=="}
    world.use(Policy(enabled=False))
    assert world.discovery.register(TENANT, CONNECTION, row) is None
    assert world.discovery.look(TENANT, CONNECTION, "uuid-0==", world.zoom.read) is None
    world.use(Policy(kinds=("chat",)))
    found = world.discovery.register(TENANT, CONNECTION, row)
    assert found is not None
    assert found.files == 1


def test_what_was_erased_does_not_come_back() -> None:
    """A recording from before its host's erasure is left out."""
    world = a_world()
    row = {**world.zoom.row(world.zoom.recordings["uuid-0=="]), "uuid": "new=="}
    world.discovery.tombstones.put([of_person(TENANT, row["host_id"])], now=world.clock() + 10**9)
    assert world.discovery.register(TENANT, CONNECTION, row) is None


def lists(world: World) -> Any:
    """Zoom's lists of recordings, of one month at most."""

    def read(path: str) -> Mapping[str, Any] | None:
        if not path.startswith("/v2/users/ada/"):
            return world.zoom.read(path)
        asked = parse_qs(urlsplit(path).query)
        rows = [world.zoom.row(each) for each in world.zoom.recordings.values()]
        return {"meetings": [row for row in rows if asked["from"][0] <= row["start_time"][:10] <= asked["to"][0]]}

    return read


def test_a_backfill_archives_what_zoom_lists_of_a_span() -> None:
    """A second one finds nothing new, and without a policy nothing is asked for."""
    world = a_world(3)
    for at, recording in enumerate(world.zoom.recordings.values()):
        recording.begun = f"2026-{at + 6:02}-11T09:00:00Z"
        recording.uuid = f"old-{at}=="
    made = replace(connection(connection_id=CONNECTION), tenant=TENANT)
    june = partial(backfill, world.discovery, made, user="ada", since=date(2026, 6, 1), until=date(2026, 6, 30))
    assert june(ZoomReader(lists(world))) == 2
    assert june(ZoomReader(lists(world))) == 0
    reader = ZoomReader(denied)
    assert june(reader) == 0
    assert reader.unseen == {"users/recordings": "missing_scopes"}
    world.use(Policy(enabled=False))
    assert june(ZoomReader(never)) == 0


def denied(_: str) -> None:
    raise AccessDenied("missing_scopes")


def never(path: str) -> None:
    raise AssertionError(path)
