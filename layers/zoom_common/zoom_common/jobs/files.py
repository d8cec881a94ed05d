"""Files of a job: turns an uploaded file into rows, and rows into the file of results and the list that undoes them.

Spreadsheet programs write CSV with commas, semicolons or tabs, in UTF-8 with a byte order mark, in UTF-16 or in the
code page of the machine. Cells are read as text: a formula is never computed.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.jobs.mapping import ColumnMapping, members_of
from zoom_common.jobs.model import MOST_ROWS, Job, Row, RowState, erased
from zoom_common.jobs.store import JobStore
from zoom_common.spreadsheets import harmless
from zoom_common.zoom.operations.table import named

LARGEST_FILE = 32 * 1024 * 1024
_LARGEST_CELL = 64 * 1024
_LARGEST_ROW = 256 * 1024
_SEPARATORS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of a file. `line` is its row in the spreadsheet, where the first row is 1.

    `refusal` is the kind of fault for which it cannot be used, with `message` for people. Both are None for a good row.
    """

    line: int
    values: Mapping[str, Any] = field(repr=False)
    refusal: str | None = None
    message: str | None = field(default=None, repr=False)


def read(content: bytes, *, keep_duplicates: bool = False) -> Iterator[RawRow]:
    """Yield the rows of a file; empty ones are left out.

    A row that repeats an earlier one is refused, unless `keep_duplicates`. A file that begins with `{` has a JSON
    object on each line; any other is CSV with the names in its first row that is not empty. Raises InvalidRequest when
    the file cannot be read at all.
    """
    text = decoded(content)
    rows = _json_lines(text) if text.lstrip()[:1] == "{" else _csv_rows(text)
    return rows if keep_duplicates else _without_repeats(rows)


