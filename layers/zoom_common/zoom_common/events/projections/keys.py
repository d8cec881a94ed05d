"""The partitions and sort keys of projections' records, within one tenant."""

from __future__ import annotations

# The definition of a meeting or webinar, with its plan.
DEFINITION = "definition"

# The definition has a field for each start that was planned once, in epoch milliseconds. Its value is the id of the
# occurrence, or True for a meeting that has none.
PLAN = "plans."

# Another field of the definition: the ids of all occurrences of a series, from an event or answer that lists them all.
LISTED = "listed"

# The name that a person had at a mark is a field of the session, by the mark's kind and moment: whoever leaves and
# rejoins may have one `user_id` and another name.
NAME_AT = "user_name."

# An instance, by uuid.
INSTANCE = "instance#"

# The meeting of an instance: in the partition of the uuid.
NUMBER = "number"

# People who wait for an instance, by uuid.
LOBBY = "lobby#"

# One session, by uuid and `user_id`.
SESSION = "session#"

REGISTRANT = "registrant#"

# The recording of an instance, by uuid, and its files.
RECORDING = "recording#"

FILE = "recording-file#"

# The result of comparing an instance with Zoom's report, by uuid.
COMPARED = "compared#"

# Marks that the attendance of an occurrence or of an unplanned instance was published as settled.
SETTLED = "settled#"

USERS = "users"

USER = "user#"


def partition(meeting: str) -> str:
    """Return the partition of one meeting or webinar."""
    return f"meeting#{meeting}"


def session_sort(uuid: str, session: str = "") -> str:
    """Return the sort key of one session, or the beginning of the sort keys of all sessions of an instance."""
    return f"{SESSION}{uuid}#{session}"


def file_sort(uuid: str, file: str = "") -> str:
    """Return the sort key of one file, or the beginning of the sort keys of all files of an instance."""
    return f"{FILE}{uuid}#{file}"


def name_at(kind: str, moment: int) -> str:
    """Return the field with the name that a person had at one mark, `moment` in epoch milliseconds."""
    return f"{NAME_AT}{kind}.{moment}"
