"""`make try-again`: tries the tokens of connections that were given up. Without `--yes` it is a dry run.

It takes one connection, a tenant's, or all of a stack. It leaves out connections that another tenant has connected
since, or whose person removed the app, because their tokens are not their own any more.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ops.deployed import Deployed, add_arguments, deployed, run
from ops.key_table import NoStack
from zoom_common.aws.items import from_item
from zoom_common.aws.table import CONNECTIONS, Table
from zoom_common.connections.model import ID_PREFIX, Connection, State
from zoom_common.connections.refresh.policy import may_be_tried_again
from zoom_common.connections.store import ConnectionStore, from_values
from zoom_common.errors import DependencyFailed


def main(given: list[str] | None = None) -> int:
    """Return 1 when there is no such connection, or one that was tried is still refused."""
    parser = argparse.ArgumentParser(prog="make try-again", description=__doc__)
    parser.add_argument("tenant", nargs="?", help="of one tenant; without it, --all")
    parser.add_argument("--connection", help="one connection of the tenant")
    parser.add_argument("--all", action="store_true", help="of every tenant")
    parser.add_argument("--yes", action="store_true", help="do it; without, only list what would be tried")
    add_arguments(parser)
    arguments = parser.parse_args(given)
    if bool(arguments.tenant) == arguments.all:
        parser.error("say which: a tenant, perhaps with --connection, or --all")
    if arguments.connection and not arguments.tenant:
        parser.error("--connection needs its tenant")
    try:
        return _run(deployed(arguments), arguments)
    except (NoStack, DependencyFailed) as problem:
        print(problem, file=sys.stderr)
        return 1


def _run(stack: Deployed, arguments: argparse.Namespace) -> int:
    table = Table(stack.client("dynamodb"), stack.resource("ConnectionsTable"), CONNECTIONS)
    found = [each for each in _connections(table, arguments) if may_be_tried_again(each)]
    if arguments.connection and not found:
        print("There is no such connection that may be tried again.", file=sys.stderr)
        return 1
    refused = 0
    for each in found:
        outcome = _try(stack, each) if arguments.yes else {}
        refused += outcome.get("state") == State.REAUTHORIZATION_REQUIRED
        print(json.dumps(_described(each) | outcome))
    print(f"{len(found)} tried." if arguments.yes else f"{len(found)} would be tried. The same with --yes does it.")
    return 1 if refused else 0


def _connections(table: Table, arguments: argparse.Namespace) -> Iterator[Connection]:
    store = ConnectionStore(table)
    if arguments.connection:
        one = store.get(arguments.tenant, arguments.connection)
        return iter([one] if one else [])
    return _of_tenant(store, arguments.tenant) if arguments.tenant else _of_all(table)


def _of_tenant(store: ConnectionStore, tenant: str) -> Iterator[Connection]:
    page = store.list(tenant)
    yield from page.connections
    while page.cursor is not None:
        page = store.list(tenant, cursor=page.cursor)
        yield from page.connections


def _of_all(table: Table) -> Iterator[Connection]:
    pages = table.pages(
        "scan",
        FilterExpression="begins_with(#sk, :connection) AND #state = :given_up",
        ExpressionAttributeNames={"#state": "state", "#sk": "sk"},
        ExpressionAttributeValues={
            ":connection": {"S": ID_PREFIX},
            ":given_up": {"S": str(State.REAUTHORIZATION_REQUIRED)},
        },
    )
    for page in pages:
        yield from (from_values(from_item(item)) for item in page["Items"])


def _try(stack: Deployed, connection: Connection) -> dict[str, Any]:
    asked = {"action": "try_again", "tenant": connection.tenant, "connection_id": connection.connection_id}
    answer = stack.client("lambda").invoke(
        FunctionName=f"{stack.resource('TokenRefreshFunction')}:live", Payload=json.dumps(asked).encode()
    )
    reported: dict[str, Any] = json.loads(answer["Payload"].read())
    return {"outcome": "failed"} if answer.get("FunctionError") else reported


def _described(connection: Connection) -> dict[str, Any]:
    since = datetime.fromtimestamp(connection.state_changed_at, UTC).isoformat(timespec="seconds")
    named = {"tenant": connection.tenant, "connection": connection.connection_id}
    return named | {"reason": connection.reason, "since": since}


if __name__ == "__main__":
    run(main)
