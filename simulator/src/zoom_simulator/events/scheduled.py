"""Events of what is scheduled: definitions, registrations, recordings and summaries."""

from __future__ import annotations

from zoom_simulator.clock import iso, milliseconds
from zoom_simulator.events.catalogue import both, event
from zoom_simulator.events.context import EventContext
from zoom_simulator.live.recordings import TRANSCRIPT, new_file
from zoom_simulator.model import Json
from zoom_simulator.webhooks import payloads

HALF_AN_HOUR = 1800


def _operated(context: EventContext, shown: Json, **extra: object) -> Json:
    return {"account_id": context.meeting.account_id, **payloads.operator(context.host), **extra, "object": shown}


def _operation(context: EventContext) -> str:
    return "all" if context.meeting.recurrence else "single"


@event(*both("created"), form="payload", itself=True)
def created(context: EventContext) -> Json:
    """Somebody schedules it."""
    return _operated(context, payloads.created(context.meeting, context.sim.base_url), operation=_operation(context))


@event(*both("updated"), form="payload", itself=True)
def updated(context: EventContext) -> Json:
    """Its topic changes."""
    before = payloads.comparable(context.meeting, context.sim.base_url)
    after = {**before, "topic": f"{context.meeting.topic}, renamed"}
    payload = payloads.updated(context.meeting, before, after, context.now, host=context.sim.behaviour.updated_host_id)
    return {"account_id": context.meeting.account_id, **payloads.operator(context.host), **payload}


@event(*both("deleted"), "meeting.recovered", *both("permanently_deleted"), form="payload", itself=True)
def gone(context: EventContext) -> Json:
    """It is deleted, comes back, or is gone for good."""
    return _operated(context, payloads.scheduled(context.meeting), operation=_operation(context))


event("webinar.recovered", form="payload")(gone)


@event("meeting.converted_to_webinar", "webinar.converted_to_meeting", form="operated")
def converted(context: EventContext) -> Json:
    """One becomes the other."""
    return payloads.scheduled(context.meeting) | {"type": 5 if context.kind == "meeting" else 2}


@event(*both("registration_created"), itself=True)
def registered(context: EventContext) -> Json:
    """Somebody registers."""
    return {**payloads.scheduled(context.meeting), "registrant": payloads.registrant(context.registrant)}


@event(
    *both("registration_approved"),
    *both("registration_denied"),
    *both("registration_cancelled"),
    form="operated",
    itself=True,
)
def decided(context: EventContext) -> Json:
    """The host decides on a registration."""
    return {**payloads.scheduled(context.meeting), "registrant": payloads.decided_registrant(context.registrant)}


def _recorded(context: EventContext) -> Json:
    return payloads.recorded(context.recording, context.instance)


@event("recording.started", "recording.paused", "recording.resumed", "recording.stopped", itself=True)
def progress(context: EventContext) -> Json:
    """It is being recorded."""
    over = context.name.endswith(("paused", "stopped"))
    span = {"recording_start": iso(context.instance.started_at), "recording_end": context.when if over else ""}
    return {**_recorded(context), "recording_file": span}


@event("recording.completed", itself=True, download=True)
def completed(context: EventContext) -> Json:
    """Its files are there."""
    return context.sim.recorder.views.of_event(context.recording, context.recording.files)


@event("recording.transcript_completed", itself=True, download=True)
def transcript(context: EventContext) -> Json:
    """Its transcript is there."""
    segment = [context.instance.started_at, context.now]
    made = new_file(TRANSCRIPT, segment, context.sim.ids, context.sim.behaviour.recording_bytes)
    return context.sim.recorder.views.of_event(context.recording, [made])


@event("recording.trashed", "recording.recovered", form="operated", itself=True, download=True)
@event("recording.deleted", form="operated", itself=True)
def recording_changed(context: EventContext) -> Json:
    """It is put into the bin, taken out, or deleted."""
    return context.sim.recorder.views.of_change(context.recording, context.recording.files)


@event("recording.renamed", form="payload", itself=True)
def recording_renamed(context: EventContext) -> Json:
    """Its topic changes."""
    shown = {name: value for name, value in _recorded(context).items() if name in payloads.OF_RENAMED}
    old = {**shown, "topic": f"{shown['topic']}, before"}
    return _operated(context, shown, time_stamp=milliseconds(context.now), old_object=old)


@event("recording.batch_deleted", "recording.batch_recovered", form="operated")
def recordings_changed(context: EventContext) -> Json:
    """Several recordings at once are deleted, or taken out of the bin."""
    files = [each.id for each in context.recording.files]
    return {"meetings": [{"meeting_uuid": context.recording.uuid, "recording_file_ids": files}]}


