"""Cloud recordings: how they come about, and what REST makes of them."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Json, Zoom

CLOUD = {"auto_recording": "cloud"}


@pytest.fixture
def recorded(zoom: Zoom) -> tuple[Zoom, Json]:
    """A Zoom with one recorded meeting."""
    meeting = zoom.meeting(settings=CLOUD)
    zoom.hold(meeting["id"])
    return zoom, meeting


def files(zoom: Zoom, meeting: Json) -> list[Json]:
    """The files of a meeting."""
    found: list[Json] = zoom.get(f"/v2/meetings/{meeting['id']}/recordings").json()["recording_files"]
    return found


def test_a_recording_comes_about(recorded: tuple[Zoom, Json]) -> None:
    """A recording is started, stopped, processed and completed; the event has a download token at its top level."""
    zoom, meeting = recorded
    names = [each for each in zoom.endpoint.names() if each.startswith("recording.")]
    assert names == ["recording.started", "recording.stopped", "recording.completed"]
    event = zoom.endpoint.events("recording.completed")[0].json
    shown = event["payload"]["object"]
    assert event["download_token"]
    assert (shown["id"], shown["uuid"], shown["recording_count"]) == (meeting["id"], meeting["uuid"], 3)
    assert {each["file_type"] for each in shown["recording_files"]} == {"MP4", "M4A", "TIMELINE"}
    assert [each["file_type"] for each in shown["recording_files"] if "play_url" not in each] == ["TIMELINE"]
    started = zoom.endpoint.events("recording.started")[0].json["payload"]["object"]
    assert started["recording_file"]["recording_end"] == ""


def test_an_open_end_can_be_null() -> None:
    """A switch makes an open end null, as in older documentation."""
    zoom = Zoom(unfinished_recording_end="null")
    zoom.connect()
    meeting = zoom.meeting(settings=CLOUD)["id"]
    zoom.act(meeting, "start")
    shown = zoom.deliver().events("recording.started")[0].json["payload"]["object"]
    assert shown["recording_file"]["recording_end"] is None


def test_twins() -> None:
    """A switch sends `recording.completed` twice, with the same files and different tokens."""
    zoom = Zoom(twin_recordings=True)
    zoom.connect()
    zoom.hold(zoom.meeting(settings=CLOUD)["id"])
    first, second = (each.json for each in zoom.endpoint.events("recording.completed"))
    assert first["payload"] == second["payload"]
    assert first["download_token"] != second["download_token"]


def test_transcripts_come_later() -> None:
    """With an event of their own; until then there is none (3322)."""
    zoom = Zoom(transcripts=True, transcript_seconds=60.0)
    zoom.connect()
    meeting = zoom.meeting(settings=CLOUD)["id"]
    zoom.hold(meeting)
    path = f"/v2/meetings/{meeting}/transcript"
    assert zoom.get(path).json()["code"] == 3322
    zoom.advance(60)
    assert len(zoom.endpoint.events("recording.transcript_completed")) == 1
    assert zoom.get(path).json()["can_download"] is True
    assert zoom.delete(path).status_code == 204
    assert zoom.get(path).status_code == 404


def test_by_hand_with_pauses_and_segments(zoom: Zoom) -> None:
    """A recording in two segments has twice the files."""
    meeting = zoom.meeting()

    def record() -> None:
        for action in ("record", "pause-recording", "resume-recording", "stop-recording", "record", "chat"):
            zoom.act(meeting["id"], action)

    zoom.hold(meeting["id"], record)
    assert len(files(zoom, meeting)) == 8


def test_processing_is_a_3301_too(zoom: Zoom) -> None:
    """A recording that is still processed is answered with 3301 and another text."""
    meeting = zoom.meeting(settings=CLOUD)["id"]
    path = f"/v2/meetings/{meeting}/recordings"
    none = zoom.get(path)
    zoom.act(meeting, "start")
    zoom.act(meeting, "end")
    processing = zoom.get(path)
    assert none.status_code == processing.status_code == 404
    assert none.json()["code"] == processing.json()["code"] == 3301
    assert none.json()["message"] != processing.json()["message"]


def test_a_free_plan_records_nothing() -> None:
    """On a free plan, recording fails both automatically and by hand."""
    zoom = Zoom(plan="free")
    zoom.connect()
    meeting = zoom.meeting(settings=CLOUD)["id"]
    zoom.act(meeting, "start")
    assert zoom.post(f"/_sim/meetings/{meeting}/record").status_code == 409
    assert zoom.deliver().events("recording.started") == []


def test_the_list(recorded: tuple[Zoom, Json]) -> None:
    """The list has today's recordings by default and a month at most, and its `type` is a text."""
    zoom, meeting = recorded
    path = "/v2/users/me/recordings"
    (listed,) = zoom.get(path).json()["meetings"]
    assert (listed["id"], listed["type"]) == (meeting["id"], "2")
    assert zoom.get(f"{path}?from=2026-11-01&to=2026-11-17").json()["meetings"] == []
    assert len(zoom.get(f"{path}?from=2026-11-01&to=2026-11-18").json()["meetings"]) == 1
    assert len(zoom.get(f"{path}?from=2026-11-18+00:00:00&to=2026-11-18T23:59:59Z").json()["meetings"]) == 1
    assert zoom.get(f"{path}?meeting_id=1").json()["meetings"] == []


