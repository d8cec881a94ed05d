"""Where the records of a projection are: partitions and sort keys, within one tenant."""

from __future__ import annotations

# What is planned of a meeting or webinar.
DEFINITION = "definition"

# A start that was planned once, in epoch milliseconds, is a field of the definition. Its value is the id of the
# occurrence, or True for a meeting that has none.
PLAN = "plans."

# The ids of all occurrences of a series, from an event or an answer that lists all of them: a field too.
LISTED = "listed"

# The name that a person had at a mark is a field of the session, by the mark's kind and moment: whoever leaves and
# rejoins may have one `user_id` and another name.
NAME_AT = "user_name."

# One time it was held, by uuid.
INSTANCE = "instance#"

# Which meeting an instance is of: in the partition of the uuid.
NUMBER = "number"

# That people wait for an instance, by uuid.
LOBBY = "lobby#"

# One session, by uuid and `user_id`.
SESSION = "session#"

REGISTRANT = "registrant#"

# The recording of an instance, by uuid, and its files.
RECORDING = "recording#"

FILE = "recording-file#"

# What came of comparing an instance with Zoom's report, by uuid.
COMPARED = "compared#"

# That the attendance of an occurrence or of an unplanned instance was published as settled.
SETTLED = "settled#"

USERS = "users"

USER = "user#"


def partition(meeting: str) -> str:
    """Where everything about one meeting or webinar is."""
    return f"meeting#{meeting}"


def session_sort(uuid: str, session: str = "") -> str:
    """Where one session is, or what the sort keys of all sessions of an instance begin with."""
    return f"{SESSION}{uuid}#{session}"


def file_sort(uuid: str, file: str = "") -> str:
    """Where one file is, or what the sort keys of all files of an instance begin with."""
    return f"{FILE}{uuid}#{file}"


def name_at(kind: str, moment: int) -> str:
    """Return the field with the name that a person had at one mark, `moment` in epoch milliseconds."""
    return f"{NAME_AT}{kind}.{moment}"
