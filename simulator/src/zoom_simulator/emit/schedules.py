"""Events of what is scheduled: definitions, registrations, recordings and summaries."""

from __future__ import annotations

from zoom_simulator.clock import iso, milliseconds
from zoom_simulator.emit.catalogue import both, event
from zoom_simulator.emit.scene import Scene
from zoom_simulator.hooks import bodies
from zoom_simulator.life.studio import TRANSCRIPT, new_file
from zoom_simulator.model import Json

HALF_AN_HOUR = 1800


def _operated(scene: Scene, shown: Json, **extra: object) -> Json:
    return {"account_id": scene.meeting.account_id, **bodies.operator(scene.host), **extra, "object": shown}


def _operation(scene: Scene) -> str:
    return "all" if scene.meeting.recurrence else "single"


@event(*both("created"), form="payload", itself=True)
def created(scene: Scene) -> Json:
    """Somebody schedules it."""
    return _operated(scene, bodies.created(scene.meeting, scene.sim.base_url), operation=_operation(scene))


@event(*both("updated"), form="payload", itself=True)
def updated(scene: Scene) -> Json:
    """Its topic changes."""
    before = bodies.comparable(scene.meeting, scene.sim.base_url)
    after = {**before, "topic": f"{scene.meeting.topic}, renamed"}
    payload = bodies.updated(scene.meeting, before, after, scene.now, host=scene.sim.behaviour.updated_host_id)
    return {"account_id": scene.meeting.account_id, **bodies.operator(scene.host), **payload}


@event(*both("deleted"), "meeting.recovered", *both("permanently_deleted"), form="payload", itself=True)
def gone(scene: Scene) -> Json:
    """It is deleted, comes back, or is gone for good."""
    return _operated(scene, bodies.scheduled(scene.meeting), operation=_operation(scene))


event("webinar.recovered", form="payload")(gone)


@event("meeting.converted_to_webinar", "webinar.converted_to_meeting", form="operated")
def converted(scene: Scene) -> Json:
    """One becomes the other."""
    return bodies.scheduled(scene.meeting) | {"type": 5 if scene.kind == "meeting" else 2}


@event(*both("registration_created"), itself=True)
def registered(scene: Scene) -> Json:
    """Somebody registers."""
    return {**bodies.scheduled(scene.meeting), "registrant": bodies.registrant(scene.registrant)}


@event(
    *both("registration_approved"),
    *both("registration_denied"),
    *both("registration_cancelled"),
    form="operated",
    itself=True,
)
def decided(scene: Scene) -> Json:
    """The host decides on a registration."""
    return {**bodies.scheduled(scene.meeting), "registrant": bodies.decided_registrant(scene.registrant)}


def _recorded(scene: Scene) -> Json:
    return bodies.recorded(scene.recording, scene.instance)


@event("recording.started", "recording.paused", "recording.resumed", "recording.stopped", itself=True)
def progress(scene: Scene) -> Json:
    """It is being recorded."""
    over = scene.name.endswith(("paused", "stopped"))
    span = {"recording_start": iso(scene.instance.started_at), "recording_end": scene.when if over else ""}
    return {**_recorded(scene), "recording_file": span}


@event("recording.completed", itself=True, download=True)
def completed(scene: Scene) -> Json:
    """Its files are there."""
    return scene.sim.studio.views.of_event(scene.recording, scene.recording.files)


@event("recording.transcript_completed", itself=True, download=True)
def transcript(scene: Scene) -> Json:
    """Its transcript is there."""
    segment = [scene.instance.started_at, scene.now]
    made = new_file(TRANSCRIPT, segment, scene.sim.ids, scene.sim.behaviour.recording_bytes)
    return scene.sim.studio.views.of_event(scene.recording, [made])


@event("recording.trashed", "recording.recovered", form="operated", itself=True, download=True)
@event("recording.deleted", form="operated", itself=True)
def recording_changed(scene: Scene) -> Json:
    """It is put into the bin, taken out, or deleted."""
    return scene.sim.studio.views.of_change(scene.recording, scene.recording.files)


@event("recording.renamed", form="payload", itself=True)
def recording_renamed(scene: Scene) -> Json:
    """Its topic changes."""
    shown = {name: value for name, value in _recorded(scene).items() if name in bodies.OF_RENAMED}
    old = {**shown, "topic": f"{shown['topic']}, before"}
    return _operated(scene, shown, time_stamp=milliseconds(scene.now), old_object=old)


@event("recording.batch_deleted", "recording.batch_recovered", form="operated")
def recordings_changed(scene: Scene) -> Json:
    """Several recordings at once are deleted, or taken out of the bin."""
    files = [each.id for each in scene.recording.files]
    return {"meetings": [{"meeting_uuid": scene.recording.uuid, "recording_file_ids": files}]}


@event("recording.batch_trashed", form="payload")
def recordings_trashed(scene: Scene) -> Json:
    """All recordings of a user are put into the bin."""
    return _operated(scene, {"meeting_uuids": [scene.recording.uuid]}, operation="trash_user_recordings")