def test_of_a_long_span_zoom_lists_the_last_month(recorded: tuple[Zoom, Json]) -> None:
    """The answer is a 200 with another `from` than the requested one. A switch makes it a refusal."""
    zoom, _ = recorded
    path = "/v2/users/me/recordings?from=2026-01-01&to=2026-11-18"
    page = zoom.get(path).json()
    assert (page["from"], page["to"], len(page["meetings"])) == ("2026-10-19", "2026-11-18", 1)
    zoom.sim.behaviour.long_spans = "refuse"
    assert zoom.get(path).json()["code"] == 300


def test_the_trash_is_not_filtered_by_date(recorded: tuple[Zoom, Json]) -> None:
    """Whatever span is asked for, all of it comes."""
    zoom, meeting = recorded
    zoom.delete(f"/v2/meetings/{meeting['id']}/recordings")
    assert len(zoom.get("/v2/users/me/recordings?trash=true&from=2026-01-01&to=2026-01-02").json()["meetings"]) == 1


def test_timeline_files_have_little_to_show(recorded: tuple[Zoom, Json]) -> None:
    """A timeline file has no id, size or status in the REST API."""
    (timeline,) = [each for each in files(*recorded) if each["file_type"] == "TIMELINE"]
    assert not {"id", "status", "file_size", "recording_type", "play_url"} & set(timeline)


def test_one_file_to_the_trash_and_back(recorded: tuple[Zoom, Json]) -> None:
    """One file is moved to the trash, recovered, and then deleted permanently."""
    zoom, meeting = recorded
    video = files(zoom, meeting)[0]
    path = f"/v2/meetings/{meeting['id']}/recordings/{video['id']}"
    assert zoom.delete(path).status_code == 204
    assert len(files(zoom, meeting)) == 2
    listed = zoom.get("/v2/users/me/recordings?trash=true&trash_type=recording_file").json()["meetings"]
    assert [each["id"] for each in listed[0]["recording_files"]] == [video["id"]]
    assert zoom.delete(path).json()["code"] == 3301
    assert zoom.put(f"{path}/status", {"action": "recover"}).status_code == 204
    assert len(files(zoom, meeting)) == 3
    assert zoom.delete(f"{path}?action=delete").status_code == 204
    assert zoom.put(f"{path}/status", {"action": "recover"}).status_code == 404
    names = [each for each in zoom.deliver().names() if each in ("recording.trashed", "recording.deleted")]
    assert names == ["recording.trashed", "recording.deleted"]


