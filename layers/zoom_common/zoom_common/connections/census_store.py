"""How many connections there are, by state: a scan, for once a day and never for a request."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from zoom_common.aws_api.failures import translated
from zoom_common.connections.model import ID_PREFIX, State
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ONE_PAGE = 2.0


def census(dynamodb: DynamoDBClient, table: str, deadline: Deadline) -> dict[str, int]:
    """The number of connections in each state, none left out. Raises Unavailable, also when time runs out."""
    found: Counter[str] = Counter({str(state): 0 for state in State})
    with translated("connections_store_unavailable"):
        for page in dynamodb.get_paginator("scan").paginate(
            TableName=table,
            ProjectionExpression="#state",
            FilterExpression="begins_with(#sk, :connection) AND attribute_exists(#state)",
            ExpressionAttributeNames={"#state": "state", "#sk": "sk"},
            ExpressionAttributeValues={":connection": {"S": ID_PREFIX}},
        ):
            found.update(item["state"]["S"] for item in page["Items"])
            if not deadline.allows(_ONE_PAGE):
                raise Unavailable(reason="census_too_long")
    return dict(found)
