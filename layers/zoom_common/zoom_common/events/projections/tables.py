"""Attendance as rows: CSV for spreadsheets (RFC 4180) and JSON lines for programs, one line for each person."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from zoom_common.spreadsheets import harmless

CSV, JSON_LINES = "text/csv", "application/x-ndjson"

# The names of the forms in the header `Accept`.
FORMS: Mapping[str, str] = {
    "text/csv": CSV,
    "application/x-ndjson": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/json-lines": JSON_LINES,
}

_PERSON = ("name", "id", "user_email", "guest", "registrant_id", "customer_key")
_COLUMNS = (*_PERSON, "join_time", "leave_time", "present", "duration", "minutes", "share", "attended")
_SERIES_COLUMNS = (*_PERSON, "duration", "minutes", "occurrences_count")


def form_of(accept: str) -> str | None:
    """Return the media type that `Accept` names first, or None for JSON."""
    for each in accept.split(","):
        kind = each.partition(";")[0].strip().lower()
        if kind in {"application/json", "*/*", "application/*"}:
            return None
        if kind in FORMS:
            return FORMS[kind]
    return None


def rows(attendance: Mapping[str, Any], form: str) -> bytes:
    """Return the participants of an attendance or of a series in one of the forms, in UTF-8.

    A series has a column with the minutes of each occurrence, named after its planned start.
    """
    people = attendance["participants"]
    if form == JSON_LINES:
        return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in people).encode(errors="replace")
    series = "occurrences" in attendance
    columns = _SERIES_COLUMNS if series else _COLUMNS
    starts = [each["occurrence"] for each in attendance["occurrences"]] if series else []
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*columns, *starts])
    for each in people:
        minutes = [cell["minutes"] for cell in each["occurrences"]] if series else []
        writer.writerow([_cell(value) for value in (*map(each.get, columns), *minutes)])
    return text.getvalue().encode(errors="replace")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(str(value))  # people choose their names themselves, so a name may look like a formula
