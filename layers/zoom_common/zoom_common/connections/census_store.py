"""How many connections there are, by state: a scan, for once a day and never for a request."""

from __future__ import annotations

from collections import Counter

from zoom_common.aws.table import Table
from zoom_common.connections.model import ID_PREFIX, State
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable

_ONE_PAGE = 2.0


def census(table: Table, deadline: Deadline) -> dict[str, int]:
    """The number of connections in each state, none left out. Raises Unavailable, also when time runs out."""
    found: Counter[str] = Counter({str(state): 0 for state in State})
    pages = table.pages(
        "scan",
        ProjectionExpression="#state",
        FilterExpression="begins_with(#sk, :connection) AND attribute_exists(#state)",
        ExpressionAttributeNames={"#state": "state", "#sk": "sk"},
        ExpressionAttributeValues={":connection": {"S": ID_PREFIX}},
    )
    for page in pages:
        found.update(item["state"]["S"] for item in page["Items"])
        if not deadline.allows(_ONE_PAGE):
            raise Unavailable(reason="census_too_long")
    return dict(found)