@event("recording.registration_created")
def recording_registered(scene: Scene) -> Json:
    """Somebody registers to watch it."""
    person = bodies.registrant(scene.registrant)
    del person["join_url"]
    return {**_recorded(scene), "registrant": person}


@event("recording.registration_approved", "recording.registration_denied", form="operated")
def recording_decided(scene: Scene) -> Json:
    """The host decides who may watch it."""
    person = bodies.decided_registrant(scene.registrant)
    del person["join_url"]
    return {**_recorded(scene), "registrant": person}


@event("recording.archive_files_completed", download=True)
def archived(scene: Scene) -> Json:
    """Its archive is there."""
    files = [
        {
            "id": each.id,
            "file_type": each.type,
            "file_extension": each.extension,
            "file_size": each.size,
            "download_url": f"{scene.sim.base_url}/rec/download/{each.key}",
            "status": "completed",
            "recording_type": each.recording_type,
            "individual": False,
            "storage_location": "EU",
        }
        for each in scene.recording.files
        if each.type in ("MP4", "M4A")
    ]
    return {
        **_recorded(scene),
        "duration_in_second": scene.instance.duration * 60,
        "total_size": sum(each.size for each in scene.recording.files),
        "recording_count": len(files),
        "meeting_type": "internal",
        "account_name": scene.sim.state.accounts[scene.meeting.account_id].name,
        "complete_time": scene.when,
        "is_breakout_room": False,
        "archive_files": files,
    }


@event("recording.cloud_storage_usage_updated")
def storage(_: Scene) -> Json:
    """The storage fills."""
    return {
        "free_storage": "1.65 GB",
        "plan_storage": "40 GB",
        "plan_type": "cmr_monthly_commitment_40",
        "storage_used": "33.2 GB",
        "storage_used_percentage": 80,
        "storage_exceed": "0",
        "max_exceed_date": "",
    }


def _summary(scene: Scene) -> Json:
    begin, end = iso(scene.instance.started_at), iso(scene.instance.ended_at or scene.now)
    return {
        "meeting_host_id": scene.host.id,
        "meeting_host_email": scene.host.email,
        "meeting_uuid": scene.instance.uuid,
        "meeting_id": scene.instance.shown_id,
        "meeting_topic": scene.instance.topic,
        "meeting_start_time": begin,
        "meeting_end_time": end,
        "summary_start_time": begin,
        "summary_end_time": end,
        "summary_created_time": end,
        "summary_last_modified_time": scene.when,
        "summary_title": f"Meeting summary for {scene.instance.topic}",
    }


def _written() -> Json:
    said = "We agreed to meet again."
    return {
        "summary_overview": said,
        "summary_details": [{"label": "Next meeting", "summary": said}],
        "next_steps": ["Find a date"],
        "summary_content": f"## Key takeaways\n- {said}\n",
    }


@event("meeting.summary_completed")
def summarised(scene: Scene) -> Json:
    """The AI Companion has written a summary."""
    return _summary(scene) | _written()


@event("meeting.summary_updated", form="operated")
def summary_updated(scene: Scene) -> Json:
    """Somebody corrects the summary."""
    author = {
        "summary_last_modified_user_id": scene.host.id,
        "summary_last_modified_user_email": scene.host.email,
    }
    text = {"summary_overview": "Corrected", "summary_details": "Corrected", "next_steps": ["Find a date"]}
    return _summary(scene) | author | _written() | {"edited_summary": text}


@event("meeting.summary_shared", form="operated")
def summary_shared(scene: Scene) -> Json:
    """Somebody shares the summary."""
    return _summary(scene) | {"share_with_users": [{"user_email": scene.user.email}]}


@event("meeting.summary_deleted", "meeting.summary_recovered", "meeting.summary_trashed", form="operated")
def summary_changed(scene: Scene) -> Json:
    """The summary is put into the bin, taken out, or deleted."""
    return _summary(scene)


def _companion(scene: Scene, **what: object) -> Json:
    return {
        "meeting_number": scene.instance.shown_id,
        "meeting_uuid": scene.instance.uuid,
        "host_id": scene.host.id,
        "ai_companion": what,
    }


@event("meeting.ai_companion_started", "meeting.ai_companion_stopped")
def companion(scene: Scene) -> Json:
    """The AI Companion listens, or stops."""
    return _companion(scene, summary=True)


@event("meeting.ai_companion_assets_deleted")
def companion_assets(scene: Scene) -> Json:
    """What the AI Companion made is deleted."""
    return _companion(scene, deleted_assets=["transcripts"])


@event("meeting.aic_transcript_completed")
def companion_transcript(scene: Scene) -> Json:
    """The AI Companion's transcript is there."""
    return {
        "host_id": scene.host.id,
        "meeting_uuid": scene.instance.uuid,
        "meeting_id": scene.instance.shown_id,
        "meeting_topic": scene.instance.topic,
        "meeting_start_time": iso(scene.instance.started_at),
        "file_id": scene.sim.ids.opaque(),
        "attach_type": "durable_transcript",
    }
