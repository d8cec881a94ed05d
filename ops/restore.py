"""`make restore`: copies items that a table of the stack lacks from a restored table. Without `--yes` it is a dry run.

An item that exists in the stack is newer and stays as it is, also one that is written meanwhile. The command can be
repeated at any time.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops.deployed import add_arguments, deployed, run
from ops.key_table import NoStack
from zoom_common.aws.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = {"connections": "ConnectionsTable", "events": "EventsTable"}


def main(given: list[str] | None = None) -> int:
    """Return the exit status: 1 when there is no such stack or table."""
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__)
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument("--from", dest="restored", required=True, metavar="TABLE", help="the restored table's name")
    parser.add_argument("--pk", help="only items of this partition key")
    parser.add_argument("--yes", action="store_true", help="do it; without, only say what would be done")
    add_arguments(parser)
    arguments = parser.parse_args(given)
    try:
        stack = deployed(arguments)
        dynamodb, table = stack.client("dynamodb"), stack.resource(TABLES[arguments.table])
        seen, missing = copy(dynamodb, arguments.restored, table, pk=arguments.pk, write=arguments.yes)
    except (NoStack, ClientError) as problem:
        print(problem, file=sys.stderr)
        return 1
    did = "copied" if arguments.yes else "missing. The same with --yes copies them"
    print(f"{seen} items in {arguments.restored}, {missing} {did}.")
    return 0


def copy(dynamodb: DynamoDBClient, source: str, target: str, *, pk: str | None, write: bool) -> tuple[int, int]:
    """Return how many items the source has and how many the target lacked. With `write`, copy those.

    Raises ClientError for every refusal of DynamoDB, except that an item exists.
    """
    seen = missing = 0
    for page in Table(dynamodb, source).pages("scan", ConsistentRead=True):
        for item in page["Items"]:
            if pk is not None and item["pk"] != {"S": pk}:
                continue
            seen += 1
            missing += _put(dynamodb, target, item) if write else _lacks(dynamodb, target, item)
    return seen, missing


def _lacks(dynamodb: DynamoDBClient, target: str, item: Any) -> bool:
    key = {"pk": item["pk"], "sk": item["sk"]}
    asked = dynamodb.get_item(TableName=target, Key=key, ConsistentRead=True, ProjectionExpression="pk")
    return "Item" not in asked


def _put(dynamodb: DynamoDBClient, target: str, item: Any) -> bool:
    try:
        dynamodb.put_item(TableName=target, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


if __name__ == "__main__":
    run(main)
