"""Files of a job: an uploaded file becomes rows, and the rows become the file of results and the list to undo them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zoom_common.errors import InvalidRequest
from zoom_common.jobs import spreadsheet
from zoom_common.jobs.model import MOST_ROWS, Job, Row, RowState
from zoom_common.jobs.store import JobStore

_PAGE = 500
# What a spreadsheet program takes for the beginning of a formula.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
COLUMNS = ("row", "line", "state", "status", "code", "error", "message", "id", "uuid", "registrant_id", "join_url")
_NAMED = ("id", "uuid", "registrant_id", "join_url")

# What undoes an operation: the operation, the member that names the thing, and where its value comes from.
_UNDONE_BY: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "meetings.create": ("meetings.delete", {"meetingId": "id"}),
    "webinars.create": ("webinars.delete", {"webinarId": "id"}),
    "users.create": ("users.delete", {"userId": "id"}),
    "meetings.registrants.add": ("meetings.registrants.delete", {"meetingId": "", "registrantId": "registrant_id"}),
    "webinars.registrants.add": ("webinars.registrants.delete", {"webinarId": "", "registrantId": "registrant_id"}),
}


class Unusable(Exception):
    """A file that no rows can be read from. `reason` is for machines, the text for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def store_rows(store: JobStore, job: Job, content: bytes) -> int:
    """Write the rows of a file to the ledger and return how many there are. Raises Unusable before writing any."""
    keep = job.request.get("duplicates") == "keep"
    try:
        rows = sum(1 for _ in spreadsheet.read(content, keep_duplicates=keep))
    except InvalidRequest as unreadable:
        raise Unusable("file_unreadable", " ".join(each.message for each in unreadable.fields)) from None
    if rows == 0:
        raise Unusable("file_empty", "The file has no rows below its first one.")
    if rows > MOST_ROWS:
        raise Unusable("too_many_rows", f"A job has at most {MOST_ROWS} rows. Split the file.")
    raws = spreadsheet.read(content, keep_duplicates=keep)
    store.put_rows(job, (_row_of(number, raw) for number, raw in enumerate(raws, start=1)))
    return rows


def _row_of(number: int, raw: spreadsheet.RawRow) -> Row:
    state = RowState.WAITING if raw.refusal is None else RowState.FAILED
    return Row(number=number, values=raw.values, line=raw.line, state=state, kind=raw.refusal, message=raw.message)


def ledger(store: JobStore, job: Job) -> Iterator[Row]:
    """Yield the rows of a job in the order of the input."""
    number, last = 1, job.rows or 0
    while number <= last:
        page = [row for row in store.rows(job, start=number, limit=_PAGE) if row.number <= last]
        yield from page
        if not page:
            return
        number = page[-1].number + 1


def results_as_csv(rows: Iterable[Row]) -> bytes:
    """Return the results as CSV that spreadsheet programs open, and in which they find no formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_harmless(value) for value in result(row).values()])
    return b"\xef\xbb\xbf" + text.getvalue().encode(errors="replace")


def results_as_json_lines(rows: Iterable[Row]) -> bytes:
    """Return the results with one JSON object a line."""
    lines = (json.dumps({name: each for name, each in result(row).items() if each is not None}) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def result(row: Row) -> dict[str, Any]:
    """Return one line of the results: Zoom's status and code, the ids that it gave, and why the row failed."""
    said = {"row": row.number, "line": row.line, "state": str(row.state), "status": row.status, "code": row.code}
    return {**said, "error": row.kind, "message": row.message, **{name: row.ids.get(name) for name in _NAMED}}


def _harmless(value: object) -> str:
    """Return a cell as text. An apostrophe before what looks like a formula makes it text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text


def undo_list(job: Job, rows: Iterable[Row]) -> dict[str, Any] | None:
    """Return the job that undoes what this one made, ready for `POST /jobs`; None when nothing undoes it."""
    undone = _UNDONE_BY.get(job.operation)
    if undone is None or job.dry_run:
        return None
    operation, members = undone
    found = []
    for row in rows:
        made = {name: row.ids.get(source) if source else _said(job, row, name) for name, source in members.items()}
        if row.state is RowState.SUCCEEDED and all(made.values()):
            found.append({**made, **_connection(job, row)})
    rule = job.request.get("connection")
    return {"operation": operation, **({"connection": rule} if rule is not None else {}), "rows": found}


def _said(job: Job, row: Row, name: str) -> str | None:
    """Return an id that the row itself named."""
    from zoom_common.jobs.mapping import ColumnMapping, members_of  # noqa: PLC0415 - the models, for this alone
    from zoom_common.zoom.operations.table import OPERATIONS  # noqa: PLC0415

    operation = next(each for each in OPERATIONS if each.name == job.operation)
    said = members_of(operation, ColumnMapping.of(job.request.get("mapping")), row.values or {}).get(name)
    return None if said is None else str(said)


def _connection(job: Job, row: Row) -> dict[str, Any]:
    rule = job.request.get("connection")
    column = str(rule["column"]) if isinstance(rule, dict) else None
    return {column: (row.values or {}).get(column)} if column else {}