def test_all_to_the_trash_and_back(recorded: tuple[Zoom, Json]) -> None:
    """Recovering by UUID answers 200 without a body; after thirty days it is too late."""
    zoom, meeting = recorded
    path = f"/v2/meetings/{meeting['id']}/recordings"
    uuid = meeting["uuid"].replace("/", "%2F")
    assert zoom.delete(path).status_code == 204
    assert zoom.get(path).json()["code"] == 3301
    assert len(zoom.get("/v2/users/me/recordings?trash=true").json()["meetings"]) == 1
    recovered = zoom.put(f"/v2/meetings/{uuid}/recordings/status", {"action": "recover"})
    assert (recovered.status_code, recovered.content) == (200, b"")
    assert len(files(zoom, meeting)) == 3
    zoom.delete(path)
    zoom.advance(31 * 86_400)
    zoom.connect()
    assert zoom.put(f"/v2/meetings/{uuid}/recordings/status", {"action": "recover"}).status_code == 404


def test_deleting_for_good(recorded: tuple[Zoom, Json]) -> None:
    """A permanently deleted recording cannot be recovered."""
    zoom, meeting = recorded
    path = f"/v2/meetings/{meeting['id']}/recordings"
    assert zoom.delete(f"{path}?action=delete").status_code == 204
    assert zoom.delete(f"{path}?action=shred").json()["code"] == 300
    assert zoom.put(f"{path}/status", {"action": "recover"}).json()["code"] == 3301
    assert len(zoom.deliver().events("recording.deleted")) == 1


def test_an_unfinished_recording_cannot_be_deleted(zoom: Zoom) -> None:
    """Deleting an unfinished recording is refused with 3303."""
    meeting = zoom.meeting(settings=CLOUD)["id"]
    zoom.act(meeting, "start")
    assert zoom.delete(f"/v2/meetings/{meeting}/recordings/x").json()["code"] == 3303


def test_settings_and_renaming(recorded: tuple[Zoom, Json]) -> None:
    """A new topic is an event."""
    zoom, meeting = recorded
    path = f"/v2/meetings/{meeting['id']}/recordings/settings"
    assert zoom.patch(path, {"topic": "Renamed", "viewer_download": False}).status_code == 204
    shown = zoom.get(path).json()
    assert (shown["topic"], shown["viewer_download"]) == ("Renamed", False)
    (event,) = zoom.deliver().events("recording.renamed")
    assert event.json["payload"]["old_object"]["topic"] == "Weekly"
    assert zoom.patch(path, {"share_recording": "everywhere"}).json()["code"] == 300


def test_colleagues_see_nothing(recorded: tuple[Zoom, Json]) -> None:
    """A colleague's recording is refused with 3301."""
    zoom, meeting = recorded
    zoom.connect("basil@zoom.example")
    assert zoom.get(f"/v2/meetings/{meeting['id']}/recordings").json()["code"] == 3301


def test_recordings_of_the_personal_room_go_by_its_number(zoom: Zoom) -> None:
    """Events and the REST API give recordings of the personal room its number."""
    meeting = zoom.meeting(settings={**CLOUD, "use_pmi": True})
    zoom.hold(meeting["id"])
    completed = zoom.endpoint.events("recording.completed")[0].json["payload"]["object"]
    assert str(completed["id"]) == meeting["pmi"]
    assert zoom.get(f"/v2/meetings/{meeting['pmi']}/recordings").json()["id"] == completed["id"]


def test_one_event_for_each_segment() -> None:
    """Recording stopped and started again: an event with its own files each time; REST shows them all."""
    zoom = Zoom(split_recordings=True)
    zoom.connect()
    meeting = zoom.meeting(settings=CLOUD)["id"]

    def again() -> None:
        zoom.act(meeting, "stop-recording")
        zoom.act(meeting, "record")

    zoom.hold(meeting, again)
    events = [each.json["payload"]["object"] for each in zoom.endpoint.events("recording.completed")]
    files = [{file["id"] for file in each["recording_files"]} for each in events]
    assert [each["recording_count"] for each in events] == [3, 3]
    assert files[0].isdisjoint(files[1])
    assert len({each["uuid"] for each in events}) == 1
    shown = zoom.get(f"/v2/meetings/{meeting}/recordings").json()["recording_files"]
    assert len(shown) == 6
