"""Files as spreadsheet programs write them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import InvalidRequest
from zoom_common.jobs.files import (
    LARGEST_FILE,
    RawRow,
    decoded,
    read,
    results_as_csv,
    results_as_json_lines,
    without,
)
from zoom_common.jobs.model import Row, RowState

TEXT = "Thema;Gäste\r\nGespräch;5\r\n"


def values(content: bytes, **more: Any) -> list[dict[str, Any]]:
    return [dict(row.values) for row in read(content, **more)]


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.encode("cp1252"),
        TEXT.replace(";", ",").encode(),
        TEXT.replace(";", "\t").encode("utf-16"),
        TEXT.replace("\r\n", "\n").encode(),
        ("sep=;\r\n" + TEXT).encode(),
        ("\r\n\r\n" + TEXT + ";\r\n\r\n").encode(),
        b'"Thema";"G\xc3\xa4ste"\r\n"Gespr\xc3\xa4ch";"5"\r\n',
    ],
)
def test_a_table_is_read_however_it_was_written(content: bytes) -> None:
    """Encodings with and without a byte order mark, separators, ends of lines, quotes, empty rows."""
    assert values(content) == [{"Thema": "Gespräch", "Gäste": "5"}]


def test_a_quoted_cell_may_hold_anything() -> None:
    """Newlines, separators and quotes."""
    content = b'topic,agenda\n"A, B","one\ntwo ""three"""\nC,\n'
    assert values(content) == [{"topic": "A, B", "agenda": 'one\ntwo "three"'}, {"topic": "C"}]


def test_a_formula_is_text() -> None:
    """It is passed on as it stands, and nothing is computed."""
    assert values(b"topic\n=1+1\n") == [{"topic": "=1+1"}]


def test_rows_keep_their_number_in_the_spreadsheet() -> None:
    """Empty rows are left out and counted, so that a refusal names the row that people see."""
    rows = list(read(b"\ntopic,x\nA,1\n,\nB,2\n"))
    assert [(row.line, row.values["topic"]) for row in rows] == [(3, "A"), (5, "B")]


def test_a_row_that_repeats_another_is_refused() -> None:
    """It names the first one; whoever wants both says so."""
    content = b"topic,x\nA,1\nB,1\nA,1\n"
    rows = list(read(content))
    assert [row.refusal for row in rows] == [None, None, "duplicate_row"]
    assert rows[2].message == "Row 4 repeats row 2. Delete it, or send the job with duplicates set to keep."
    assert [row.refusal for row in read(content, keep_duplicates=True)] == [None, None, None]


def test_a_row_with_too_many_cells_is_refused() -> None:
    """Most often a separator that nobody quoted: the row and the column are named."""
    (row,) = read(b"topic,x\nA,1,2\n")
    assert (row.refusal, row.line) == ("too_many_cells", 2)
    assert row.message == "Row 2, column 3: this column has no name. Quote cells that hold the separator."


def test_json_lines_are_rows_too() -> None:
    """One object a line; a line that is none is refused alone."""
    rows = list(read(b'{"topic": "A", "type": 2}\n\n[1]\n{"topic"\n'))
    assert rows[0] == RawRow(1, {"topic": "A", "type": 2})
    assert [(row.line, row.refusal) for row in rows[1:]] == [(3, "invalid_json"), (4, "invalid_json")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"topic,,x\n1,2,3\n", "Column 2 has no name"),
        (b"topic,topic\n1,2\n", "the second is column 2"),
        (b"PK\x03\x04" + bytes(200), "not a text file"),
        (b"\xef\xbb\xbf\xff\xff", "no valid utf-8-sig"),
        (b"a" * (LARGEST_FILE + 1), "more than 32 MB"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(content: bytes, message: str) -> None:
    """With what to do about it."""
    with pytest.raises(InvalidRequest) as refused:
        list(read(content))
    assert message in refused.value.fields[0].message


EVIL = ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\uff1d1"]


@pytest.mark.parametrize("text", EVIL)
def test_results_open_without_running_anything(text: str) -> None:
    """A message or an id that looks like a formula is text, for every spreadsheet program."""
    row = Row(number=1, values={}, state=RowState.FAILED, kind="zoom", message=text, ids={"id": text})
    content = results_as_csv([row])
    assert content.startswith(b"\xef\xbb\xbf")
    (found,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert found["message"] == found["id"] == "'" + text


def test_results_as_json_lines_are_as_they_are() -> None:
    """Programs get no apostrophes, and no members without a value."""
    row = Row(number=3, values={}, line=4, state=RowState.FAILED, status=404, code=1001, kind="k", message="=m")
    assert json.loads(results_as_json_lines([row])) == {
        "row": 3,
        "line": 4,
        "state": "failed",
        "status": 404,
        "code": 1001,
        "error": "k",
        "message": "=m",
    }


ADA = ErasureTarget.person("acme", email="ada@acme.example")


@pytest.mark.parametrize(
    "content",
    [
        "Name;Mail\r\nAda;ADA@acme.example\r\nBob;bob@acme.example\r\n".encode("cp1252"),
        'sep=;\r\nName, first;Mail\r\n"A\nda"; ada@acme.example \r\nBob;bob@acme.example\r\n'.encode("utf-16"),
        b'"Name, first, or what, you, will";Mail\nAda;x;ada@acme.example\nBob;bob@acme.example\n',
        b'{"n": "Ada", "Mail": "ada@acme.example"}\n{"n": "Bob", "Mail": "bob@acme.example"}\n',
        b'{"n": "Ada", broken "ada@acme.example"}\n{"n": "Bob", "Mail": "bob@acme.example"}\n',
    ],
)
def test_rows_that_name_a_person_are_emptied_in_a_file(content: bytes) -> None:
    """All others are read as before, with the numbers that they had."""
    left = without(content, ADA.is_named_in)
    assert left is not None
    assert "ada@acme" not in decoded(left).lower()
    bob = next(row for row in read(content) if row.values.get("Mail") == "bob@acme.example")
    assert list(read(left)) == [bob]
    assert without(left, ADA.is_named_in) is None
