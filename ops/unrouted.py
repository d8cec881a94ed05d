"""`make unrouted`: lists events that Zoom signed and that belong to no tenant or cannot be parsed, and shows one.

These events were not published. Typical causes: the person's connection was deleted, an app is subscribed for a whole
account and other users of it never connected, or the event names no user. `--again` routes them again after somebody
has connected: events that have a tenant now are published, the others stay. Without `--yes` it is a dry run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from ops.deployed import add_arguments, deployed, run
from ops.key_table import NoStack
from zoom_common.aws.table import EVENTS, Table
from zoom_common.events.log.entries import malformed, unrouted
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.query import LARGEST_PAGE, LogLine, LogQuery
from zoom_common.events.log.store import EventLog
from zoom_common.events.reconciliation.unrouted_replay import IngestQueue, UnroutedReplay


def main(given: list[str] | None = None) -> int:
    """Return the exit status: 1 when the event of `--show` does not exist."""
    parser = argparse.ArgumentParser(prog="make unrouted", description=__doc__)
    parser.add_argument("app", help="the Zoom app's client id")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--show", metavar="ID", help="show one of them with its content, which is personal data")
    parser.add_argument("--again", action="store_true", help="route them once more")
    parser.add_argument("--yes", action="store_true", help="with --again: do it; without, only say what would be done")
    add_arguments(parser)
    arguments = parser.parse_args(given)
    try:
        stack = deployed(arguments)
        table = Table(stack.client("dynamodb"), stack.resource("EventsTable"), EVENTS)
    except NoStack as problem:
        print(problem, file=sys.stderr)
        return 1
    log, index = EventLog(table, clock=time.time), LogIndex(table)
    if arguments.again:
        queue = IngestQueue(stack.resource("IngestQueue"), stack.client("sqs"))
        replay = UnroutedReplay(log=log, lines=index, send=queue.send, clock=time.time)
        tried = 0
        for kept in replay.kept(arguments.app, days=arguments.days):
            tried += 1
            if arguments.yes:
                replay.again(kept)
        print(f"{tried} sent again." if arguments.yes else f"{tried} would be sent again. The same with --yes does it.")
        return 0
    if arguments.show:
        owners = unrouted(arguments.app), malformed(arguments.app)
        found = next((entry for owner in owners if (entry := log.get(owner, arguments.show))), None)
        print(found.content.decode(errors="replace") if found else "No such event.")
        return 0 if found else 1
    for owner in (unrouted(arguments.app), malformed(arguments.app)):
        _list(owner, index, arguments.days)
    return 0


def _lines(owner: str, index: LogIndex, days: int) -> Iterator[LogLine]:
    query = LogQuery.within(now=time.time(), retention_days=days, page_size=LARGEST_PAGE)
    while True:
        page = index.search(owner, query)
        yield from page.lines
        if page.after is None:
            return
        query = replace(query, after=page.after)


def _list(owner: str, index: LogIndex, days: int) -> None:
    types: Counter[str] = Counter()
    for line in _lines(owner, index, days):
        types[line.type] += 1
        received = time.strftime("%FT%TZ", time.gmtime(line.received_at_ms / 1000))
        print(json.dumps({"id": line.event_id, "type": line.type, "subject": line.subject, "received_at": received}))
    print(f"{owner}: {sum(types.values())}", *(f"  {count} {name}" for name, count in types.most_common()), sep="\n")


if __name__ == "__main__":
    run(main)