def decoded(content: bytes) -> str:
    """Return a file's text. Raises InvalidRequest when it is not text.

    A byte order mark decides. Without one the file is UTF-16 if nearly every second byte of its beginning is zero,
    UTF-8 if it is valid, else CP1252, which spreadsheet programs of Western Europe and America write as "CSV".
    """
    if len(content) > LARGEST_FILE:
        raise _unreadable(f"The file has more than {LARGEST_FILE // 1024 // 1024} MB. Split it into several jobs.")
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _guessed(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise _unreadable(f"The file is no valid {encoding}. Save it as CSV in UTF-8.") from None
    if "\0" in text:
        raise _unreadable("The file is not a text file. Save the spreadsheet as CSV in UTF-8 and send that.")
    return text


def _guessed(content: bytes) -> str:
    head = content[:200]
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[start::2]
        if len(half) > 1 and half.count(0) > len(half) * 0.7:
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _csv_rows(text: str) -> Iterator[RawRow]:
    names: list[str] | None = None
    separator, text = _separator(text)
    csv.field_size_limit(_LARGEST_ROW)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for line, cells in enumerate(reader, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                names = _names(cells)
                continue
            yield _csv_row(line, names, cells)
    except csv.Error:
        raise _unreadable("The file cannot be read as CSV: a quoted cell may not be closed.") from None
    if names is None:
        raise _unreadable("The file is empty. Its first row has to name the columns.")


def _separator(text: str) -> tuple[str, str]:
    """Return the separator of the file, and the text without Excel's line that names it (`sep=;`)."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=") + 1:
        return first.strip()[-1], "\n" + rest  # keeps the numbers of the rows
    heading = _heading(text)
    return max(_SEPARATORS, key=heading.count), text


def _heading(text: str) -> str:
    """Return the first row that is not empty, without quoted text."""
    quoted, found = False, list[str]()
    for character in text[:_LARGEST_ROW]:
        if character == '"':
            quoted = not quoted
        elif character in "\r\n" and not quoted:
            if "".join(found).strip():
                break
            found = []
        elif not quoted:
            found.append(character)
    return "".join(found)


def _names(cells: Iterable[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if "" in names:
        at = names.index("") + 1
        raise _unreadable(f"Column {at} has no name. Name every column in the first row.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _unreadable(f"Two columns have the same name, the second is column {_last(names, twice)}. Rename one.")
    return names


def _last(names: list[str], name: str) -> int:
    return len(names) - names[::-1].index(name)


def _csv_row(line: int, names: list[str], cells: list[str]) -> RawRow:
    values = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
    more = [at for at, cell in enumerate(cells, start=1) if at > len(names) and cell.strip()]
    if more:
        message = f"Row {line}, column {more[0]}: this column has no name. Quote cells that hold the separator."
        return RawRow(line, values, "too_many_cells", message)
    long = next((name for name, cell in values.items() if len(cell) > _LARGEST_CELL), None)
    if long is not None:
        return RawRow(line, {}, "cell_too_long", f"Row {line}, column {long}: the cell is too long.")
    return RawRow(line, {name: cell for name, cell in values.items() if cell})


def _json_lines(text: str) -> Iterator[RawRow]:
    for line, written in enumerate(text.splitlines(), start=1):
        if not written.strip():
            continue
        try:
            values = json.loads(written)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            yield RawRow(line, {}, "invalid_json", f"Row {line}: the line has to be one JSON object.")
        elif len(written) > _LARGEST_ROW:
            yield RawRow(line, {}, "row_too_long", f"Row {line}: the line is too long.")
        else:
            yield RawRow(line, values)


def _without_repeats(rows: Iterable[RawRow]) -> Iterator[RawRow]:
    seen: dict[bytes, int] = {}
    for row in rows:
        digest = sha256(json.dumps(row.values, sort_keys=True).encode()).digest()[:16]
        first = seen.setdefault(digest, row.line)
        if row.refusal is None and first != row.line:
            message = f"Row {row.line} repeats row {first}. Delete it, or send the job with duplicates set to keep."
            yield RawRow(row.line, row.values, "duplicate_row", message)
        else:
            yield row


def without(content: bytes, named: Callable[[object], bool]) -> bytes | None:
    """Return a file without the rows in which `named` finds somebody, or None when there are none.

    Such a row is empty then, so that other rows keep their numbers. Raises InvalidRequest as `read` does.
    """
    text = decoded(content)
    if text.lstrip()[:1] == "{":
        lines = text.splitlines()
        kept = ["" if named(_loaded(line)) else line for line in lines]
        return None if kept == lines else "\n".join(kept).encode()
    separator, rest = _separator(text)
    csv.field_size_limit(_LARGEST_ROW)
    try:
        rows = list(csv.reader(io.StringIO(rest, newline=""), delimiter=separator))
    except csv.Error:
        raise _unreadable("The file is no CSV that can be read: a quoted cell may not be closed.") from None
    left: list[list[str]] = [[] if named([cell.strip() for cell in row]) else row for row in rows]
    if left == rows:
        return None
    written = io.StringIO()
    csv.writer(written, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(left)
    named_separator = "" if rest is text else f"sep={separator}"
    return b"\xef\xbb\xbf" + (named_separator + written.getvalue()).encode(errors="replace")


def _loaded(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return re.split(r"[\s\"',:;{}\[\]]+", line)


def _unreadable(message: str) -> InvalidRequest:
    return InvalidRequest([FieldError("file", message)])


_PAGE = 500
COLUMNS = ("row", "line", "state", "status", "code", "error", "message", "id", "uuid", "registrant_id", "join_url")
_NAMED = ("id", "uuid", "registrant_id", "join_url")

# What undoes an operation: the operation, the member that names the object, and where its value comes from.
_UNDONE_BY: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "meetings.create": ("meetings.delete", {"meetingId": "id"}),
    "webinars.create": ("webinars.delete", {"webinarId": "id"}),
    "users.create": ("users.delete", {"userId": "id"}),
    "meetings.registrants.add": ("meetings.registrants.delete", {"meetingId": "", "registrantId": "registrant_id"}),
    "webinars.registrants.add": ("webinars.registrants.delete", {"webinarId": "", "registrantId": "registrant_id"}),
}


class Unusable(Exception):
    """A file without usable rows. `reason` is for machines, the text for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def store_rows(store: JobStore, job: Job, content: bytes) -> int:
    """Store the rows of a file and return how many there are. Raises Unusable before writing any."""
    keep = job.request.get("duplicates") == "keep"
    try:
        rows = sum(1 for _ in read(content, keep_duplicates=keep))
    except InvalidRequest as unreadable:
        raise Unusable("file_unreadable", " ".join(each.message for each in unreadable.fields)) from None
    if rows == 0:
        raise Unusable("file_empty", "The file has no rows below its first one.")
    if rows > MOST_ROWS:
        raise Unusable("too_many_rows", f"A job has at most {MOST_ROWS} rows. Split the file.")
    raws = read(content, keep_duplicates=keep)
    store.put_rows(job, (_row_of(number, raw) for number, raw in enumerate(raws, start=1)))
    return rows


def _row_of(number: int, raw: RawRow) -> Row:
    state = RowState.WAITING if raw.refusal is None else RowState.FAILED
    return Row(number=number, values=raw.values, line=raw.line, state=state, kind=raw.refusal, message=raw.message)


def ledger(store: JobStore, job: Job) -> Iterator[Row]:
    """Yield the rows of a job in the order of the input. A row that was erased is returned as a failed one."""
    last = job.rows or 0
    for start in range(1, last + 1, _PAGE):
        found = {row.number: row for row in store.rows(job, start=start, limit=_PAGE)}
        yield from (found.get(at) or erased(at) for at in range(start, min(start + _PAGE, last + 1)))


def results_as_csv(rows: Iterable[Row]) -> bytes:
    """Return the results as CSV for spreadsheet programs, in which no cell is read as a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(["" if value is None else harmless(str(value)) for value in result(row).values()])
    return b"\xef\xbb\xbf" + text.getvalue().encode(errors="replace")


def results_as_json_lines(rows: Iterable[Row]) -> bytes:
    """Return the results with one JSON object a line."""
    lines = (json.dumps({name: each for name, each in result(row).items() if each is not None}) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def result(row: Row) -> dict[str, Any]:
    """Return one line of the results: Zoom's status and code, the ids in Zoom's answer, and why the row failed."""
    said = {"row": row.number, "line": row.line, "state": str(row.state), "status": row.status, "code": row.code}
    return {**said, "error": row.kind, "message": row.message, **{name: row.ids.get(name) for name in _NAMED}}


def undo_list(job: Job, rows: Iterable[Row]) -> dict[str, Any] | None:
    """Return the job that undoes what this one made, ready for `POST /jobs`, or None when nothing can undo it."""
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
    """Return an id that the row itself contained."""
    said = members_of(named(job.operation), ColumnMapping.of(job.request.get("mapping")), row.values or {}).get(name)
    return None if said is None else str(said)


def _connection(job: Job, row: Row) -> dict[str, Any]:
    rule = job.request.get("connection")
    column = str(rule["column"]) if isinstance(rule, dict) else None
    return {column: (row.values or {}).get(column)} if column else {}
