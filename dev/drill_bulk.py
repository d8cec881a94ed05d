"""Directors of the procedures for jobs and for the archive."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import requests

from dev.demo import Story
from dev.drilling import Director, Drill, expect
from dev.waiting import wait_until
from zoom_common.archive.ledger import Ledger, settle
from zoom_common.archive.model import FileState, state_of
from zoom_common.aws.table import EVENTS, Table


def still_job(drill: Drill) -> Director:
    """Check that a paused job is listed, that a watch changes nothing, and that it continues when it is resumed."""
    with Story(drill.facts) as story:
        connection = story.connect()
    headers = {"Authorization": f"Bearer {drill.facts['api_key']}"}
    body = {"operation": "meetings.create", "rows": [{"topic": "Drill"}], "connection": connection, "dry_run": True}
    made = requests.post(f"{drill.facts['api_url']}/jobs", json=body, headers=headers, timeout=30).json()
    paused = requests.post(f"{drill.facts['api_url']}/jobs/{made['id']}/pause", headers=headers, timeout=30)
    printed = yield {}
    expect(made["id"] in printed, printed)
    printed = yield {}
    expect('"revived": 0' in printed, printed)
    if not paused.ok:  # it was done before it could be paused, so nothing is left to resume
        body["rows"] = [{"topic": f"Drill {at}"} for at in range(1000)]
        made = requests.post(f"{drill.facts['api_url']}/jobs", json=body, headers=headers, timeout=30).json()
        requests.post(
            f"{drill.facts['api_url']}/jobs/{made['id']}/pause", headers=headers, timeout=30
        ).raise_for_status()
    printed = yield {"JOB": made["id"]}
    expect(json.loads(printed)["state"] == "waiting", printed)


def failed_file(drill: Drill) -> Director:
    """Check that a file that was given up is listed with its reason, and kept after a retry."""
    tenant, api = drill.facts["tenant"], drill.facts["api_url"]
    headers = {"Authorization": f"Bearer {drill.facts['api_key']}"}
    before = requests.get(f"{api}/archive/policy", headers=headers, timeout=30).json()
    requests.put(f"{api}/archive/policy", json={}, headers=headers, timeout=30).raise_for_status()
    with Story(drill.facts) as story:
        story.program.headers["X-Zoom-Connection"] = story.connect()
        number = story.manage_meeting()
        story.hold_meeting(number)

    def archived() -> dict[str, Any]:
        found = requests.get(f"{api}/archive/recordings?meeting={number}", headers=headers, timeout=30).json()
        return dict(next(iter(found["recordings"]), {}))

    try:
        one = wait_until("the recording to be kept", archived, lambda found: found.get("state") == "kept")
        _give_up(drill, tenant, one["id"])
        printed = yield {}
        expect(one["id"] in printed, printed)
        printed = yield {"RECORDING": one["id"]}
        expect('"reason":"http_403"' in printed.replace(" ", ""), printed)
        printed = yield {"RECORDING": one["id"]}
        expect(json.loads(printed) == {"retried": 1}, printed)
        wait_until("the file to be kept again", archived, lambda found: found.get("state") == "kept")
        printed = yield {}
        expect('"duties"' in printed, printed)
    finally:
        kept = {"enabled": before["enabled"]}
        requests.put(f"{api}/archive/policy", json=kept, headers=headers, timeout=30).raise_for_status()


def _give_up(drill: Drill, tenant: str, recording: str) -> None:
    """Store a kept file as one that twelve runs could not copy."""
    ledger = Ledger(Table(drill.client("dynamodb"), drill.stack.resource("EventsTable"), EVENTS))
    found = ledger.read(tenant, recording)
    expect(found is not None, "the recording is not in the table")
    for file in found[1][:1] if found is not None else []:
        ledger.revise(file, now=time.time(), state=FileState.FAILED, reason="http_403")
    settle(ledger, tenant, recording, lambda each, files: replace(each, state=state_of(files)))
