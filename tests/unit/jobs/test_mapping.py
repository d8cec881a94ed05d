"""From the cells of a row to a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zoom_common.errors import InvalidRequest
from zoom_common.jobs.mapping import ColumnMapping, RowRefused, RowRequest, host_of, request_of
from zoom_common.zoom.operations.table import operations

BY_NAME = {each.name: each for each in operations()}
CREATE, GET, DELETE = BY_NAME["meetings.create"], BY_NAME["meetings.get"], BY_NAME["meetings.delete"]


def request(values: dict[str, Any], operation: str = "meetings.create", **mapping: Any) -> RowRequest:
    return request_of(BY_NAME[operation], ColumnMapping.of(mapping), values, as_text=True)


def refusal(values: dict[str, Any], operation: str = "meetings.create", **mapping: Any) -> list[tuple[str, str]]:
    with pytest.raises(RowRefused) as refused:
        request(values, operation, **mapping)
    return [(each.field, each.message) for each in refused.value.faults]


def test_columns_become_members() -> None:
    """Ids of the path, parameters of the query and the body, with levels by dots; other columns are left out."""
    made = request(
        {"Titel": "Standup", "Wer": "a@acme.example", "Warteraum": "ja", "Notiz": "x", "Dauer": "30"},
        columns={"Titel": "topic", "Wer": "userId", "Warteraum": "settings.waiting_room", "Dauer": "duration"},
        defaults={"type": 2, "settings.mute_upon_entry": True, "topic": "unused"},
    )
    assert made.ids == {"userId": "a@acme.example"}
    assert json.loads(made.body) == {
        "topic": "Standup",
        "type": 2,
        "duration": 30,
        "settings": {"waiting_room": True, "mute_upon_entry": True},
    }


def test_a_program_sends_members_as_zoom_has_them() -> None:
    """Objects and lists stay, and nothing is converted."""
    values = {"topic": "A", "settings": {"alternative_hosts": "b@x.example"}, "duration": 60}
    made = request_of(CREATE, ColumnMapping(), values, as_text=False)
    assert json.loads(made.body) == values
    assert made.ids == {"userId": "me"}


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("85123456789", "85123456789"),
        ("851 2345 6789", "85123456789"),
        ("851-2345-6789", "85123456789"),
        ("85123456789.0", "85123456789"),
        ("8.5123456789E+10", "85123456789"),
        ("8,5123456789E+10", "85123456789"),
        ("8.5123456789e10", "85123456789"),
        ("8.51234567890E+10", "85123456789"),
        (85123456789, "85123456789"),
        (85123456789.0, "85123456789"),
    ],
)
def test_a_number_that_a_spreadsheet_has_changed_is_read(cell: Any, number: str) -> None:
    """As long as all its digits are there."""
    made = request_of(GET, ColumnMapping(), {"meeting_id": cell}, as_text=True)
    assert made.ids == {"meetingId": number}


@pytest.mark.parametrize("cell", ["8.5E+10", "8,5E+10", "8.512346E+10"])
def test_a_number_without_all_its_digits_is_refused(cell: str) -> None:
    """The error names the column and the fix."""
    ((column, message),) = refusal({"Nr": cell}, "meetings.delete", columns={"Nr": "meetingId"})
    assert column == "Nr"
    assert message == "The spreadsheet has cut the number. Format the column as text and enter it again."


@pytest.mark.parametrize(
    ("cell", "locale", "moment"),
    [
        ("31.01.2030 09:30", "de-DE", "2030-01-31T09:30:00"),
        ("1.2.2030 9:05", "de-AT", "2030-02-01T09:05:00"),
        ("01/02/2030 9:05 PM", "en-US", "2030-01-02T21:05:00"),
        ("01/02/2030 12:05 am", "en-US", "2030-01-02T00:05:00"),
        ("01/02/2030 09:05", "en-GB", "2030-02-01T09:05:00"),
        ("2030/01/31 09:30", "ja-JP", "2030-01-31T09:30:00"),
        ("2030-01-31T09:30:00Z", "de-DE", "2030-01-31T09:30:00Z"),
        ("31.1.30 09:30", "de", "2030-01-31T09:30:00"),
    ],
)
def test_a_date_is_read_as_its_locale_writes_it(cell: str, locale: str, moment: str) -> None:
    """ISO 8601 is always read."""
    made = request({"topic": "A", "start_time": cell}, locale=locale)
    assert json.loads(made.body)["start_time"] == moment


def test_a_date_is_never_guessed() -> None:
    """Without a locale, and where the locale knows no such day, the row is refused."""
    assert refusal({"start_time": "01/02/2030 09:05"}) == [
        (
            "start_time",
            "Write 2030-01-31T09:30:00, or set mapping.locale to the form of your dates, such as de-DE.",
        )
    ]
    assert refusal({"Beginn": "31.02.2030 9:30"}, columns={"Beginn": "start_time"}, locale="de-DE") == [
        ("Beginn", "There is no such time, as de-DE writes it.")
    ]


def test_every_fault_of_a_row_is_named_with_its_column() -> None:
    """Those of the conversion, and those that Zoom's contract knows."""
    columns = {"Dauer": "duration", "Typ": "type", "Raum": "settings.waiting_room"}
    found = refusal({"Dauer": "lang", "Typ": "zwei", "Raum": "vielleicht"}, columns=columns)
    assert found == [
        ("Dauer", "Must be a whole number."),
        ("Typ", "Must be a whole number."),
        ("Raum", "Must be true or false."),
    ]
    ((column, _),) = refusal({"Typ": "17"}, columns=columns)
    assert column == "Typ"


def test_an_id_that_is_missing_is_named() -> None:
    """A meeting has to be named; an operation without a body takes no other members."""
    assert refusal({}, "meetings.delete") == [("meetingId", "Name the meetingId.")]
    assert refusal({"meetingId": "1", "topic": "x"}, "meetings.delete") == [
        ("topic", "meetings.delete has no such member.")
    ]
    made = request({"meetingId": "1", "occurrence_id": "2"}, "meetings.delete")
    assert made.query_string == "occurrence_id=2"


def test_whose_day_a_row_counts_for() -> None:
    """The user of the path, or whom it is scheduled for; of a meeting's number only Zoom knows the host."""
    mapping = ColumnMapping()
    assert host_of(CREATE, mapping, {"userId": "A@x.example"}) == "a@x.example"
    assert host_of(CREATE, mapping, {"schedule_for": "b@x.example"}) == "b@x.example"
    assert host_of(CREATE, mapping, {}) == "me"
    assert host_of(BY_NAME["meetings.update"], mapping, {"meetingId": 1}) == "?"
    assert host_of(DELETE, mapping, {"meetingId": 1}) is None


@pytest.mark.parametrize(
    "mapping",
    [[], {"columns": []}, {"columns": {"a": 1}}, {"defaults": []}, {"locale": 5}, {"locale": "!"}, {"more": 1}],
)
def test_a_mapping_is_checked(mapping: Any) -> None:
    """Each wrong member is named."""
    with pytest.raises(InvalidRequest) as refused:
        ColumnMapping.of(mapping)
    assert refused.value.fields[0].field.startswith("mapping")


def test_a_body_without_a_model_goes_out_as_members() -> None:
    """Zoom judges them; what it requires is asked for by name."""
    assert json.loads(request({"name": "Ours"}, "groups.create").body) == {"name": "Ours"}
    assert refusal({"other": "x"}, "users.password_update")[0][0] in {"password", "userId"}
