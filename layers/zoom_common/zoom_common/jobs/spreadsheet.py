"""Rows out of files as people have them: CSV in any usual form, and JSON lines.

Spreadsheet programs write CSV with commas, semicolons or tabs, in UTF-8 with a byte order mark, in UTF-16 or in the
code page of the machine. Cells are text here, whatever they hold: a formula is never computed.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from zoom_common.errors import FieldError, InvalidRequest

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
    """One row of a file. `line` is its row in the spreadsheet, whose first row is 1.

    `refusal` is the kind of fault that keeps it from being used, with `message` for people; both None for a good row.
    """

    line: int
    values: Mapping[str, Any] = field(repr=False)
    refusal: str | None = None
    message: str | None = field(default=None, repr=False)


def read(content: bytes, *, keep_duplicates: bool = False) -> Iterator[RawRow]:
    """Yield the rows of a file; empty ones are left out.

    A row that repeats an earlier one is refused, unless `keep_duplicates`. A file whose first character is `{` has a
    JSON object on each line; any other is CSV with names in its first row that is not empty. Raises InvalidRequest when
    the file cannot be read at all.
    """
    text = decoded(content)
    rows = _json_lines(text) if text.lstrip()[:1] == "{" else _csv_rows(text)
    return rows if keep_duplicates else _without_repeats(rows)


def decoded(content: bytes) -> str:
    """Return a file's text. Raises InvalidRequest when it is no text.

    A byte order mark decides. Without one it is UTF-16 if nearly every second byte of its beginning is zero, UTF-8 if
    it can be, else CP1252, which is what spreadsheet programs of Western Europe and America write as "CSV".
    """
    if len(content) > LARGEST_FILE:
        raise _unreadable(f"The file has more than {LARGEST_FILE // 1024 // 1024} MB. Split it into several jobs.")
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _guessed(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise _unreadable(f"The file is no valid {encoding}. Save it as CSV in UTF-8.") from None
    if "\0" in text:
        raise _unreadable("The file is no text. Save the spreadsheet as CSV in UTF-8 and send that.")
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
        raise _unreadable("The file is no CSV that can be read: a quoted cell may not be closed.") from None
    if names is None:
        raise _unreadable("The file is empty. Its first row has to name the columns.")


def _separator(text: str) -> tuple[str, str]:
    """Return the separator of the file, and the text without the line in which Excel names it (`sep=;`)."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=") + 1:
        return first.strip()[-1], "\n" + rest  # rows keep their numbers
    heading = _heading(text)
    return max(_SEPARATORS, key=heading.count), text


def _heading(text: str) -> str:
    """Return the first row that is not empty, without what stands in quotes."""
    quoted, found = False, []
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


def _unreadable(message: str) -> InvalidRequest:
    return InvalidRequest([FieldError("file", message)])