@event("recording.batch_trashed", form="payload")
def recordings_trashed(context: EventContext) -> Json:
    """All recordings of a user are put into the bin."""
    return _operated(context, {"meeting_uuids": [context.recording.uuid]}, operation="trash_user_recordings")


@event("recording.registration_created")
def recording_registered(context: EventContext) -> Json:
    """Somebody registers to watch it."""
    person = payloads.registrant(context.registrant)
    del person["join_url"]
    return {**_recorded(context), "registrant": person}


@event("recording.registration_approved", "recording.registration_denied", form="operated")
def recording_decided(context: EventContext) -> Json:
    """The host decides who may watch it."""
    person = payloads.decided_registrant(context.registrant)
    del person["join_url"]
    return {**_recorded(context), "registrant": person}


@event("recording.archive_files_completed", download=True)
def archived(context: EventContext) -> Json:
    """Its archive is there."""
    files = [
        {
            "id": each.id,
            "file_type": each.type,
            "file_extension": each.extension,
            "file_size": each.size,
            "download_url": f"{context.sim.base_url}/rec/download/{each.key}",
            "status": "completed",
            "recording_type": each.recording_type,
            "individual": False,
            "storage_location": "EU",
        }
        for each in context.recording.files
        if each.type in ("MP4", "M4A")
    ]
    return {
        **_recorded(context),
        "duration_in_second": context.instance.duration * 60,
        "total_size": sum(each.size for each in context.recording.files),
        "recording_count": len(files),
        "meeting_type": "internal",
        "account_name": context.sim.state.accounts[context.meeting.account_id].name,
        "complete_time": context.when,
        "is_breakout_room": False,
        "archive_files": files,
    }


@event("recording.cloud_storage_usage_updated")
def storage(_: EventContext) -> Json:
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


def _summary(context: EventContext) -> Json:
    begin, end = iso(context.instance.started_at), iso(context.instance.ended_at or context.now)
    return {
        "meeting_host_id": context.host.id,
        "meeting_host_email": context.host.email,
        "meeting_uuid": context.instance.uuid,
        "meeting_id": context.instance.shown_id,
        "meeting_topic": context.instance.topic,
        "meeting_start_time": begin,
        "meeting_end_time": end,
        "summary_start_time": begin,
        "summary_end_time": end,
        "summary_created_time": end,
        "summary_last_modified_time": context.when,
        "summary_title": f"Meeting summary for {context.instance.topic}",
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
def summarised(context: EventContext) -> Json:
    """The AI Companion has written a summary."""
    return _summary(context) | _written()


@event("meeting.summary_updated", form="operated")
def summary_updated(context: EventContext) -> Json:
    """Somebody corrects the summary."""
    author = {
        "summary_last_modified_user_id": context.host.id,
        "summary_last_modified_user_email": context.host.email,
    }
    text = {"summary_overview": "Corrected", "summary_details": "Corrected", "next_steps": ["Find a date"]}
    return _summary(context) | author | _written() | {"edited_summary": text}


@event("meeting.summary_shared", form="operated")
def summary_shared(context: EventContext) -> Json:
    """Somebody shares the summary."""
    return _summary(context) | {"share_with_users": [{"user_email": context.user.email}]}


@event("meeting.summary_deleted", "meeting.summary_recovered", "meeting.summary_trashed", form="operated")
def summary_changed(context: EventContext) -> Json:
    """The summary is put into the bin, taken out, or deleted."""
    return _summary(context)


def _companion(context: EventContext, **what: object) -> Json:
    return {
        "meeting_number": context.instance.shown_id,
        "meeting_uuid": context.instance.uuid,
        "host_id": context.host.id,
        "ai_companion": what,
    }


@event("meeting.ai_companion_started", "meeting.ai_companion_stopped")
def companion(context: EventContext) -> Json:
    """The AI Companion listens, or stops."""
    return _companion(context, summary=True)


@event("meeting.ai_companion_assets_deleted")
def companion_assets(context: EventContext) -> Json:
    """What the AI Companion made is deleted."""
    return _companion(context, deleted_assets=["transcripts"])


@event("meeting.aic_transcript_completed")
def companion_transcript(context: EventContext) -> Json:
    """The AI Companion's transcript is there."""
    return {
        "host_id": context.host.id,
        "meeting_uuid": context.instance.uuid,
        "meeting_id": context.instance.shown_id,
        "meeting_topic": context.instance.topic,
        "meeting_start_time": iso(context.instance.started_at),
        "file_id": context.sim.ids.opaque(),
        "attach_type": "durable_transcript",
    }
